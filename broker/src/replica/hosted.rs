//! Which partitions this broker holds a replica of, by topic name and by topic id.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use protocol::types::Uuid;

use super::partition::Partition;

/// The replicas of one topic.
#[derive(Clone, Default)]
pub(super) struct HostedTopic {
    /// Zero until an image names it, where the directory does not.
    pub id: Uuid,
    pub partitions: BTreeMap<i32, Arc<Partition>>,
}

/// All replicas of a broker. Invariant: `names` holds exactly the topics with a known id.
#[derive(Default)]
pub(super) struct Hosted {
    topics: HashMap<String, HostedTopic>,
    names: HashMap<Uuid, String>,
}

impl Hosted {
    pub fn partition(&self, topic: &str, index: i32) -> Option<&Arc<Partition>> {
        self.topics.get(topic)?.partitions.get(&index)
    }

    pub fn partition_by_id(&self, topic: Uuid, index: i32) -> Option<&Arc<Partition>> {
        self.partition(self.names.get(&topic)?, index)
    }

    pub fn topic(&self, name: &str) -> Option<&HostedTopic> {
        self.topics.get(name)
    }

    pub fn topics(&self) -> impl Iterator<Item = (&String, &HostedTopic)> {
        self.topics.iter()
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Partition>> {
        self.topics.values().flat_map(|topic| topic.partitions.values())
    }

    /// Adds a replica; its topic takes the id unless that is zero.
    pub fn insert(&mut self, topic: &str, id: Uuid, partition: Arc<Partition>) {
        let hosted = self.topics.entry(topic.to_owned()).or_default();
        hosted.partitions.insert(partition.at.partition, partition);
        if !id.is_zero() {
            hosted.id = id;
            self.names.insert(id, topic.to_owned());
        }
    }

    /// Takes a replica out, and its topic with the last one.
    pub fn remove(&mut self, topic: &str, index: i32) -> Option<Arc<Partition>> {
        let hosted = self.topics.get_mut(topic)?;
        let removed = hosted.partitions.remove(&index);
        if hosted.partitions.is_empty() {
            let id = hosted.id;
            self.topics.remove(topic);
            self.names.remove(&id);
        }
        removed
    }
}
