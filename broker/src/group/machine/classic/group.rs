//! One classic group: its state, its generation and its members.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::wire::Str;

use super::member::{Member, millis};
use super::rebalance::InitialDelay;
use super::roster::Roster;
use super::state::GroupState;
use crate::group::machine::turn::{Now, TimerKey, Turn};

/// Larger groups are not checked after each step: that would take longer than the steps.
const CHECKED_MEMBERS_MAX: usize = 50;

/// One classic group.
pub struct ClassicGroup {
    pub(super) id: Str,
    pub(super) state: GroupState,
    /// Since when it is in its state, by the wall clock; not known of groups that old versions of Kafka wrote.
    pub(super) state_since_ms: Option<i64>,
    /// Counts the rebalances that were completed.
    pub(super) generation: i32,
    /// What its members are: `consumer`, `connect`. None for a group that only ever committed offsets.
    pub(super) protocol_type: Option<Str>,
    /// The assignor that this generation agreed on; none while there are no members.
    pub(super) protocol_name: Option<Str>,
    /// The member who assigns; none exactly while there are no members.
    pub(super) leader: Option<Str>,
    pub(super) roster: Roster,
    /// Set while the first members of an empty group wait for more.
    pub(super) initial_delay: Option<InitialDelay>,
}

impl ClassicGroup {
    /// A group without members.
    pub fn new(id: Str, now: Now) -> ClassicGroup {
        ClassicGroup {
            id,
            state: GroupState::Empty,
            state_since_ms: Some(now.wall_ms),
            generation: 0,
            protocol_type: None,
            protocol_name: None,
            leader: None,
            roster: Roster::default(),
            initial_delay: None,
        }
    }

    /// How many members it has.
    pub fn members(&self) -> usize {
        self.roster.len()
    }

    pub fn state(&self) -> GroupState {
        self.state
    }

    pub(super) fn transition_to(&mut self, next: GroupState, now: Now) {
        debug_assert!(self.state.may_become(next), "{:?} may not become {next:?}", self.state);
        self.state = next;
        self.state_since_ms = Some(now.wall_ms);
    }

    pub(super) fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// A request that names a member must name one that the group has; a static member must be the one that holds its
    /// instance now.
    pub(super) fn validate_member(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            let holder = self.roster.static_id(instance_id).ok_or(ErrorCode::UnknownMemberId)?;
            if &**holder != member_id {
                return Err(ErrorCode::FencedInstanceId);
            }
        }
        if !self.roster.contains(member_id) {
            return Err(ErrorCode::UnknownMemberId);
        }
        Ok(())
    }

    /// Whether a member that speaks these protocols could be one of this group.
    pub(super) fn supports<'a>(&self, protocol_type: &str, mut names: impl Iterator<Item = &'a Str>) -> bool {
        match self.state {
            GroupState::Empty => !protocol_type.is_empty() && names.next().is_some(),
            _ => {
                self.protocol_type.as_deref() == Some(protocol_type)
                    && names.any(|name| self.roster.all_speak(name))
            }
        }
    }

    /// The first member gives the group its type and leads it.
    pub(super) fn add(&mut self, member: Member, protocol_type: &Str) {
        if self.roster.is_empty() {
            self.protocol_type = Some(protocol_type.clone());
        }
        self.leader.get_or_insert_with(|| member.id.clone());
        self.roster.add(member);
    }

    /// Forgets a member, or an id that was handed out; a leader is succeeded by any other member.
    pub(super) fn remove(&mut self, member_id: &str, turn: &mut Turn<'_>) -> Option<Member> {
        let removed = self.roster.remove(member_id);
        if self.is_leader(member_id) {
            self.leader = self.roster.first_id().cloned();
        }
        turn.cancel(&self.session_key(member_id));
        removed
    }

    /// The member has `session` from now on to be heard of.
    pub(super) fn restart_session(&self, member_id: &str, session: Duration, turn: &mut Turn<'_>) {
        turn.schedule(self.session_key(member_id), session);
    }

    /// The member was heard of.
    pub(super) fn renew_session(&self, member_id: &str, turn: &mut Turn<'_>) {
        if let Some(member) = self.roster.get(member_id) {
            self.restart_session(member_id, member.session_timeout(), turn);
        }
    }

    /// The longest that any member wants a rebalance to wait for it.
    pub(super) fn rebalance_timeout(&self) -> Duration {
        self.roster.iter().map(Member::rebalance_timeout).max().unwrap_or(millis(0))
    }

    /// The protocol that most members want, of those that all of them speak.
    pub(super) fn select_protocol(&self) -> Option<Str> {
        let candidates = self.roster.common_protocols();
        let mut votes = BTreeMap::<&Str, usize>::new();
        for choice in self.roster.iter().filter_map(|member| member.vote(&candidates)) {
            *votes.entry(choice).or_default() += 1;
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name.clone())
    }

    pub(super) fn clear_assignments(&mut self) {
        for member in self.roster.iter_mut() {
            member.assignment = Bytes::new();
        }
    }

    /// Whether offsets that nobody's subscription keeps alive are all that is left of it.
    pub fn is_forsaken(&self) -> bool {
        self.state == GroupState::Empty && self.roster.pending_join_count() == 0
    }

    pub(super) fn session_key(&self, member_id: &str) -> TimerKey {
        TimerKey::Session { group: self.id.clone(), member: Str::from(member_id) }
    }

    pub(super) fn join_key(&self) -> TimerKey {
        TimerKey::Join { group: self.id.clone() }
    }

    pub(super) fn sync_key(&self) -> TimerKey {
        TimerKey::Sync { group: self.id.clone() }
    }

    pub fn debug_assert_invariants(&self) {
        if cfg!(debug_assertions) && self.roster.len() <= CHECKED_MEMBERS_MAX {
            self.roster.debug_assert_invariants();
            assert_eq!(
                self.leader.is_none(),
                self.roster.is_empty(),
                "a group has a leader while it has members"
            );
            assert!(self.leader.iter().all(|leader| self.roster.contains(leader)), "the leader is a member");
            let calm = matches!(self.state, GroupState::Empty | GroupState::Dead);
            assert!(!calm || self.roster.is_empty(), "an empty group has no members");
            let parked = self.roster.iter().filter(|member| member.awaiting_sync.is_some()).count();
            assert!(
                parked == 0 || self.state == GroupState::CompletingRebalance,
                "syncs wait for an assignment only"
            );
        }
    }
}
