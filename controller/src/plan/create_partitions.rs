//! More partitions for a topic: their keys first, then the topic's key with the new count, which makes them visible.

use std::sync::Arc;

use metadata::change::Change;
use metadata::image::TopicImage;
use metadata::keys::Key;
use metadata::keys::topic::TopicRecord;
use protocol::types::BrokerId;

use super::create_topic::{new_partition, partition_write, visible_with_the_last};
use super::{Step, Write, min_isr_of};
use crate::state::State;

/// The steps that add partitions with these replicas behind those that are there.
pub fn create_partitions(state: &State, topic: &TopicImage, assignment: Vec<Vec<BrokerId>>) -> Vec<Step> {
    let config = state.topic_config_of(&topic.name);
    let first = topic.partitions.len();
    let record = TopicRecord { topic_id: topic.id, partitions: (first + assignment.len()) as i32 };
    let (mut writes, mut changes) = (Vec::new(), Vec::new());
    for (index, replicas) in (first..).zip(assignment) {
        let partition = new_partition(state, min_isr_of(config, replicas.len()), replicas);
        writes.push(partition_write(topic.id, index, &partition));
        let (partition, state) = (index as i32, Arc::new(partition));
        changes.push(Change::PartitionChanged { topic_id: topic.id, partition, state });
    }
    writes.push(Write::put(Key::Topic(topic.name.clone()), record.encode()));
    visible_with_the_last(writes, changes)
}
