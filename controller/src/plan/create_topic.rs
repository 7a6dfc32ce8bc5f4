//! A new topic: its partitions' keys, its configuration, its own key last. Brokers see it with that key, whole.

use std::sync::Arc;

use metadata::change::Change;
use metadata::image::{ConfigResource, PartitionImage};
use metadata::keys::topic::TopicRecord;
use metadata::keys::{Key, config, partition};
use protocol::types::{BrokerId, LeaderEpoch, Uuid};

use super::{Step, WRITES_MAX, Write, in_steps, min_isr_of};
use crate::state::{State, Values};

/// What is to be created, checked and placed.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTopic {
    pub name: String,
    pub id: Uuid,
    /// The replicas of each partition, the preferred leader first.
    pub assignment: Vec<Vec<BrokerId>>,
    pub configs: Values,
}

/// The steps of one topic; a small one is one step, to be packed with others.
pub fn create_topic(state: &State, topic: NewTopic) -> Vec<Step> {
    let NewTopic { name, id, assignment, configs } = topic;
    let min_isr = |replicas: usize| min_isr_of(state.topic_config(Some(&configs)), replicas);
    let states: Vec<_> = assignment
        .into_iter()
        .map(|replicas| new_partition(state, min_isr(replicas.len()), replicas))
        .collect();
    let record = TopicRecord { topic_id: id, partitions: states.len() as i32 };
    let mut writes: Vec<Write> =
        states.iter().enumerate().map(|(p, state)| partition_write(id, p, state)).collect();
    let mut changes = vec![Change::TopicCreated { name: name.clone(), id }];
    if !configs.is_empty() {
        let resource = ConfigResource::Topic(name.clone());
        writes.push(Write::put(Key::Config(resource.clone()), config::encode(&configs)));
        changes.push(Change::ConfigChanged { resource, values: Arc::new(configs) });
    }
    changes.extend(states.into_iter().enumerate().map(|(p, state)| Change::PartitionChanged {
        topic_id: id,
        partition: p as i32,
        state: Arc::new(state),
    }));
    writes.push(Write::put(Key::Topic(name), record.encode()));
    visible_with_the_last(writes, changes)
}

/// As few steps as hold the writes in their order; the changes belong to the last.
pub(super) fn visible_with_the_last(writes: Vec<Write>, changes: Vec<Change>) -> Vec<Step> {
    let pieces = writes.into_iter().map(|write| Step { writes: vec![write], changes: Vec::new() });
    let mut steps = in_steps(pieces);
    if let Some(last) = steps.last_mut() {
        last.changes = changes;
    }
    debug_assert!(steps.iter().all(|step| step.writes.len() <= WRITES_MAX));
    steps
}

/// A partition that begins now: in sync are the active ones among its replicas, the first that can lead leads.
pub(super) fn new_partition(state: &State, min_isr: i32, replicas: Vec<BrokerId>) -> PartitionImage {
    let isr: Vec<BrokerId> = replicas.iter().copied().filter(|id| state.is_active(*id)).collect();
    let leader = isr.iter().copied().find(|id| state.is_electable(*id));
    PartitionImage {
        directories: vec![Uuid::ZERO; replicas.len()],
        replicas,
        leader: leader.unwrap_or(BrokerId::NONE),
        leader_epoch: LeaderEpoch(0),
        isr,
        partition_epoch: 0,
        min_isr,
        ..PartitionImage::default()
    }
}

pub(super) fn partition_write(topic_id: Uuid, index: usize, state: &PartitionImage) -> Write {
    Write::put(Key::Partition(topic_id, index as i32), partition::encode(state))
}
