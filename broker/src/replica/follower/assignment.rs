//! What to follow, and of whom: from one image to the next. Pure.

use std::sync::Arc;

use metadata::image::{ClusterImage, PartitionImage, TopicImage};
use protocol::types::{BrokerId, LeaderEpoch};

use super::ask::PartitionKey;

/// By which kind of connection a partition is fetched. What catches up comes in large pieces, and must not stand in the way of
/// what acknowledgements wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    InSync,
    CatchingUp,
}

/// One step from what is followed to what is to be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Follow { key: PartitionKey, leader: BrokerId, leader_epoch: LeaderEpoch, lane: Lane },
    Unfollow(PartitionKey),
}

impl Change {
    pub fn key(&self) -> PartitionKey {
        match self {
            Change::Follow { key, .. } | Change::Unfollow(key) => *key,
        }
    }
}

/// What `this` broker follows in `new` otherwise than in `old`. Topics that did not change are not looked into.
pub fn changes(this: BrokerId, old: &ClusterImage, new: &ClusterImage) -> Vec<Change> {
    let mut changes = Vec::new();
    for topic in old.topics.values().filter(|topic| new.topic_by_id(topic.id).is_none()) {
        compare(this, Some(topic), None, &mut changes);
    }
    for topic in new.topics.values() {
        let before = old.topic_by_id(topic.id);
        if before.is_none_or(|before| !Arc::ptr_eq(before, topic)) {
            compare(this, before.map(Arc::as_ref), Some(topic), &mut changes);
        }
    }
    changes
}

fn compare(this: BrokerId, old: Option<&TopicImage>, new: Option<&TopicImage>, changes: &mut Vec<Change>) {
    let Some(id) = new.or(old).map(|topic| topic.id) else { return };
    let count = |topic: Option<&TopicImage>| topic.map_or(0, |topic| topic.partitions.len());
    for (index, at) in (0..).zip(0..count(old).max(count(new))) {
        let followed = |topic: Option<&TopicImage>| leader_to_follow(this, topic?.partitions.get(at)?);
        let (before, after) = (followed(old), followed(new));
        let key = PartitionKey { topic: id, index };
        match after {
            _ if before == after => {}
            Some((leader, leader_epoch, lane)) => {
                changes.push(Change::Follow { key, leader, leader_epoch, lane });
            }
            None => changes.push(Change::Unfollow(key)),
        }
    }
}

fn leader_to_follow(this: BrokerId, partition: &PartitionImage) -> Option<(BrokerId, LeaderEpoch, Lane)> {
    let follows = partition.replicas.contains(&this) && partition.has_leader() && partition.leader != this;
    let lane = if partition.isr.contains(&this) { Lane::InSync } else { Lane::CatchingUp };
    follows.then_some((partition.leader, partition.leader_epoch, lane))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::types::Uuid;

    const ME: BrokerId = BrokerId(2);
    const ID: Uuid = Uuid([7; 16]);

    /// Partitions as (leader, leader epoch), replicas 1 to 3.
    fn image(partitions: &[(i32, i32)]) -> ClusterImage {
        let partition = |&(leader, epoch): &(i32, i32)| {
            Arc::new(PartitionImage {
                replicas: vec![BrokerId(1), ME, BrokerId(3)],
                isr: vec![BrokerId(1), ME],
                leader: BrokerId(leader),
                leader_epoch: LeaderEpoch(epoch),
                ..PartitionImage::default()
            })
        };
        let partitions = partitions.iter().map(partition).collect();
        let topic = TopicImage { name: "t".into(), id: ID, partitions };
        ClusterImage {
            topics: [("t".to_owned(), Arc::new(topic))].into(),
            topic_names: [(ID, "t".to_owned())].into(),
            ..ClusterImage::default()
        }
    }

    fn follow(index: i32, leader: i32, epoch: i32) -> Change {
        let key = PartitionKey { topic: ID, index };
        let (leader, leader_epoch) = (BrokerId(leader), LeaderEpoch(epoch));
        Change::Follow { key, leader, leader_epoch, lane: Lane::InSync }
    }

    #[test]
    fn what_others_lead_is_followed() {
        let none = ClusterImage::default();
        assert_eq!(
            changes(ME, &none, &image(&[(1, 0), (2, 0), (-1, 3), (3, 5)])),
            [follow(0, 1, 0), follow(3, 3, 5)]
        );
        assert_eq!(changes(BrokerId(9), &none, &image(&[(1, 0)])), []);
    }

    #[test]
    fn what_falls_out_of_sync_changes_its_lane_and_comes_back() {
        let (in_sync, mut lagging) = (image(&[(1, 0)]), image(&[(1, 0)]));
        let topic = Arc::make_mut(lagging.topics.get_mut("t").expect("it is there"));
        Arc::make_mut(&mut topic.partitions[0]).isr.retain(|id| *id != ME);
        let Change::Follow { key, leader, leader_epoch, .. } = follow(0, 1, 0) else { panic!("it follows") };
        let moved = Change::Follow { key, leader, leader_epoch, lane: Lane::CatchingUp };
        assert_eq!(changes(ME, &in_sync, &lagging), [moved]);
        assert_eq!(changes(ME, &lagging, &in_sync), [follow(0, 1, 0)]);
    }

    #[test]
    fn a_new_epoch_is_followed_anew_and_what_is_led_or_gone_no_more() {
        let gone = |index| Change::Unfollow(PartitionKey { topic: ID, index });
        let (old, new) = (image(&[(1, 0), (1, 0), (1, 0)]), image(&[(1, 0), (1, 1), (2, 1)]));
        assert_eq!(changes(ME, &old, &new), [follow(1, 1, 1), gone(2)]);
        assert_eq!(changes(ME, &old, &ClusterImage::default()).len(), 3);
        assert_eq!(changes(ME, &old, &old.clone()), []);
    }
}
