//! SyncGroup: the leader brings the assignment, everybody fetches his part of it.
//!
//! The assignment is handed out once its record is committed, and only if the group is still in the generation that it was
//! made for (safety rule 11).

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::{SyncGroupRequest, SyncGroupResponse};
use protocol::wire::Str;

use super::group::ClassicGroup;
use super::state::GroupState;
use crate::group::machine::effects::{Port, Then, Written};
use crate::group::machine::notice::Notice;
use crate::group::machine::turn::Turn;

/// A SyncGroup.
pub struct SyncCall {
    pub request: SyncGroupRequest,
    pub port: Port<SyncGroupResponse>,
}

/// The leader's assignment is on its way to the log.
pub struct AssignmentStored {
    pub group: Str,
    generation: i32,
    assignment: BTreeMap<Str, Bytes>,
}

impl ClassicGroup {
    pub fn sync(&mut self, call: SyncCall, turn: &mut Turn<'_>) {
        if let Err(error) = self.validate_sync(&call.request) {
            return turn.answer(call.port, failed_sync(error));
        }
        let id = call.request.member_id.clone();
        match self.state {
            GroupState::Stable => {
                self.note_sync(&id, turn);
                let response = self.assigned(&id);
                turn.answer(call.port, response);
            }
            GroupState::CompletingRebalance => {
                self.note_sync(&id, turn);
                self.park_sync(&id, call.port, turn);
                if self.is_leader(&id) {
                    self.store_assignment(&call.request, turn);
                }
            }
            GroupState::PreparingRebalance => {
                turn.answer(call.port, failed_sync(ErrorCode::RebalanceInProgress))
            }
            GroupState::Empty | GroupState::Dead => {
                turn.answer(call.port, failed_sync(ErrorCode::UnknownMemberId))
            }
        }
    }

    fn validate_sync(&self, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
        match self.state {
            GroupState::Empty => return Err(ErrorCode::UnknownMemberId),
            GroupState::Dead => return Err(ErrorCode::CoordinatorNotAvailable),
            _ => {}
        }
        self.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |said: &Option<Str>, ours: &Option<Str>| said.is_some() && said != ours;
        if differs(&request.protocol_type, &self.protocol_type)
            || differs(&request.protocol_name, &self.protocol_name)
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn note_sync(&mut self, id: &str, turn: &mut Turn<'_>) {
        if self.roster.note_sync(id) {
            turn.cancel(&self.sync_key());
        }
    }

    fn park_sync(&mut self, id: &str, port: Port<SyncGroupResponse>, turn: &mut Turn<'_>) {
        let replaced = self.roster.get_mut(id).and_then(|member| member.awaiting_sync.replace(port));
        if let Some(replaced) = replaced {
            turn.answer(replaced, failed_sync(ErrorCode::RebalanceInProgress));
        }
    }

    /// Members that the leader forgot get an empty assignment; assignments of strangers are dropped.
    fn store_assignment(&mut self, request: &SyncGroupRequest, turn: &mut Turn<'_>) {
        let given = request.assignments.iter().filter(|given| self.roster.contains(&given.member_id));
        let assignment: BTreeMap<Str, Bytes> = given
            .map(|given| (given.member_id.detached(), Bytes::copy_from_slice(&given.assignment)))
            .collect();
        let record = self.record_with(|member| assignment.get(&member.id).cloned().unwrap_or_default());
        let stored = AssignmentStored { group: self.id.clone(), generation: self.generation, assignment };
        turn.write(vec![record], Then::AssignmentStored(stored));
    }

    /// The assignment is stored, so everybody may have it; or it is not, and whoever asked has to ask again. The generation
    /// stands for that: another would have to be stored too, and on a full disk one would follow the other (Apache Kafka
    /// rebalances here).
    pub fn assignment_stored(&mut self, stored: AssignmentStored, written: Written, turn: &mut Turn<'_>) {
        if self.state != GroupState::CompletingRebalance || self.generation != stored.generation {
            return;
        }
        match written {
            Ok(_) => self.hand_out(stored.assignment, turn),
            Err(error) => {
                turn.notice(Notice::WriteFailed { group: self.id.clone(), error });
                self.refuse_syncs(error, turn);
                self.roster.await_all_syncs();
                turn.schedule(self.sync_key(), self.rebalance_timeout());
            }
        }
    }

    fn hand_out(&mut self, mut assignment: BTreeMap<Str, Bytes>, turn: &mut Turn<'_>) {
        for member in self.roster.iter_mut() {
            member.assignment = assignment.remove(&member.id).unwrap_or_default();
        }
        self.transition_to(GroupState::Stable, turn.now);
        turn.notice(Notice::Stabilized {
            group: self.id.clone(),
            generation: self.generation,
            members: self.roster.len(),
        });
        for (id, port) in self.take_parked_syncs() {
            let response = self.assigned(&id);
            turn.answer(port, response);
            self.renew_session(&id, turn);
        }
    }

    pub(super) fn take_parked_syncs(&mut self) -> Vec<(Str, Port<SyncGroupResponse>)> {
        let parked =
            |member: &mut super::member::Member| Some((member.id.clone(), member.awaiting_sync.take()?));
        self.roster.iter_mut().filter_map(parked).collect()
    }

    fn assigned(&self, id: &str) -> SyncGroupResponse {
        SyncGroupResponse {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            assignment: self.roster.get(id).map(|member| member.assignment.clone()).unwrap_or_default(),
            ..Default::default()
        }
    }
}

/// A SyncGroup that failed.
pub fn failed_sync(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code: error.code(), ..Default::default() }
}
