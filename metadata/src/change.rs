//! The smallest steps by which a [`ClusterImage`] changes, and how a step is applied.
//!
//! A push holds the changes of one or more revisions in order; applying one is idempotent. What a receiver checks before
//! it applies anything (controller epoch, revisions) is [`crate::delta`]'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::types::{BrokerId, Uuid};

use crate::image::{BrokerImage, ClusterImage, ConfigResource, PartitionImage, TopicImage};

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    BrokerChanged(Arc<BrokerImage>),
    BrokerGone(BrokerId),
    /// The topic exists under this name; its partitions follow as changes of their own.
    TopicCreated {
        name: String,
        id: Uuid,
    },
    TopicDeleted {
        name: String,
        id: Uuid,
    },
    /// The partition exists with this state. Partitions of a topic come in order, without gaps.
    PartitionChanged {
        topic_id: Uuid,
        partition: i32,
        state: Arc<PartitionImage>,
    },
    /// All that is now set on the resource; empty: nothing.
    ConfigChanged {
        resource: ConfigResource,
        values: Arc<BTreeMap<String, String>>,
    },
}

/// A change that does not fit the image it was applied to: the receiver asks for the whole image.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("partition {partition} of topic id {topic_id} belongs to no known topic")]
    UnknownTopic { topic_id: Uuid, partition: i32 },
    #[error("partition {partition} of topic id {topic_id} leaves a gap: {known} partitions are known")]
    Gap { topic_id: Uuid, partition: i32, known: usize },
}

impl ClusterImage {
    /// Applies the changes in order. After an error some of them stand, so keep the image from before: a clone shares
    /// every broker, topic and configuration that does not change.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), ChangeError> {
        changes.iter().try_for_each(|change| self.apply_one(change))
    }

    fn apply_one(&mut self, change: &Change) -> Result<(), ChangeError> {
        match change {
            Change::BrokerChanged(broker) => {
                self.brokers.insert(broker.id, Arc::clone(broker));
            }
            Change::BrokerGone(id) => {
                self.brokers.remove(id);
            }
            Change::TopicCreated { name, id } => self.create_topic(name, *id),
            Change::TopicDeleted { name, id } => self.delete_topic(name, *id),
            Change::PartitionChanged { topic_id, partition, state } => {
                return self.set_partition(*topic_id, *partition, state);
            }
            Change::ConfigChanged { resource, values } => self.set_config(resource, values),
        }
        Ok(())
    }

    fn create_topic(&mut self, name: &str, id: Uuid) {
        if let Some(earlier) = self.topics.get(name) {
            if earlier.id == id {
                return;
            }
            self.topic_names.remove(&earlier.id);
        }
        let topic = TopicImage { name: name.to_owned(), id, partitions: Vec::new() };
        self.topics.insert(name.to_owned(), Arc::new(topic));
        self.topic_names.insert(id, name.to_owned());
    }

    fn delete_topic(&mut self, name: &str, id: Uuid) {
        if self.topic_names.remove(&id).is_some() {
            self.topics.remove(name);
        }
    }

    fn set_partition(
        &mut self,
        topic_id: Uuid,
        partition: i32,
        state: &Arc<PartitionImage>,
    ) -> Result<(), ChangeError> {
        debug_assert_eq!(state.broken_invariant(), None, "{topic_id}-{partition}: {state:?}");
        let unknown = || ChangeError::UnknownTopic { topic_id, partition };
        let name = self.topic_names.get(&topic_id).ok_or_else(unknown)?;
        let topic = Arc::make_mut(self.topics.get_mut(name).ok_or_else(unknown)?);
        let known = topic.partitions.len();
        match usize::try_from(partition) {
            Ok(index) if index < known => topic.partitions[index] = Arc::clone(state),
            Ok(index) if index == known => topic.partitions.push(Arc::clone(state)),
            _ => return Err(ChangeError::Gap { topic_id, partition, known }),
        }
        Ok(())
    }

    fn set_config(&mut self, resource: &ConfigResource, values: &Arc<BTreeMap<String, String>>) {
        if values.is_empty() {
            self.configs.remove(resource);
        } else {
            self.configs.insert(resource.clone(), Arc::clone(values));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid([7; 16]);

    fn partition(leader: i32) -> Change {
        let members = vec![BrokerId(1), BrokerId(2)];
        let state = PartitionImage {
            replicas: members.clone(),
            isr: members,
            leader: BrokerId(leader),
            ..PartitionImage::default()
        };
        Change::PartitionChanged { topic_id: ID, partition: 0, state: Arc::new(state) }
    }

    fn created() -> Change {
        Change::TopicCreated { name: "orders".into(), id: ID }
    }

    #[test]
    fn changes_may_be_applied_twice() {
        let mut image = ClusterImage::default();
        let changes = [created(), partition(1), partition(2)];
        image.apply(&changes).unwrap();
        let once = image.clone();
        image.apply(&changes).unwrap();
        assert_eq!(image, once);
        assert_eq!(image.partition("orders", 0).unwrap().leader, BrokerId(2));
        assert_eq!(image.broken_invariant(), None);
    }

    #[test]
    fn a_clone_from_before_keeps_what_it_had() {
        let mut image = ClusterImage::default();
        image.apply(&[created(), partition(1)]).unwrap();
        let before = image.clone();
        image.apply(&[partition(2)]).unwrap();
        assert_eq!(before.partition("orders", 0).unwrap().leader, BrokerId(1));
    }

    #[test]
    fn a_topic_created_again_under_its_name_replaces_the_old_one() {
        let mut image = ClusterImage::default();
        image.apply(&[created(), partition(1)]).unwrap();
        let again = Uuid([8; 16]);
        image.apply(&[Change::TopicCreated { name: "orders".into(), id: again }]).unwrap();
        assert_eq!(image.topic("orders").unwrap().id, again);
        assert!(image.topic_by_id(ID).is_none());
        image.apply(&[Change::TopicDeleted { name: "orders".into(), id: ID }]).unwrap();
        assert!(image.topic("orders").is_some(), "the deletion of the old topic spares the new one");
    }

    #[test]
    fn a_partition_without_topic_or_behind_a_gap_is_refused() {
        let mut image = ClusterImage::default();
        let unknown = ChangeError::UnknownTopic { topic_id: ID, partition: 0 };
        assert_eq!(image.apply(&[partition(1)]), Err(unknown));
        let Change::PartitionChanged { state, .. } = partition(1) else { unreachable!() };
        let third = Change::PartitionChanged { topic_id: ID, partition: 2, state };
        let gap = ChangeError::Gap { topic_id: ID, partition: 2, known: 0 };
        assert_eq!(image.apply(&[created(), third]), Err(gap));
    }
}
