//! The partitions that this broker holds: their logs, their roles, and how they follow the image.
//!
//! * [`partition`]: one replica; [`append`], [`read`], [`offsets`]: what is asked of it.
//! * [`role`], [`followers`], [`high_watermark`], [`ack_waits`]: what a leader decides, without IO.
//! * [`follower`]: how this broker follows others. [`isr`]: who is in sync with it.
//! * [`log_dirs`], `recovery`, `assignment`, `removal`, `succession`, [`housekeeping`], `failure`: where logs lie, how they open, come, go and are tended.

pub mod ack_waits;
pub mod append;
mod assignment;
mod blocking;
pub mod coordinator_log;
pub mod errors;
mod failure;
pub mod follower;
mod followers;
mod gauges;
mod high_watermark;
mod hosted;
mod inspect;
pub mod housekeeping;
pub mod isr;
mod log_config;
pub mod log_dirs;
pub mod offsets;
pub mod partition;
pub mod read;
mod recovery;
mod removal;
pub mod role;
mod succession;
#[cfg(test)]
mod tests;
pub mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use protocol::types::{BrokerId, Uuid};
use storage::{FileCache, TopicPartition};
use tokio::sync::Notify;

use self::errors::PartitionError;
use self::hosted::Hosted;
use self::isr::Returning;
use self::log_dirs::ReplicaDir;
use self::partition::Partition;
use self::removal::Removals;
use self::succession::Successions;
use crate::config::BrokerConfig;
use crate::metrics::partitions::PartitionGauges;

/// Every replica of this broker (Kafka's ReplicaManager).
pub struct Replicas {
    broker: BrokerId,
    dirs: Vec<Arc<ReplicaDir>>,
    files: Arc<FileCache>,
    /// What `server.properties` says, which topics inherit.
    statics: Arc<BTreeMap<String, String>>,
    producer_id_expiration: Duration,
    hosted: RwLock<Hosted>,
    /// Logs that recovery has yet to open.
    opening: AtomicUsize,
    opened: Notify,
    /// Directories of deleted partitions, until their readers are done.
    removals: Mutex<Removals>,
    /// Replicas that go before their logs are open.
    successions: Mutex<Successions>,
    gauges: Mutex<PartitionGauges>,
    /// Partitions where a follower may return to the ISR.
    returning: Arc<Returning>,
    /// Whether [`Replicas::close`] has begun; held while an image is applied.
    closed: Mutex<bool>,
}

impl Replicas {
    /// No replicas yet: [`Replicas::recover`] finds those on disk.
    pub fn new(config: &BrokerConfig, dirs: Vec<ReplicaDir>) -> Arc<Replicas> {
        Arc::new(Replicas {
            broker: config.broker_id,
            dirs: dirs.into_iter().map(Arc::new).collect(),
            files: Arc::new(FileCache::new(FileCache::DEFAULT_CAPACITY)),
            statics: config.statics.clone(),
            producer_id_expiration: config.logs.producer_id_expiration,
            hosted: RwLock::default(),
            opening: AtomicUsize::new(0),
            opened: Notify::new(),
            removals: Mutex::default(),
            successions: Mutex::default(),
            gauges: Mutex::default(),
            returning: Arc::default(),
            closed: Mutex::default(),
        })
    }

    /// The replica of a partition, by its topic's name.
    pub fn partition(&self, topic: &str, index: i32) -> Result<Arc<Partition>, PartitionError> {
        self.hosted.read().partition(topic, index).cloned().ok_or(PartitionError::Unknown)
    }

    /// The replica of a partition, by its topic's id.
    pub fn partition_by_id(&self, topic: Uuid, index: i32) -> Result<Arc<Partition>, PartitionError> {
        self.hosted.read().partition_by_id(topic, index).cloned().ok_or(PartitionError::UnknownId)
    }

    /// Every replica.
    pub fn all(&self) -> Vec<Arc<Partition>> {
        self.hosted.read().all().cloned().collect()
    }

    /// Every replica of a topic whose id is known, with that id.
    fn all_by_id(&self) -> Vec<(Uuid, Arc<Partition>)> {
        let hosted = self.hosted.read();
        let topics = hosted.topics().filter(|(_, topic)| !topic.id.is_zero());
        topics
            .flat_map(|(_, topic)| topic.partitions.values().map(|partition| (topic.id, partition.clone())))
            .collect()
    }

    /// The replica of a partition with its topic's id.
    fn with_topic_id(&self, at: &TopicPartition) -> Option<(Uuid, Arc<Partition>)> {
        let hosted = self.hosted.read();
        let topic = hosted.topic(&at.topic)?;
        Some((topic.id, topic.partitions.get(&at.partition)?.clone()))
    }

    /// The log directories, in the order of `log.dirs`.
    pub fn dirs(&self) -> &[Arc<ReplicaDir>] {
        &self.dirs
    }

    /// Whether every log that was found at the start is open.
    pub fn is_recovered(&self) -> bool {
        self.opening.load(Ordering::Acquire) == 0
    }
}
