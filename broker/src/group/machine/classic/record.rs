//! A group as its record in the log keeps it, and back.

use bytes::Bytes;
use protocol::messages::GroupMetadataValue;
use protocol::messages::group_metadata_value::MemberMetadata;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::wire::Str;

use super::group::ClassicGroup;
use super::member::{Client, Member};
use super::roster::Roster;
use super::state::GroupState;
use crate::group::machine::notice::Reason;
use crate::group::machine::records::CoordinatorRecord;
use crate::group::machine::turn::Turn;

/// What the log says where a moment is not known.
const UNKNOWN_TIMESTAMP: i64 = -1;

/// What the log says where a member's rebalance time-out was not written: its session's is meant.
const SAME_AS_SESSION: i32 = -1;

impl ClassicGroup {
    /// The group's record, with these assignments.
    pub(super) fn record_with(&self, assignment: impl Fn(&Member) -> Bytes) -> CoordinatorRecord {
        let protocol = self.protocol_name.clone().unwrap_or_default();
        let kept = |member: &Member| MemberMetadata {
            member_id: member.id.clone(),
            group_instance_id: member.instance_id.clone(),
            client_id: member.client.id.clone(),
            client_host: member.client.host.clone(),
            rebalance_timeout: member.rebalance_timeout_ms,
            session_timeout: member.session_timeout_ms,
            subscription: member.metadata(&protocol),
            assignment: assignment(member),
        };
        let value = GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol_name.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.state_since_ms.unwrap_or(UNKNOWN_TIMESTAMP),
            members: self.roster.iter().map(kept).collect(),
        };
        CoordinatorRecord::Group { group: self.id.clone(), value }
    }

    /// The record of a group that nobody is a member of yet.
    pub fn record_of_new(&self) -> CoordinatorRecord {
        let since_ms = self.state_since_ms.unwrap_or(UNKNOWN_TIMESTAMP);
        let value = GroupMetadataValue {
            protocol: None,
            leader: None,
            current_state_timestamp: since_ms,
            ..Default::default()
        };
        CoordinatorRecord::Group { group: self.id.clone(), value }
    }

    /// The group that a record describes: stable if it has members, whose sessions begin when the log is read.
    pub fn from_record(id: Str, value: &GroupMetadataValue) -> ClassicGroup {
        let roster = loaded_roster(value);
        let leader = value.leader.as_ref().filter(|leader| roster.contains(leader)).map(Str::detached);
        ClassicGroup {
            id,
            state: if roster.is_empty() { GroupState::Empty } else { GroupState::Stable },
            state_since_ms: Some(value.current_state_timestamp).filter(|at| *at != UNKNOWN_TIMESTAMP),
            generation: value.generation,
            protocol_type: Some(value.protocol_type.detached()).filter(|kind| !kind.is_empty()),
            protocol_name: value.protocol.as_ref().map(Str::detached),
            leader: leader.or_else(|| roster.first_id().cloned()),
            roster,
            initial_delay: None,
        }
    }

    /// The log is read: members have their sessions from now on, and too many of them must agree anew.
    pub fn on_loaded(&mut self, turn: &mut Turn<'_>) {
        let sessions: Vec<_> =
            self.roster.iter().map(|member| (member.id.clone(), member.session_timeout())).collect();
        for (id, session) in sessions {
            self.restart_session(&id, session, turn);
        }
        if self.roster.len() > turn.settings.max_size {
            self.prepare_rebalance(Reason::OverCapacity { size_max: turn.settings.max_size }, turn);
        }
    }
}

/// A member whose id or instance stands twice in the record is taken once.
fn loaded_roster(value: &GroupMetadataValue) -> Roster {
    let mut roster = Roster::default();
    for member in value.members.iter().map(|member| loaded_member(value, member)) {
        let taken =
            member.instance_id.as_deref().is_some_and(|instance_id| roster.static_id(instance_id).is_some());
        if !taken && !roster.contains(&member.id) {
            roster.add(member);
        }
    }
    roster
}

fn loaded_member(value: &GroupMetadataValue, member: &MemberMetadata) -> Member {
    let rebalance_timeout_ms = match member.rebalance_timeout {
        SAME_AS_SESSION => member.session_timeout,
        millis => millis,
    };
    let spoken = JoinGroupRequestProtocol {
        name: value.protocol.as_ref().map(Str::detached).unwrap_or_default(),
        metadata: Bytes::copy_from_slice(&member.subscription),
    };
    Member {
        id: member.member_id.detached(),
        instance_id: member.group_instance_id.as_ref().map(Str::detached),
        client: Client { id: member.client_id.detached(), host: member.client_host.detached() },
        rebalance_timeout_ms,
        session_timeout_ms: member.session_timeout,
        protocols: vec![spoken],
        assignment: Bytes::copy_from_slice(&member.assignment),
        awaiting_join: None,
        awaiting_sync: None,
        is_new: false,
    }
}
