//! Milena as etcd, two controllers and three brokers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::node::{Health, Node};
use super::{BROKERS, Cluster, etcd, ports};
use crate::parts::{Parts, output};

const CONTROLLERS: usize = 2;
/// Ids of controllers begin behind this.
const CONTROLLER_IDS: usize = 100;

pub fn describe() -> Result<String> {
    let version = output(Command::new("etcd").arg("--version"))?;
    let version = version.lines().next().unwrap_or_default();
    Ok(format!(
        "Milena as a cluster: one etcd ({version}; data on disk, synced), {CONTROLLERS} controllers, {BROKERS} brokers; nothing \
         is set beside ids, ports and folders"
    ))
}

pub fn cluster(parts: &Parts, folder: PathBuf) -> Result<Cluster> {
    let store = etcd::node(&folder)?;
    let start = Start { parts, folder: &folder, endpoint: etcd::url(store.port) };
    let controllers = (1..=CONTROLLERS).map(|number| start.controller(number)).collect::<Result<_>>()?;
    let brokers = (1..=BROKERS).map(|id| start.broker(id)).collect::<Result<_>>()?;
    Ok(Cluster { brokers, controllers, store: Some(store), folder })
}

struct Start<'a> {
    parts: &'a Parts,
    folder: &'a Path,
    endpoint: String,
}

impl Start<'_> {
    fn controller(&self, number: usize) -> Result<Node> {
        let (id, port, metrics) = (CONTROLLER_IDS + number, ports::fixed()?, ports::fixed()?);
        let properties = format!("node.id={id}\ncontroller.listener=127.0.0.1:{port}\n");
        let command = self.command("milena-controller", id, metrics, &properties)?;
        Node::new(&format!("controller-{id}"), port, command, Health::Http(metrics, "/readyz"), self.folder)
    }

    fn broker(&self, id: usize) -> Result<Node> {
        let (port, metrics) = (ports::fixed()?, ports::fixed()?);
        let data = self.folder.join(format!("broker-{id}"));
        let properties =
            format!("node.id={id}\nlisteners=PLAINTEXT://127.0.0.1:{port}\nlog.dirs={}\n", data.display());
        let command = self.command("milena-broker", id, metrics, &properties)?;
        Node::new(&format!("broker-{id}"), port, command, Health::Metadata, self.folder)
    }

    fn command(&self, program: &str, id: usize, metrics: u16, properties: &str) -> Result<Command> {
        let file = self.folder.join(format!("{id}.properties"));
        let common = format!(
            "metadata.store=etcd\nmetadata.endpoints={}\nmetrics.listener=127.0.0.1:{metrics}\n",
            self.endpoint
        );
        fs::write(&file, common + properties)?;
        let mut command = Command::new(self.parts.binaries.join(program));
        command.arg("--config").arg(file);
        Ok(command)
    }
}
