//! The cluster as a client sees it: metadata, kept and refreshed, and connections to brokers, made as they are needed.
//!
//! Cheap to clone; clones share connections and metadata. Deciding what metadata says is `metadata`'s; which sockets
//! are open is `connections`'.

mod connections;
mod metadata;

use std::sync::Arc;

use parking_lot::RwLock;
use protocol::ErrorCode;
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::{FindCoordinatorRequest, MetadataRequest, MetadataResponse};
use protocol::types::BrokerId;
use protocol::wire::Str;

use connections::Connections;
pub use connections::Lane;
pub use metadata::{Broker, Metadata, Partition, Topic};

use crate::consumer::offsets;
use crate::{
    Connection, ConnectionConfig, ConnectionError, Error, IsolationLevel, OffsetSpec, RetryPolicy,
    TopicPartition,
};

/// A topic that nobody knows is asked for this often before it counts as missing: a fresh one needs a moment to be
/// known to every broker,
const UNKNOWN_TOPIC_ATTEMPTS: u32 = 4;
/// and one that the question itself creates needs some moments more.
const CREATED_TOPIC_ATTEMPTS: u32 = 10;
/// FindCoordinator's key type for groups.
const GROUP_KEY: i8 = 0;

/// Where the cluster is and how patient its client is.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// "host:port" each. Any of them leads to all the others.
    pub bootstrap_servers: Vec<String>,
    pub connection: ConnectionConfig,
    pub retry: RetryPolicy,
}

impl ClusterConfig {
    /// Defaults, for a comma-separated list of brokers.
    pub fn new(bootstrap_servers: &str) -> ClusterConfig {
        let servers = bootstrap_servers.split(',').map(str::trim).filter(|server| !server.is_empty());
        ClusterConfig {
            bootstrap_servers: servers.map(str::to_owned).collect(),
            connection: ConnectionConfig::default(),
            retry: RetryPolicy::default(),
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Cluster {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ClusterConfig,
    connections: Connections,
    metadata: RwLock<Arc<Metadata>>,
}

/// Which topics a refresh asks for.
#[derive(Clone, Copy)]
enum Asked<'a> {
    All,
    None,
    Topic { name: &'a str, create: bool },
}

impl Cluster {
    /// Finds the cluster through the first bootstrap server that answers.
    pub async fn connect(config: ClusterConfig) -> Result<Cluster, Error> {
        let connections = Connections::new(config.connection.clone());
        let cluster = Cluster { inner: Arc::new(Inner { config, connections, metadata: RwLock::default() }) };
        cluster.refresh(Asked::None).await?;
        Ok(cluster)
    }

    pub fn config(&self) -> &ClusterConfig {
        &self.inner.config
    }

    /// What is known at this moment.
    pub fn metadata(&self) -> Arc<Metadata> {
        Arc::clone(&self.inner.metadata.read())
    }

    /// Asks for every topic anew.
    pub async fn refresh_all(&self) -> Result<Arc<Metadata>, Error> {
        self.refresh(Asked::All).await?;
        Ok(self.metadata())
    }

    /// A topic, from memory if it is there.
    pub async fn topic(&self, name: &str) -> Result<Arc<Topic>, Error> {
        match self.metadata().topic(name) {
            Some(topic) => Ok(topic),
            None => self.refresh_topic(name, false).await,
        }
    }

    /// As [`Cluster::topic`], and the brokers may create it, if they are configured to.
    pub async fn topic_or_create(&self, name: &str) -> Result<Arc<Topic>, Error> {
        match self.metadata().topic(name) {
            Some(topic) => Ok(topic),
            None => self.refresh_topic(name, true).await,
        }
    }

    /// A topic as the brokers know it now.
    pub async fn refresh_topic(&self, name: &str, create: bool) -> Result<Arc<Topic>, Error> {
        let attempts_max = if create { CREATED_TOPIC_ATTEMPTS } else { UNKNOWN_TOPIC_ATTEMPTS };
        let mut backoff = self.inner.config.retry.start();
        let mut attempts = 1;
        loop {
            let refused = match self.try_refresh_topic(name, create).await {
                Ok(topic) => return Ok(topic),
                Err(error) => error,
            };
            let missing =
                refused.code() == Some(ErrorCode::UnknownTopicOrPartition) && attempts >= attempts_max;
            if missing || !refused.is_retriable() || !backoff.wait().await {
                return Err(refused);
            }
            attempts += 1;
        }
    }

    /// As [`Cluster::refresh_topic`], at one attempt.
    pub(crate) async fn refresh_topic_once(&self, name: &str) -> Result<Arc<Topic>, Error> {
        self.try_refresh_topic(name, false).await
    }

    async fn try_refresh_topic(&self, name: &str, create: bool) -> Result<Arc<Topic>, Error> {
        let response = self.refresh(Asked::Topic { name, create }).await?;
        let answered = response.topics.iter().find(|topic| topic.name.as_deref() == Some(name));
        let missing = || Error::Incomplete { api: "Metadata", subject: format!("topic '{name}'") };
        Error::check("Metadata", format!("topic '{name}'"), answered.ok_or_else(missing)?.error_code, None)?;
        self.metadata().topic(name).ok_or_else(missing)
    }

    /// The leader of a partition; asks anew where none is known.
    pub async fn leader(&self, at: &TopicPartition) -> Result<BrokerId, Error> {
        let mut topic = self.topic(&at.topic).await?;
        if topic.partition(at)?.leader.is_none() {
            topic = self.refresh_topic(&at.topic, false).await?;
        }
        topic.partition(at)?.leader.ok_or_else(|| Error::NoLeader { partition: at.clone() })
    }

    /// The offsets that partitions have at these places; none where no record is as late as a timestamp.
    pub async fn offsets(
        &self,
        isolation: IsolationLevel,
        wanted: &[(TopicPartition, OffsetSpec)],
    ) -> Result<Vec<(TopicPartition, Option<i64>)>, Error> {
        offsets::resolve(self, isolation, wanted).await
    }

    /// A connection to one broker.
    pub async fn broker(&self, id: BrokerId, lane: Lane) -> Result<Connection, Error> {
        let metadata = self.metadata();
        let broker = metadata.broker(id).ok_or(Error::UnknownBroker { broker: id.0 })?;
        Ok(self.inner.connections.open(&broker.address(), lane).await?)
    }

    /// A connection to any broker that can be reached: a known one before the bootstrap servers.
    pub async fn any_broker(&self) -> Result<Connection, Error> {
        let mut attempts = Vec::new();
        for address in self.candidates() {
            match self.inner.connections.open(&address, Lane::Requests).await {
                Ok(connection) => return Ok(connection),
                Err(error) => attempts.push(error),
            }
        }
        Err(Error::NoBroker { attempts })
    }

    /// The broker that coordinates a group.
    pub async fn group_coordinator(&self, group: &str) -> Result<BrokerId, Error> {
        let request = FindCoordinatorRequest {
            key_type: GROUP_KEY,
            coordinator_keys: vec![Str::from(group)],
            ..Default::default()
        };
        let response = self.any_broker().await?.send(&request).await?;
        let subject = format!("group '{group}'");
        let Some(found) = response.coordinators.first() else {
            return Err(Error::Incomplete { api: "FindCoordinator", subject });
        };
        Error::check("FindCoordinator", subject, found.error_code, found.error_message.as_deref())?;
        let coordinator = Broker::new(found.node_id, &found.host, found.port, None);
        self.change(|metadata| metadata.learn_broker(coordinator));
        Ok(BrokerId(found.node_id))
    }

    async fn refresh(&self, asked: Asked<'_>) -> Result<MetadataResponse, Error> {
        let request = metadata_request(asked);
        let mut failed = Error::NoBroker { attempts: Vec::new() };
        // A connection that was good may have died unnoticed: one more try takes the next broker.
        for _ in 0..=self.candidates().len() {
            match self.any_broker().await?.send(&request).await {
                Ok(response) => {
                    self.change(|metadata| metadata.apply(&response, matches!(asked, Asked::All)));
                    return Ok(response);
                }
                Err(error @ ConnectionError::Disconnected { .. }) => failed = error.into(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(failed)
    }

    fn change(&self, change: impl FnOnce(&mut Metadata)) {
        let mut shared = self.inner.metadata.write();
        change(Arc::make_mut(&mut shared));
    }

    fn candidates(&self) -> Vec<String> {
        let mut known: Vec<_> = self.metadata().brokers().map(Broker::address).collect();
        fastrand::shuffle(&mut known);
        known.extend(self.inner.config.bootstrap_servers.iter().cloned());
        known
    }
}

fn metadata_request(asked: Asked<'_>) -> MetadataRequest {
    let by_name = |name| MetadataRequestTopic { name: Some(Str::from(name)), ..Default::default() };
    let (topics, allow_auto_topic_creation) = match asked {
        Asked::All => (None, false),
        Asked::None => (Some(Vec::new()), false),
        Asked::Topic { name, create } => (Some(vec![by_name(name)]), create),
    };
    MetadataRequest { topics, allow_auto_topic_creation, ..Default::default() }
}

/// A topic whose partitions all have a leader, for tests.
#[cfg(test)]
pub(crate) fn led_topic(name: &str, partitions: i32) -> Topic {
    use protocol::types::{LeaderEpoch, Uuid};
    let partition = |index| Partition {
        index,
        leader: Some(BrokerId(1)),
        leader_epoch: LeaderEpoch(0),
        replicas: vec![BrokerId(1)],
        isr: vec![BrokerId(1)],
        offline_replicas: Vec::new(),
    };
    let partitions = (0..partitions).map(partition).collect();
    Topic { name: name.into(), id: Uuid::ZERO, internal: false, partitions }
}
