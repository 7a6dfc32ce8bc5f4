//! Who may commit offsets, and when.

use protocol::ErrorCode;

use super::group::ClassicGroup;
use super::state::GroupState;
use crate::group::machine::turn::Turn;

impl ClassicGroup {
    /// A commit without a generation comes from an administrator or from a consumer that assigns its own partitions: the
    /// group must be empty. Else it must be a member's, and of this generation: an old owner's commit would overwrite the
    /// new one's.
    pub fn validate_commit(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
    ) -> Result<(), ErrorCode> {
        if self.state == GroupState::Dead {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        if generation < 0 && self.state == GroupState::Empty {
            return Ok(());
        }
        if generation >= 0 || !member_id.is_empty() || instance_id.is_some() {
            self.validate_member(member_id, instance_id)?;
            if generation != self.generation {
                return Err(ErrorCode::IllegalGeneration);
            }
        } else if self.state != GroupState::Empty {
            return Err(ErrorCode::UnknownMemberId);
        }
        match self.state {
            GroupState::CompletingRebalance => Err(ErrorCode::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// A member that commits is alive.
    pub fn note_commit(&self, member_id: &str, turn: &mut Turn<'_>) {
        if matches!(self.state, GroupState::Stable | GroupState::PreparingRebalance) {
            self.renew_session(member_id, turn);
        }
    }
}
