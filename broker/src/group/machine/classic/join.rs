//! JoinGroup: a member asks to be part of the next generation, or what the present one is.

use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::join_group_response::JoinGroupResponseMember;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use protocol::wire::Str;

use super::group::ClassicGroup;
use super::member::{Client, Member, millis, owned_protocols};
use super::state::GroupState;
use crate::group::machine::effects::Port;
use crate::group::machine::notice::Reason;
use crate::group::machine::turn::Turn;

/// How long a member that does not know its id yet may wait in a rebalance: a client that went away and asks again would
/// otherwise leave one such member behind each time.
const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The most ids of one group that were handed out and did not come back.
const PENDING_MEMBERS_MAX: usize = 10_000;

/// A JoinGroup and what the coordinator adds to it.
pub struct JoinCall {
    pub request: JoinGroupRequest,
    pub client: Client,
    /// What the member is called if it brings no id.
    pub fresh_member_id: Str,
    /// It must come back with its id before it becomes a member (KIP-394): from version 4.
    pub member_id_required: bool,
    /// It understands that it leads and yet need not assign (KIP-814): from version 9.
    pub may_skip_assignment: bool,
    pub port: Port<JoinGroupResponse>,
}

impl ClassicGroup {
    pub fn join(&mut self, call: JoinCall, turn: &mut Turn<'_>) {
        if !self.accepts(&call.request, turn.settings.max_size) {
            self.remove(&call.request.member_id, turn);
            refuse(call, Str::default(), ErrorCode::GroupMaxSizeReached, turn);
            self.complete_join_if_all_are_in(turn);
        } else if call.request.member_id.is_empty() {
            self.join_for_the_first_time(call, turn);
        } else {
            self.join_with_id(call, turn);
        }
    }

    /// In a rebalance those that wait are counted, so that the last to return are turned away where `group.max.size` was
    /// lowered; else the members are.
    fn accepts(&self, request: &JoinGroupRequest, size_max: usize) -> bool {
        let member = self.roster.get(&request.member_id);
        match self.state {
            GroupState::Empty | GroupState::Dead => self.has_room_for_pending(request),
            GroupState::PreparingRebalance => {
                member.is_some_and(Member::is_awaiting_join)
                    || (self.roster.awaiting_join_count() < size_max && self.has_room_for_pending(request))
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                member.is_some() || (self.roster.len() < size_max && self.has_room_for_pending(request))
            }
        }
    }

    fn has_room_for_pending(&self, request: &JoinGroupRequest) -> bool {
        !request.member_id.is_empty() || self.roster.pending_join_count() < PENDING_MEMBERS_MAX
    }

    fn join_for_the_first_time(&mut self, call: JoinCall, turn: &mut Turn<'_>) {
        if let Err(error) = self.validate_protocols(&call.request) {
            return refuse(call, Str::default(), error, turn);
        }
        let instance_id = call.request.group_instance_id.as_deref();
        let holder = instance_id.and_then(|instance_id| self.roster.static_id(instance_id)).cloned();
        let id = call.fresh_member_id.clone();
        match (holder, instance_id) {
            (Some(holder), _) => self.replace_static_member(call, holder, turn),
            (None, None) if call.member_id_required => self.hand_out_id(call, turn),
            (None, _) => self.add_member(call, id, turn),
        }
    }

    /// The member is told its id and expected back with it within its session.
    fn hand_out_id(&mut self, call: JoinCall, turn: &mut Turn<'_>) {
        let id = call.fresh_member_id.clone();
        self.roster.await_join_of(id.clone());
        self.restart_session(&id, millis(call.request.session_timeout_ms), turn);
        refuse(call, id, ErrorCode::MemberIdRequired, turn);
    }

    fn join_with_id(&mut self, call: JoinCall, turn: &mut Turn<'_>) {
        let id = call.request.member_id.clone();
        let instance_id = call.request.group_instance_id.as_deref();
        let checked = self.validate_protocols(&call.request).and_then(|()| {
            let returns = instance_id.is_none() && self.roster.is_pending_join(&id);
            if returns { Ok(()) } else { self.validate_member(&id, instance_id) }
        });
        match checked {
            Err(error) => refuse(call, id, error, turn),
            Ok(()) if self.roster.is_pending_join(&id) => self.add_member(call, id.detached(), turn),
            Ok(()) => self.rejoin(call, id, turn),
        }
    }

    fn validate_protocols(&self, request: &JoinGroupRequest) -> Result<(), ErrorCode> {
        if self.state == GroupState::Dead {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let names = request.protocols.iter().map(|spoken| &spoken.name);
        if !self.supports(&request.protocol_type, names) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    /// A member joins again. It starts a rebalance if it changed what it says, or if it leads: a leader that joins wants
    /// to assign anew. Else it missed the response, which it gets again.
    fn rejoin(&mut self, call: JoinCall, id: Str, turn: &mut Turn<'_>) {
        let unchanged = self.roster.get(&id).is_some_and(|member| member.protocols == call.request.protocols);
        match self.state {
            GroupState::CompletingRebalance if unchanged => {
                let response = self.joined(&id, self.is_leader(&id));
                turn.answer(call.port, response);
            }
            GroupState::Stable if unchanged && !self.is_leader(&id) => {
                let response = self.joined(&id, false);
                turn.answer(call.port, response);
            }
            _ => self.update_and_rebalance(call, &id, turn),
        }
    }

    fn update_and_rebalance(&mut self, call: JoinCall, id: &str, turn: &mut Turn<'_>) {
        let reason = Reason::Joined { member: Str::from(id), client_reason: call.request.reason.clone() };
        self.update_member(&call.request, id);
        self.park_join(id, call.port, turn);
        self.rebalance_or_complete(reason, turn);
    }

    /// Takes over what a known member says of itself.
    pub(super) fn update_member(&mut self, request: &JoinGroupRequest, id: &str) {
        self.roster.set_protocols(id, owned_protocols(&request.protocols));
        if let Some(member) = self.roster.get_mut(id) {
            member.rebalance_timeout_ms = request.rebalance_timeout_ms;
            member.session_timeout_ms = request.session_timeout_ms;
        }
    }

    /// Parks a join. A request that it replaces is told to join again, should anybody still wait for it.
    pub(super) fn park_join(&mut self, id: &str, port: Port<JoinGroupResponse>, turn: &mut Turn<'_>) {
        if let Some(replaced) = self.roster.park_join(id, port) {
            turn.answer(replaced, failed_join(Str::from(id), ErrorCode::RebalanceInProgress));
        }
    }

    fn add_member(&mut self, call: JoinCall, id: Str, turn: &mut Turn<'_>) {
        let reason = Reason::Joined { member: id.clone(), client_reason: call.request.reason.clone() };
        let (member, protocol_type) = new_member(&call, id.clone());
        if let Some(delay) = &mut self.initial_delay {
            delay.members_were_added = true;
        }
        self.add(member, &protocol_type);
        self.park_join(&id, call.port, turn);
        self.restart_session(&id, NEW_MEMBER_JOIN_TIMEOUT, turn);
        self.rebalance_or_complete(reason, turn);
    }

    /// What a member learns of the present generation; its leader learns who the others are.
    pub(super) fn joined(&self, member_id: &str, with_members: bool) -> JoinGroupResponse {
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: Str::from(member_id),
            members: if with_members { self.subscriptions() } else { Vec::new() },
            ..Default::default()
        }
    }

    fn subscriptions(&self) -> Vec<JoinGroupResponseMember> {
        let protocol = self.protocol_name.clone().unwrap_or_default();
        let shown = |member: &Member| JoinGroupResponseMember {
            member_id: member.id.clone(),
            group_instance_id: member.instance_id.clone(),
            metadata: member.metadata(&protocol),
        };
        self.roster.iter().map(shown).collect()
    }
}

/// A JoinGroup that failed for this member.
pub fn failed_join(member_id: Str, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse { error_code: error.code(), protocol_name: None, member_id, ..Default::default() }
}

fn refuse(call: JoinCall, member_id: Str, error: ErrorCode, turn: &mut Turn<'_>) {
    turn.answer(call.port, failed_join(member_id, error));
}

fn new_member(call: &JoinCall, id: Str) -> (Member, Str) {
    let request = &call.request;
    let member = Member {
        id,
        instance_id: request.group_instance_id.as_ref().map(Str::detached),
        client: Client { id: call.client.id.detached(), host: call.client.host.clone() },
        rebalance_timeout_ms: request.rebalance_timeout_ms,
        session_timeout_ms: request.session_timeout_ms,
        protocols: owned_protocols(&request.protocols),
        assignment: Bytes::new(),
        awaiting_join: None,
        awaiting_sync: None,
        is_new: true,
    };
    (member, request.protocol_type.detached())
}
