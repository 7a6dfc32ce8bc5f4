//! LeaveGroup: members go, or are removed by an administrator who names their instances.

use protocol::ErrorCode;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::leave_group_response::MemberResponse;
use protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};
use protocol::wire::Str;

use super::group::ClassicGroup;
use super::state::GroupState;
use crate::group::machine::effects::{Port, Then};
use crate::group::machine::notice::Reason;
use crate::group::machine::turn::Turn;

/// A LeaveGroup; `members` is filled in by every version.
pub struct LeaveCall {
    pub request: LeaveGroupRequest,
    pub port: Port<LeaveGroupResponse>,
}

impl ClassicGroup {
    /// Where the last member leaves, the answer waits until the empty group is stored.
    pub fn leave(&mut self, call: LeaveCall, turn: &mut Turn<'_>) {
        if self.state == GroupState::Dead {
            let error_code = ErrorCode::CoordinatorNotAvailable.code();
            return turn.answer(call.port, LeaveGroupResponse { error_code, ..Default::default() });
        }
        let left: Vec<_> =
            call.request.members.iter().map(|leaving| self.remove_leaving(leaving, turn)).collect();
        let writes_before = turn.effects.writes.len();
        if left.contains(&ErrorCode::None) {
            self.go_on_without(&call.request, turn);
        }
        let members =
            call.request.members.iter().zip(left).map(|(leaving, error)| told(leaving, error)).collect();
        let response = LeaveGroupResponse { members, ..Default::default() };
        if turn.effects.writes.len() > writes_before {
            turn.write(Vec::new(), Then::Settle(call.port.settle(response)));
        } else {
            turn.answer(call.port, response);
        }
    }

    fn remove_leaving(&mut self, leaving: &MemberIdentity, turn: &mut Turn<'_>) -> ErrorCode {
        match self.find_leaving(leaving) {
            Ok(id) => {
                self.remove_waiting(&id, turn);
                ErrorCode::None
            }
            Err(error) => error,
        }
    }

    fn find_leaving(&self, leaving: &MemberIdentity) -> Result<Str, ErrorCode> {
        let instance_id = leaving.group_instance_id.as_deref();
        if leaving.member_id.is_empty() {
            let holder = instance_id.and_then(|instance_id| self.roster.static_id(instance_id));
            return holder.cloned().ok_or(ErrorCode::UnknownMemberId);
        }
        if !self.roster.is_pending_join(&leaving.member_id) {
            self.validate_member(&leaving.member_id, instance_id)?;
        }
        Ok(leaving.member_id.clone())
    }

    fn go_on_without(&mut self, request: &LeaveGroupRequest, turn: &mut Turn<'_>) {
        let client_reason = request.members.iter().find_map(|leaving| leaving.reason.clone());
        match self.state {
            GroupState::Stable | GroupState::CompletingRebalance | GroupState::PreparingRebalance => {
                self.rebalance_or_complete(Reason::Left { client_reason }, turn);
            }
            GroupState::Empty | GroupState::Dead => {}
        }
    }
}

fn told(leaving: &MemberIdentity, error: ErrorCode) -> MemberResponse {
    MemberResponse {
        member_id: leaving.member_id.clone(),
        group_instance_id: leaving.group_instance_id.clone(),
        error_code: error.code(),
    }
}
