//! The partitions that this broker holds: their logs, their roles, and how they follow the image.
//!
//! * [`partition`]: one replica; [`append`], [`read`], [`offsets`], [`preferred`], [`record_deletion`]: what is asked
//!   of it.
//! * [`role`], [`followers`], [`approach`], [`high_watermark`], [`ack_waits`]: what a leader decides, without IO.
//!   `standing_down`: what it does when followers know of a later epoch.
//! * [`follower`]: how this broker follows others. [`isr`]: who is in sync with it.
//! * [`log_dirs`], `checkpoints`, `recovery`, `retries`: where logs lie, and how they open.
//! * `hosted`, `assignment`, `removal`, `succession`: how replicas come and go.
//! * [`housekeeping`], `changes`, `due_flush`, `closing`: how logs are tended, and closed.
//! * `failure`, `without_room`, [`offline_reports`]: when disks fail or are full. [`gauges`], `figures`: what operators see.

pub mod ack_waits;
pub mod append;
pub mod approach;
mod assignment;
mod blocking;
mod changes;
mod checkpoints;
mod closing;
pub mod coordinator_log;
mod due_flush;
pub mod errors;
mod failure;
mod figures;
pub mod follower;
mod followers;
pub mod gauges;
mod high_watermark;
mod holdings;
mod hosted;
pub mod housekeeping;
pub mod inspect;
pub mod isr;
mod log_config;
pub mod log_dirs;
pub mod offline_reports;
pub mod offsets;
pub mod partition;
pub mod preferred;
pub mod read;
pub mod record_deletion;
mod recovery;
mod removal;
mod retries;
pub mod role;
mod standing_down;
mod succession;
#[cfg(test)]
mod tests;
pub mod usage;
mod without_room;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use protocol::types::{BrokerId, Uuid};
use storage::{FileCache, TopicPartition};
use tokio::sync::Notify;

use self::errors::PartitionError;
use self::failure::Failures;
use self::hosted::{Hosted, Replica};
use self::housekeeping::Purges;
use self::isr::Returning;
use self::log_dirs::{OpenedDirs, ReplicaDir};
use self::partition::Partition;
use self::removal::Removals;
use self::retries::Retries;
use self::standing_down::StoodDown;
use self::succession::Successions;
use crate::config::BrokerConfig;
use crate::metrics::log_dirs::LogDirGauges;
use crate::metrics::partitions::PartitionGauges;

/// Every replica of this broker (Kafka's ReplicaManager).
pub struct Replicas {
    broker: BrokerId,
    dirs: Vec<Arc<ReplicaDir>>,
    /// Of `log.dirs`: those whose disks did not work at the start.
    dirs_missing: Vec<PathBuf>,
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
    /// Logs for which there was no room.
    retries: Mutex<Retries>,
    /// Logs that have files to remove.
    purges: Purges,
    failures: Failures,
    gauges: Mutex<PartitionGauges>,
    dir_gauges: Mutex<LogDirGauges>,
    /// Partitions where a follower may return to the ISR.
    returning: Arc<Returning>,
    /// Partitions for which clients are not sent here.
    stood_down: Arc<StoodDown>,
    /// Whether [`Replicas::close`] has begun; held while an image is applied.
    closed: Mutex<bool>,
}

impl Replicas {
    /// No replicas yet: [`Replicas::recover`] finds those on disk.
    pub fn new(config: &BrokerConfig, dirs: OpenedDirs) -> Arc<Replicas> {
        Arc::new(Replicas {
            broker: config.broker_id,
            dirs: dirs.online.into_iter().map(Arc::new).collect(),
            dirs_missing: dirs.offline,
            files: Arc::new(FileCache::new(FileCache::DEFAULT_CAPACITY)),
            statics: config.statics.clone(),
            producer_id_expiration: config.logs.producer_id_expiration,
            hosted: RwLock::default(),
            opening: AtomicUsize::new(0),
            opened: Notify::new(),
            removals: Mutex::default(),
            successions: Mutex::default(),
            retries: Mutex::default(),
            purges: Mutex::default(),
            failures: Failures::default(),
            gauges: Mutex::default(),
            dir_gauges: Mutex::default(),
            returning: Arc::default(),
            stood_down: Arc::default(),
            closed: Mutex::default(),
        })
    }

    /// The replica of a partition, by its topic's name.
    pub fn partition(&self, topic: &str, index: i32) -> Result<Arc<Partition>, PartitionError> {
        let hosted = self.hosted.read();
        hosted.replica(topic, index).map(|replica| replica.partition.clone()).ok_or(PartitionError::Unknown)
    }

    /// The replica of a partition, by its topic's id.
    pub fn partition_by_id(&self, topic: Uuid, index: i32) -> Result<Arc<Partition>, PartitionError> {
        self.hosted.read().partition_by_id(topic, index).cloned().ok_or(PartitionError::UnknownId)
    }

    /// Every replica.
    pub fn all(&self) -> Vec<Arc<Partition>> {
        self.hosted.read().all().map(|replica| replica.partition.clone()).collect()
    }

    /// Every replica of a topic whose id is known, with that id.
    fn all_by_id(&self) -> Vec<(Uuid, Arc<Partition>)> {
        let hosted = self.hosted.read();
        let known = hosted.all().filter(|replica| !replica.topic_id.is_zero());
        known.map(|replica| (replica.topic_id, replica.partition.clone())).collect()
    }

    /// The replica of a partition with its topic's id.
    fn with_topic_id(&self, at: &TopicPartition) -> Option<(Uuid, Arc<Partition>)> {
        let Replica { topic_id, partition } = self.hosted.read().replica(&at.topic, at.partition)?.clone();
        Some((topic_id, partition))
    }

    /// The log directories, in the order of `log.dirs`.
    pub fn dirs(&self) -> &[Arc<ReplicaDir>] {
        &self.dirs
    }

    /// Whether every log that was found at the start is open.
    pub fn is_recovered(&self) -> bool {
        self.logs_to_recover() == 0
    }

    /// How many logs that were found at the start are still to be opened.
    pub fn logs_to_recover(&self) -> usize {
        self.opening.load(Ordering::Acquire)
    }
}
