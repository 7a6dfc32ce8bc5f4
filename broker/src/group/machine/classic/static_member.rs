//! A static member returns without its member id (KIP-345): the new id takes the old one's place, and the old is fenced.
//!
//! In a stable group that costs no rebalance, unless the group would now choose another protocol; the new id is stored
//! before the member learns it.

use protocol::ErrorCode;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use protocol::wire::Str;

use super::group::ClassicGroup;
use super::join::{JoinCall, failed_join};
use super::member::Member;
use super::state::GroupState;
use super::sync::failed_sync;
use crate::group::machine::effects::{Port, Then, Written};
use crate::group::machine::notice::{Notice, Reason};
use crate::group::machine::turn::Turn;

/// A static member's new id is on its way to the log.
pub struct StaticMemberReplaced {
    pub group: Str,
    generation: i32,
    old_member: Str,
    new_member: Str,
    old_leader: Option<Str>,
    old_protocols: Vec<JoinGroupRequestProtocol>,
    old_rebalance_timeout_ms: i32,
    old_session_timeout_ms: i32,
    may_skip_assignment: bool,
}

impl ClassicGroup {
    pub(super) fn replace_static_member(&mut self, call: JoinCall, old_member: Str, turn: &mut Turn<'_>) {
        let new_member = call.fresh_member_id.clone();
        let Some(replaced) = self.note_replacement(&call, old_member.clone(), new_member.clone()) else {
            return;
        };
        turn.notice(self.fenced(&call, &old_member, &new_member));
        self.rename(&old_member, &new_member, turn);
        self.update_member(&call.request, &new_member);
        let reason =
            Reason::Joined { member: new_member.clone(), client_reason: call.request.reason.clone() };
        self.park_join(&new_member, call.port, turn);
        let protocol_stays = self.select_protocol() == self.protocol_name;
        match self.state {
            GroupState::Stable if protocol_stays => {
                let record = self.record_with(|member| member.assignment.clone());
                turn.write(vec![record], Then::StaticMemberReplaced(replaced));
            }
            _ => self.rebalance_or_complete(reason, turn),
        }
    }

    fn note_replacement(
        &self,
        call: &JoinCall,
        old_member: Str,
        new_member: Str,
    ) -> Option<StaticMemberReplaced> {
        let old = self.roster.get(&old_member)?;
        Some(StaticMemberReplaced {
            group: self.id.clone(),
            generation: self.generation,
            old_protocols: old.protocols.clone(),
            old_rebalance_timeout_ms: old.rebalance_timeout_ms,
            old_session_timeout_ms: old.session_timeout_ms,
            old_leader: self.leader.clone(),
            may_skip_assignment: call.may_skip_assignment,
            old_member,
            new_member,
        })
    }

    fn fenced(&self, call: &JoinCall, old_member: &Str, new_member: &Str) -> Notice {
        Notice::Fenced {
            group: self.id.clone(),
            instance_id: call.request.group_instance_id.as_ref().map(Str::detached).unwrap_or_default(),
            old_member: old_member.clone(),
            new_member: new_member.clone(),
        }
    }

    /// The member goes on under another id, leading if it led. Whoever waits under the old id is fenced.
    fn rename(&mut self, old_id: &str, new_id: &Str, turn: &mut Turn<'_>) {
        let led = self.is_leader(old_id);
        self.fence(old_id, turn);
        turn.cancel(&self.session_key(old_id));
        let Some(old) = self.roster.remove(old_id) else { return };
        self.roster.add(Member { id: new_id.clone(), is_new: false, ..old });
        if led {
            self.leader = Some(new_id.clone());
        }
        self.renew_session(new_id, turn);
    }

    fn fence(&mut self, id: &str, turn: &mut Turn<'_>) {
        if let Some(port) = self.roster.unpark_join(id) {
            turn.answer(port, failed_join(Str::from(id), ErrorCode::FencedInstanceId));
        }
        if let Some(port) = self.roster.get_mut(id).and_then(|member| member.awaiting_sync.take()) {
            turn.answer::<SyncGroupResponse>(port, failed_sync(ErrorCode::FencedInstanceId));
        }
    }

    /// The new id is stored, or it is not and the old one returns. Where the group has moved on, the member is answered by
    /// what it moved on to.
    pub fn static_member_stored(
        &mut self,
        replaced: StaticMemberReplaced,
        written: Written,
        turn: &mut Turn<'_>,
    ) {
        let current = self.state == GroupState::Stable && self.generation == replaced.generation;
        if !current || !self.roster.contains(&replaced.new_member) {
            return;
        }
        let port = self.roster.unpark_join(&replaced.new_member);
        match written {
            Ok(_) => self.welcome_back(&replaced, port, turn),
            Err(error) => self.take_back(replaced, error, port, turn),
        }
    }

    fn welcome_back(
        &self,
        replaced: &StaticMemberReplaced,
        port: Option<Port<JoinGroupResponse>>,
        turn: &mut Turn<'_>,
    ) {
        let Some(port) = port else { return };
        let leads = self.is_leader(&replaced.new_member);
        let response = if replaced.may_skip_assignment {
            JoinGroupResponse { skip_assignment: leads, ..self.joined(&replaced.new_member, leads) }
        } else {
            // An older client that is told that it leads would assign anew in the middle of a generation: it is shown the
            // leader of before, which is its own old id.
            let leader = replaced.old_leader.clone().unwrap_or_default();
            JoinGroupResponse { leader, ..self.joined(&replaced.new_member, false) }
        };
        turn.answer(port, response);
    }

    fn take_back(
        &mut self,
        replaced: StaticMemberReplaced,
        error: ErrorCode,
        port: Option<Port<JoinGroupResponse>>,
        turn: &mut Turn<'_>,
    ) {
        turn.notice(Notice::WriteFailed { group: self.id.clone(), error });
        self.roster.set_protocols(&replaced.new_member, replaced.old_protocols);
        if let Some(member) = self.roster.get_mut(&replaced.new_member) {
            member.rebalance_timeout_ms = replaced.old_rebalance_timeout_ms;
            member.session_timeout_ms = replaced.old_session_timeout_ms;
        }
        self.rename(&replaced.new_member, &replaced.old_member, turn);
        if let Some(port) = port {
            turn.answer(port, failed_join(Str::default(), error));
        }
    }
}
