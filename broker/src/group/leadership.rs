//! Which shards this broker runs: those of the partitions of `__consumer_offsets` that the image says it leads.

use std::sync::Arc;

use metadata::image::{ClusterImage, PartitionImage, TopicImage};
use protocol::types::BrokerId;
use protocol::wire::Str;

use super::{DeletedTopic, GroupCoordinator};
use crate::api::topic_names::GROUP_METADATA_TOPIC;

/// Starts and ends shards, and has the offsets of deleted topics forgotten. Must be called inside the runtime, once the
/// replicas have taken their roles.
pub fn follow(groups: &Arc<GroupCoordinator>, broker: BrokerId, old: &ClusterImage, new: &ClusterImage) {
    let (before, now) = (old.topic(GROUP_METADATA_TOPIC), new.topic(GROUP_METADATA_TOPIC));
    let partitions = |topic: Option<&Arc<TopicImage>>| topic.map_or(0, |topic| topic.partitions.len());
    if let Ok(count @ 1..) = i32::try_from(partitions(now)) {
        groups.on_partitions(count);
    }
    for (index, place) in (0..).zip(0..partitions(before).max(partitions(now))) {
        let state = |topic: Option<&Arc<TopicImage>>| topic.and_then(|t| t.partitions.get(place)).cloned();
        let (before, now) = (state(before), state(now));
        let epoch = |state: &PartitionImage| (state.leader == broker).then_some(state.leader_epoch);
        let (led, leads) = (before.as_deref().and_then(epoch), now.as_deref().and_then(epoch));
        if led != leads {
            groups.on_leadership(index, leads);
        }
    }
    forget_deleted(groups, old, new);
}

fn forget_deleted(groups: &Arc<GroupCoordinator>, old: &ClusterImage, new: &ClusterImage) {
    let gone = old.topics.values().filter(|topic| !new.topic_names.contains_key(&topic.id));
    let deleted: Vec<DeletedTopic> =
        gone.map(|topic| DeletedTopic { name: Str::from(topic.name.as_str()), id: topic.id }).collect();
    if !deleted.is_empty() {
        let groups = groups.clone();
        tokio::spawn(async move { groups.on_topics_deleted(deleted).await });
    }
}
