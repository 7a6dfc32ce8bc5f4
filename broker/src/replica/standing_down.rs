//! What a leader does that a follower has left for a later epoch, before the controller has said so itself: it stands down.
//!
//! A leader that is cut off from the controllers alone would let its clients wait for acknowledgements that can't come. It
//! refuses them instead, and they look for the next leader. It becomes nothing else by that, and decides nothing; its log
//! stays as it is. What only followers say is believed for a while (`UNCONFIRMED_MAX`), and of replicas alone.

use std::time::Instant;

use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch};

use super::partition::{Partition, State};
use super::read::{Reach, Read};
use super::role::{LaterEpoch, Role};

impl Partition {
    /// Hears the epoch by which a follower reads.
    pub(super) fn hear_epoch(&self, state: &mut State, read: &Read) {
        let (Reach::LogEnd(follower), Some(epoch)) = (read.reach, read.expected_epoch) else { return };
        if state.hear_of_later_epoch(self.broker, follower, LaterEpoch { epoch, heard_at: read.asked_at }) {
            tracing::warn!(partition = %self.at, %follower, %epoch, "stands down: a replica follows a later epoch");
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
