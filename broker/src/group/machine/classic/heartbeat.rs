//! Heartbeats, and what happens to a member that was not heard of for its session.

use protocol::ErrorCode;
use protocol::messages::{HeartbeatRequest, HeartbeatResponse};
use protocol::wire::Str;

use super::group::ClassicGroup;
use super::join::failed_join;
use super::state::GroupState;
use crate::group::machine::effects::Port;
use crate::group::machine::notice::Reason;
use crate::group::machine::turn::Turn;

/// A Heartbeat.
pub struct HeartbeatCall {
    pub request: HeartbeatRequest,
    pub port: Port<HeartbeatResponse>,
}

impl ClassicGroup {
    pub fn heartbeat(&mut self, call: HeartbeatCall, turn: &mut Turn<'_>) {
        let error = match self.validate_heartbeat(&call.request) {
            Err(error) => error,
            Ok(()) => {
                self.renew_session(&call.request.member_id, turn);
                match self.state {
                    GroupState::PreparingRebalance => ErrorCode::RebalanceInProgress,
                    _ => ErrorCode::None,
                }
            }
        };
        turn.answer(call.port, HeartbeatResponse { error_code: error.code(), ..Default::default() });
    }

    fn validate_heartbeat(&self, request: &HeartbeatRequest) -> Result<(), ErrorCode> {
        if self.state == GroupState::Dead {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        self.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        Ok(())
    }

    /// The member, or the id that was handed out, was not heard of in time.
    pub fn expire_session(&mut self, id: &str, turn: &mut Turn<'_>) {
        if self.roster.is_pending_join(id) {
            self.remove(id, turn);
            return self.complete_join_if_all_are_in(turn);
        }
        let lost = self.roster.get(id).is_some_and(|member| !member.satisfies_heartbeat());
        if lost {
            self.remove_waiting(id, turn);
            self.rebalance_or_complete(Reason::SessionExpired { member: Str::from(id) }, turn);
        }
    }

    /// Removes a member whose client may still wait for a join; it is told to begin anew.
    pub(super) fn remove_waiting(&mut self, id: &str, turn: &mut Turn<'_>) {
        if let Some(port) = self.roster.unpark_join(id) {
            turn.answer(port, failed_join(Str::default(), ErrorCode::UnknownMemberId));
        }
        if let Some(port) = self.remove(id, turn).and_then(|member| member.awaiting_sync) {
            turn.answer(port, super::sync::failed_sync(ErrorCode::UnknownMemberId));
        }
    }
}
