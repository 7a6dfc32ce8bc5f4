//! Brokers and controllers as processes of their own, on a real etcd.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use protocol::ErrorCode;

use crate::daemons::Milena;
use crate::etcd::Etcd;
use crate::scratch::Scratch;
use crate::{kcat, wait, wire};

/// The first controller's id; brokers count from 1.
const FIRST_CONTROLLER: i32 = 100;

/// What a broker is given to create a topic…
const CREATE_TIME_MAX: Duration = Duration::from_secs(20);
/// …and where there are other attempts.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(5);

/// One cluster. Broker `id` is `brokers[id - 1]`.
pub struct Cluster {
    pub brokers: Vec<Milena>,
    pub controllers: Vec<Milena>,
    pub etcd: Etcd,
    pub scratch: Scratch,
}

impl Cluster {
    /// So many brokers and controllers with these keys, ready to serve.
    pub fn start(name: &str, brokers: i32, controllers: i32, properties: &str) -> Result<Cluster> {
        let scratch = Scratch::new(name)?;
        let etcd = Etcd::start(&scratch)?;
        let start = |mut daemon: Milena| {
            daemon.set(&format!("{properties}\n"))?;
            daemon.start()?;
            Ok::<_, anyhow::Error>(daemon)
        };
        let controllers = (FIRST_CONTROLLER..FIRST_CONTROLLER + controllers)
            .map(|id| start(Milena::controller(&scratch, &etcd, id)?))
            .collect::<Result<_>>()?;
        let brokers =
            (1..=brokers).map(|id| start(Milena::broker(&scratch, &etcd, id)?)).collect::<Result<_>>()?;
        Ok(Cluster { brokers, controllers, etcd, scratch })
    }

    /// `bootstrap.servers` of all brokers.
    pub fn bootstrap(&self) -> String {
        self.brokers.iter().map(Milena::bootstrap).collect::<Vec<_>>().join(",")
    }

    /// The broker of this id.
    pub fn broker(&mut self, id: i32) -> &mut Milena {
        &mut self.brokers[id as usize - 1]
    }

    /// Where the broker of this id serves.
    pub fn port(&self, id: i32) -> u16 {
        self.brokers[id as usize - 1].port
    }

    /// Creates a topic with three replicas of each partition, by a call to this broker.
    pub fn create(&self, asked: i32, topic: &str, partitions: i32) -> Result<()> {
        let error = wire::create_topic(self.port(asked), topic, partitions, 3, CREATE_TIME_MAX)?;
        ensure!(error == ErrorCode::None, "{topic}: {error:?}");
        Ok(())
    }

    /// The same, as soon as somebody is there to do it. An attempt that was not answered in time may have made it.
    pub fn create_in_the_end(&self, asked: i32, topic: &str, partitions: i32) -> Result<()> {
        wait::until(&format!("{topic} to be created"), wait::PATIENCE, || {
            let error = wire::create_topic(self.port(asked), topic, partitions, 3, ATTEMPT_TIME_MAX)?;
            ensure!(matches!(error, ErrorCode::None | ErrorCode::TopicAlreadyExists), "{error:?}");
            Ok(Some(()))
        })
    }

    /// Waits until every partition of a topic has so many replicas in sync.
    pub fn await_in_sync(&self, topic: &str, replicas: usize) -> Result<()> {
        wait::until(&format!("{replicas} replicas of {topic} in sync"), wait::PATIENCE, || {
            let metadata = kcat::metadata(&self.bootstrap(), Some(topic))?;
            let partitions = metadata["topics"][0]["partitions"].as_array().context("no partitions")?;
            let in_sync = |partition: &serde_json::Value| {
                partition["isrs"].as_array().is_some_and(|isr| isr.len() == replicas)
            };
            ensure!(!partitions.is_empty() && partitions.iter().all(in_sync), "{partitions:?}");
            Ok(Some(()))
        })
    }

    /// The test's last word: it passed, and what the cluster left may go.
    pub fn done(mut self) -> Result<()> {
        self.scratch.discard();
        Ok(())
    }
}
