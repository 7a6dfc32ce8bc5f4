//! What is asked of the brokers of this process at each scrape, rather than kept up to date: their partitions, their log
//! directories, how far they are.
//!
//! Brokers of one process (`milena dev`) may hold replicas of the same partition. Then sizes add up, and offsets are those of
//! the one that leads.

use std::collections::BTreeMap;
use std::sync::Weak;

use parking_lot::Mutex;
use storage::TopicPartition;

/// A broker, as far as it is looked at.
pub trait Observed: Send + Sync {
    /// Its replicas whose logs are open, in any order.
    fn partitions(&self) -> Vec<(TopicPartition, ReplicaFigures)>;
    /// Its log directories that are in service.
    fn log_dirs(&self) -> Vec<LogDirFigures>;
    fn standing(&self) -> Standing;
    /// What the groups that it coordinates have committed, as it was found last.
    fn groups(&self) -> GroupFigures;
}

/// One replica of this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaFigures {
    pub bytes: u64,
    pub segments: usize,
    pub log_start_offset: i64,
    pub log_end_offset: i64,
    /// Producers that the log remembers.
    pub producers: usize,
    /// If it leads.
    pub led: Option<LedFigures>,
}

/// What only the leader of a partition knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedFigures {
    pub in_sync_replicas: usize,
    pub replicas: usize,
    pub min_isr: usize,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
}

/// The file system under a log directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDirFigures {
    pub path: String,
    pub size_bytes: u64,
    /// What this process may use of it still.
    pub free_bytes: u64,
}

/// How far a broker is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub state: BrokerState,
    /// Of the metadata that it has.
    pub metadata_revision: i64,
    pub fetch_sessions: usize,
    pub fetch_session_partitions: usize,
    pub fetch_session_evictions: u64,
    /// Logs that are still to be opened.
    pub logs_to_recover: usize,
}

/// Kafka's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BrokerState {
    #[default]
    NotRunning = 0,
    /// It is not registered yet, or has no metadata. Exit: recovering.
    Starting = 1,
    /// Logs are still being opened. Exit: running.
    Recovery = 2,
    /// Exit: pending a controlled shutdown.
    Running = 3,
    /// Its leaderships go to others. Exit: shutting down.
    PendingControlledShutdown = 6,
    /// Its logs close.
    ShuttingDown = 7,
}

/// Committed offsets of many groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFigures {
    pub groups: Vec<GroupMembers>,
    pub offsets: Vec<CommittedFigures>,
    /// Committed offsets that are left out of `offsets`, for they are too many.
    pub left_out: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMembers {
    pub group: String,
    pub members: usize,
}

/// How far a group has come with a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedFigures {
    pub group: String,
    pub at: TopicPartition,
    pub committed: i64,
    /// To the high watermark; `None` where that is not known.
    pub lag: Option<i64>,
}

static BROKERS: Mutex<Vec<Weak<dyn Observed>>> = Mutex::new(Vec::new());

/// Looks at this broker too, as long as there is one.
pub fn observe(broker: Weak<dyn Observed>) {
    let mut brokers = BROKERS.lock();
    brokers.retain(|broker| broker.strong_count() > 0);
    brokers.push(broker);
}

/// What `look` finds of each broker.
pub(super) fn of_each<T>(look: impl Fn(&dyn Observed) -> T) -> Vec<T> {
    let brokers: Vec<_> = BROKERS.lock().iter().filter_map(Weak::upgrade).collect();
    brokers.iter().map(|broker| look(&**broker)).collect()
}

/// The partitions of all brokers.
pub(super) fn partitions() -> BTreeMap<TopicPartition, ReplicaFigures> {
    let mut all = BTreeMap::<_, ReplicaFigures>::new();
    for (at, figures) in of_each(|broker| broker.partitions()).into_iter().flatten() {
        all.entry(at).and_modify(|known| known.join(&figures)).or_insert(figures);
    }
    all
}

impl ReplicaFigures {
    /// Takes another replica of the same partition in.
    fn join(&mut self, other: &ReplicaFigures) {
        self.bytes += other.bytes;
        self.segments += other.segments;
        self.producers += other.producers;
        if other.led.is_some() {
            (self.log_start_offset, self.log_end_offset) = (other.log_start_offset, other.log_end_offset);
            self.led.clone_from(&other.led);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_of_one_process_add_up_and_the_leader_says_where_the_log_ends() {
        let replica = |bytes, log_end_offset, leads: bool| ReplicaFigures {
            bytes,
            segments: 1,
            log_end_offset,
            led: leads.then(LedFigures::default),
            ..ReplicaFigures::default()
        };
        for (mut one, other) in
            [(replica(10, 5, false), replica(20, 7, true)), (replica(20, 7, true), replica(10, 5, false))]
        {
            one.join(&other);
            assert_eq!((one.bytes, one.segments, one.log_end_offset), (30, 2, 7));
            assert!(one.led.is_some());
        }
    }
}
