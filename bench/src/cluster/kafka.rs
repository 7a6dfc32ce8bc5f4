//! Apache Kafka as one KRaft controller and three brokers, each in a JVM of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::node::{Health, Node};
use super::{BROKERS, Cluster, ports};
use crate::parts::Parts;
use crate::subject::kafka;

pub const DESCRIPTION: &str = "Kafka as a cluster: one KRaft controller, 3 brokers, each with the heap and collector flags \
                               above; nothing is set beside ids, ports and folders";

const CONTROLLER_ID: usize = 100;

pub fn cluster(parts: &Parts, folder: PathBuf) -> Result<Cluster> {
    let quorum = ports::fixed()?;
    let controller = node(parts, &folder, "controller", CONTROLLER_ID, quorum, quorum)?;
    let mut brokers = Vec::new();
    for id in 1..=BROKERS {
        brokers.push(node(parts, &folder, "broker", id, ports::fixed()?, quorum)?);
    }
    Ok(Cluster { brokers, controllers: vec![controller], store: None, folder })
}

fn node(parts: &Parts, folder: &Path, role: &str, id: usize, port: u16, quorum: u16) -> Result<Node> {
    let (listener, health) = match role {
        "controller" => ("CONTROLLER", Health::Listens),
        _ => ("PLAINTEXT", Health::Metadata),
    };
    let data = folder.join(format!("data-{id}"));
    let properties = format!(
        "process.roles={role}\nnode.id={id}\ncontroller.quorum.voters={CONTROLLER_ID}@127.0.0.1:{quorum}\n\
         controller.listener.names=CONTROLLER\nlisteners={listener}://127.0.0.1:{port}\nlog.dirs={}\n",
        data.display()
    );
    let command = kafka::serve(parts, &folder.join(format!("{id}.properties")), &properties)?;
    Node::new(&format!("{role}-{id}"), port, command, health, folder)
}
