//! Three brokers, their controllers and, for Milena, etcd: each a process of its own, all with default settings.
//!
//! Invariant: neither the processes nor their data outlive the value.

pub mod etcd;
mod kafka;
mod milena;
mod node;
mod ports;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::parts::Parts;
use crate::probe;
use crate::subject::{Subject, folder};

pub use node::Node;

const BROKERS: usize = 3;
const JOIN_TIMEOUT: Duration = Duration::from_secs(60);
const JOIN_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub struct Cluster {
    /// In the order of their ids, which begin with 1.
    pub brokers: Vec<Node>,
    pub controllers: Vec<Node>,
    /// Where Milena's metadata lie; Kafka's controllers keep theirs.
    pub store: Option<Node>,
    folder: PathBuf,
}

/// What a reader must know to start the same.
pub fn describe(subject: Subject) -> Result<String> {
    match subject {
        Subject::Kafka => Ok(kafka::DESCRIPTION.to_owned()),
        Subject::Milena => milena::describe(),
    }
}

impl Cluster {
    /// Starts everything on empty folders and waits until each broker names all three.
    pub fn start(subject: Subject, parts: &Parts) -> Result<Cluster> {
        let folder = parts.work().join(format!("{}-cluster", subject.name().to_lowercase()));
        folder::clear(&folder)?;
        let mut cluster = match subject {
            Subject::Kafka => kafka::cluster(parts, folder)?,
            Subject::Milena => milena::cluster(parts, folder)?,
        };
        for node in cluster.store.iter_mut().chain(&mut cluster.controllers) {
            node.start()?;
            node.await_health()?;
        }
        for broker in &mut cluster.brokers {
            broker.start()?;
        }
        cluster.await_health()?;
        cluster.await_members()?;
        Ok(cluster)
    }

    /// Until every process that runs is well.
    pub fn await_health(&mut self) -> Result<()> {
        let all = self.store.iter_mut().chain(&mut self.controllers).chain(&mut self.brokers);
        all.into_iter().try_for_each(Node::await_health)
    }

    fn await_members(&self) -> Result<()> {
        let began = Instant::now();
        let names_all = |node: &Node| probe::brokers(node.port).is_ok_and(|count| count == BROKERS as i32);
        while !self.brokers.iter().all(names_all) {
            ensure!(began.elapsed() < JOIN_TIMEOUT, "the brokers do not find each other: {:?}", self.folder);
            thread::sleep(JOIN_PAUSE);
        }
        Ok(())
    }

    /// Where all that it writes lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn bootstrap(&self) -> String {
        let addresses = self.brokers.iter().map(|broker| format!("127.0.0.1:{}", broker.port));
        addresses.collect::<Vec<_>>().join(",")
    }

    /// A broker by its id.
    pub fn broker(&mut self, id: i32) -> &mut Node {
        &mut self.brokers[usize::try_from(id - 1).unwrap_or_default()]
    }

    /// The ids of the processes of the brokers.
    pub fn broker_pids(&self) -> Vec<u32> {
        self.brokers.iter().filter_map(Node::pid).collect()
    }

    /// The ids of all other processes.
    pub fn other_pids(&self) -> Vec<u32> {
        self.store.iter().chain(&self.controllers).filter_map(Node::pid).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in self.brokers.iter_mut().chain(&mut self.controllers).chain(&mut self.store) {
            if let Err(error) = node.kill() {
                eprintln!("cannot stop {}: {error}", node.name);
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}
