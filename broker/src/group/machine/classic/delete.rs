//! Who may take offsets away from the group, and the group's own end.

use protocol::ErrorCode;

use super::group::ClassicGroup;
use super::state::GroupState;
use super::subscription::CONSUMER;
use crate::group::machine::turn::Now;

impl ClassicGroup {
    /// Offsets of a group with members may go only if the coordinator can see what they consume.
    pub fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        match self.state {
            GroupState::Dead => Err(ErrorCode::GroupIdNotFound),
            GroupState::Empty => Ok(()),
            _ if self.protocol_type.as_deref() == Some(CONSUMER) => Ok(()),
            _ => Err(ErrorCode::NonEmptyGroup),
        }
    }

    pub fn validate_delete(&self) -> Result<(), ErrorCode> {
        match self.state {
            GroupState::Dead => Err(ErrorCode::GroupIdNotFound),
            GroupState::Empty => Ok(()),
            _ => Err(ErrorCode::NonEmptyGroup),
        }
    }

    /// Nobody may join or commit while the tombstone is written.
    pub fn begin_delete(&mut self, now: Now) {
        self.transition_to(GroupState::Dead, now);
    }

    /// The tombstone was not written: the group lives on, as empty as it was.
    pub fn revive(&mut self, now: Now) {
        if self.state == GroupState::Dead {
            self.transition_to(GroupState::Empty, now);
        }
    }
}
