//! One committed offset, and all of a group's.

use std::collections::HashMap;

use bytes::Bytes;
use protocol::messages::OffsetCommitValue;
use protocol::types::{Offset, Uuid};
use protocol::wire::{EncodeError, Message, Str};

/// The version in which a commit is written: the first with the topic's id.
const VERSION: i16 = 4;
/// The only version that has an expiry of its own.
const VERSION_WITH_EXPIRY: i16 = 1;
/// What stands where a commit expires with its group.
const NO_EXPIRY: i64 = -1;

/// What an offset is committed for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OffsetKey {
    pub group: Str,
    pub topic: Str,
    pub partition: i32,
}

impl OffsetKey {
    /// A copy that does not hold on to the buffer which it was read from.
    pub fn detached(&self) -> OffsetKey {
        OffsetKey { group: self.group.detached(), topic: self.topic.detached(), partition: self.partition }
    }
}

/// What a consumer said of its place in a partition.
#[derive(Debug, Clone, PartialEq)]
pub struct CommittedOffset {
    /// The next record to consume.
    pub offset: i64,
    /// Of the last record consumed; −1 where the consumer did not say.
    pub leader_epoch: i32,
    pub metadata: Box<str>,
    pub commit_timestamp_ms: i64,
    /// Old clients (OffsetCommit 2 to 4) may choose it; else the group's retention holds.
    pub expire_timestamp_ms: Option<i64>,
    /// Zero where the commit is older than topic ids in commits.
    pub topic_id: Uuid,
    /// Where the commit itself stands in the coordinator's log: the later of two wins, whichever is heard of last.
    pub record_offset: Offset,
}

impl Default for CommittedOffset {
    fn default() -> CommittedOffset {
        CommittedOffset {
            offset: 0,
            leader_epoch: -1,
            metadata: Box::default(),
            commit_timestamp_ms: 0,
            expire_timestamp_ms: None,
            topic_id: Uuid::ZERO,
            record_offset: Offset::UNKNOWN,
        }
    }
}

impl CommittedOffset {
    pub fn of_record(value: &OffsetCommitValue) -> CommittedOffset {
        CommittedOffset {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: Box::from(&*value.metadata),
            commit_timestamp_ms: value.commit_timestamp,
            expire_timestamp_ms: Some(value.expire_timestamp).filter(|at| *at != NO_EXPIRY),
            topic_id: value.topic_id,
            record_offset: Offset::UNKNOWN,
        }
    }

    /// The record's value, its version in front.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let value = OffsetCommitValue {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: Str::from(&*self.metadata),
            commit_timestamp: self.commit_timestamp_ms,
            expire_timestamp: self.expire_timestamp_ms.unwrap_or(NO_EXPIRY),
            topic_id: self.topic_id,
        };
        value.encode_versioned(if self.expire_timestamp_ms.is_some() { VERSION_WITH_EXPIRY } else { VERSION })
    }
}

/// Everything that one group has committed.
#[derive(Default)]
pub struct GroupOffsets {
    /// No topic in here is empty.
    topics: HashMap<Str, HashMap<i32, CommittedOffset>>,
}

impl GroupOffsets {
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    pub fn get(&self, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.topics.get(topic)?.get(&partition)
    }

    pub fn topics(&self) -> impl Iterator<Item = (&Str, &HashMap<i32, CommittedOffset>)> {
        self.topics.iter()
    }

    pub fn topic(&self, topic: &str) -> Option<&HashMap<i32, CommittedOffset>> {
        self.topics.get(topic)
    }

    /// Keeps no hold on the buffer that `topic` may come from.
    pub fn insert(&mut self, topic: &Str, partition: i32, committed: CommittedOffset) {
        match self.topics.get_mut(&**topic) {
            Some(partitions) => drop(partitions.insert(partition, committed)),
            None => drop(self.topics.insert(topic.detached(), HashMap::from([(partition, committed)]))),
        }
    }

    pub fn remove(&mut self, topic: &str, partition: i32) {
        let Some(partitions) = self.topics.get_mut(topic) else { return };
        partitions.remove(&partition);
        if partitions.is_empty() {
            self.topics.remove(topic);
        }
    }
}
