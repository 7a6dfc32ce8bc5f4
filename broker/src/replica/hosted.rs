//! Which partitions this broker holds a replica of, by topic name and by topic id.
//!
//! Each replica has a topic id of its own: directories of one name may have been left by different topics. Invariant:
//! `by_id` holds exactly those of `by_name` whose id is known.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use protocol::types::Uuid;
use storage::TopicPartition;

use super::partition::Partition;

/// One replica, and the topic that its log was made for.
#[derive(Clone)]
pub(super) struct Replica {
    /// Zero until an image names it, where the directory does not.
    pub topic_id: Uuid,
    pub partition: Arc<Partition>,
}

/// All replicas of a broker.
#[derive(Default)]
pub(super) struct Hosted {
    by_name: HashMap<String, BTreeMap<i32, Replica>>,
    by_id: HashMap<Uuid, HashMap<i32, Arc<Partition>>>,
}

impl Hosted {
    pub fn replica(&self, topic: &str, index: i32) -> Option<&Replica> {
        self.by_name.get(topic)?.get(&index)
    }

    pub fn partition_by_id(&self, topic_id: Uuid, index: i32) -> Option<&Arc<Partition>> {
        self.by_id.get(&topic_id)?.get(&index)
    }

    /// Replicas by the name of their topic.
    pub fn topics(&self) -> impl Iterator<Item = (&String, &BTreeMap<i32, Replica>)> {
        self.by_name.iter()
    }

    pub fn all(&self) -> impl Iterator<Item = &Replica> {
        self.by_name.values().flat_map(BTreeMap::values)
    }

    /// Adds a replica, in the place of any other of this name.
    pub fn insert(&mut self, topic_id: Uuid, partition: Arc<Partition>) {
        let TopicPartition { topic, partition: index } = partition.at.clone();
        self.remove(&partition.at);
        if !topic_id.is_zero() {
            self.by_id.entry(topic_id).or_default().insert(index, partition.clone());
        }
        self.by_name.entry(topic).or_default().insert(index, Replica { topic_id, partition });
    }

    /// Takes a replica out.
    pub fn remove(&mut self, at: &TopicPartition) -> Option<Replica> {
        let of_name = self.by_name.get_mut(&at.topic)?;
        let removed = of_name.remove(&at.partition)?;
        if of_name.is_empty() {
            self.by_name.remove(&at.topic);
        }
        if let Some(of_id) = self.by_id.get_mut(&removed.topic_id) {
            of_id.remove(&at.partition);
            if of_id.is_empty() {
                self.by_id.remove(&removed.topic_id);
            }
        }
        Some(removed)
    }
}
