//! What a leader does that a follower has left for a later epoch, before the controller has said so itself: it stands down.
//!
//! A leader that is cut off from the controllers alone would let its clients wait for acknowledgements that can't come. It
//! refuses them instead, and names itself no more, so that they look for the next leader. It becomes nothing else by that, and
//! decides nothing; its log stays as it is. What only followers say is believed for a while (`UNCONFIRMED_MAX`), and of
//! replicas alone.

use std::collections::BTreeMap;
use std::time::Instant;

use parking_lot::RwLock;
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch};
use storage::TopicPartition;

use super::Replicas;
use super::partition::{Partition, State};
use super::read::{Reach, Read};
use super::role::{LaterEpoch, Role, is_believed};

/// The partitions that were led here, by the epoch that has been stood down from, and since when.
#[derive(Debug, Default)]
pub struct StoodDown {
    from: RwLock<BTreeMap<TopicPartition, (LeaderEpoch, Instant)>>,
}

impl StoodDown {
    fn note(&self, at: &TopicPartition, from: LeaderEpoch, now: Instant) {
        let mut all = self.from.write();
        all.retain(|_, (_, since)| is_believed(*since, now));
        all.insert(at.clone(), (from, now));
    }

    pub(super) fn at(&self, now: Instant) -> BTreeMap<TopicPartition, LeaderEpoch> {
        let all = self.from.read();
        let believed = all.iter().filter(|(_, (_, since))| is_believed(*since, now));
        believed.map(|(at, (from, _))| (at.clone(), *from)).collect()
    }
}

impl Replicas {
    /// The leader epochs that this broker leads by no more, whatever an image says that knows of no later one.
    pub fn stood_down(&self) -> BTreeMap<TopicPartition, LeaderEpoch> {
        self.stood_down.at(Instant::now())
    }
}

impl Partition {
    /// Hears the epoch by which a follower reads.
    pub(super) fn hear_epoch(&self, state: &mut State, read: &Read) {
        let (Reach::LogEnd(follower), Some(epoch)) = (read.reach, read.expected_epoch) else { return };
        let led = state.role.epoch();
        if state.hear_of_later_epoch(self.broker, follower, LaterEpoch { epoch, heard_at: read.asked_at }) {
            tracing::warn!(partition = %self.at, %follower, %epoch, "stands down: a replica follows a later epoch");
            self.stood_down.note(&self.at, led, read.asked_at);
        }
    }
}

impl State {
    /// Stands down where one of the other replicas knows a later epoch; whether it stood until now.
    fn hear_of_later_epoch(&mut self, this: BrokerId, from: BrokerId, later: LaterEpoch) -> bool {
        let Role::Leader(leader) = &mut self.role else { return false };
        let is_replica = from != this && leader.replicas.contains(&from);
        if !is_replica || !leader.stand_down(later) {
            return false;
        }
        self.acks.fail(ErrorCode::NotLeaderOrFollower);
        self.fetches.wake_all();
        true
    }

    /// The later epoch for which this replica leads no more, though no image says so yet.
    pub(super) fn later_epoch(&self) -> Option<LeaderEpoch> {
        let Role::Leader(leader) = &self.role else { return None };
        // Most never hear of one, and need not look at the clock.
        leader.later.as_ref()?;
        leader.later_epoch(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::role::UNCONFIRMED_MAX;

    #[test]
    fn what_nobody_confirms_is_forgotten() {
        let (stood_down, began) = (StoodDown::default(), Instant::now());
        let (one, two) = (TopicPartition::new("t", 1), TopicPartition::new("t", 2));
        stood_down.note(&one, LeaderEpoch(4), began);
        assert_eq!(stood_down.at(began), [(one.clone(), LeaderEpoch(4))].into());
        stood_down.note(&one, LeaderEpoch(6), began + UNCONFIRMED_MAX / 2);
        assert_eq!(stood_down.at(began + UNCONFIRMED_MAX), [(one, LeaderEpoch(6))].into());
        let later = began + 2 * UNCONFIRMED_MAX;
        assert!(stood_down.at(later).is_empty());
        stood_down.note(&two, LeaderEpoch(1), later);
        assert_eq!(stood_down.from.read().len(), 1, "nor is it kept");
    }
}
