//! Who belongs to a classic group: its members by id and by instance, and those that are still on their way in or out of
//! a rebalance.
//!
//! Each question that a join asks (have all joined? is the protocol spoken by all?) is answered from a counter, so that a
//! rebalance costs its members once, not once for each of them.

use std::collections::{BTreeMap, BTreeSet};

use protocol::messages::JoinGroupResponse;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::wire::Str;

use super::member::Member;
use crate::group::machine::effects::Port;

/// The members of one group.
#[derive(Default)]
pub struct Roster {
    members: BTreeMap<Str, Member>,
    /// Member ids by `group.instance.id`; holds exactly the static ones of `members`.
    static_ids: BTreeMap<Str, Str>,
    /// Ids that were handed out (KIP-394) and did not come back yet. None of them is in `members`.
    pending_join: BTreeSet<Str>,
    /// Members that did not ask for their assignment yet.
    pending_sync: BTreeSet<Str>,
    /// How many of `members` wait for the join phase to end.
    awaiting_join: usize,
    /// How many members speak each protocol.
    speakers: BTreeMap<Str, usize>,
}

impl Roster {
    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub fn get(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.members.get_mut(id)
    }

    pub fn contains(&self, id: &str) -> bool {
        self.members.contains_key(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.values_mut()
    }

    pub fn first_id(&self) -> Option<&Str> {
        self.members.keys().next()
    }

    pub fn static_id(&self, instance_id: &str) -> Option<&Str> {
        self.static_ids.get(instance_id)
    }

    /// A new member; its id and its instance must be new.
    pub fn add(&mut self, member: Member) {
        debug_assert!(!self.contains(&member.id), "a member is added once");
        self.pending_join.remove(&member.id);
        if let Some(instance_id) = &member.instance_id {
            self.static_ids.insert(instance_id.clone(), member.id.clone());
        }
        self.awaiting_join += usize::from(member.is_awaiting_join());
        count_speaker(&mut self.speakers, &member);
        self.members.insert(member.id.clone(), member);
    }

    /// Forgets the id in every role that it may have.
    pub fn remove(&mut self, id: &str) -> Option<Member> {
        self.pending_join.remove(id);
        self.pending_sync.remove(id);
        let member = self.members.remove(id)?;
        if let Some(instance_id) = &member.instance_id {
            self.static_ids.remove(instance_id);
        }
        self.awaiting_join -= usize::from(member.is_awaiting_join());
        discount_speaker(&mut self.speakers, &member);
        Some(member)
    }

    /// What the member says of itself now.
    pub fn set_protocols(&mut self, id: &str, protocols: Vec<JoinGroupRequestProtocol>) {
        if let Some(member) = self.members.get_mut(id) {
            discount_speaker(&mut self.speakers, member);
            member.protocols = protocols;
            count_speaker(&mut self.speakers, member);
        }
    }

    /// Parks the member's join until the phase ends; returns the port of an older one, which nobody waits on any more.
    pub fn park_join(&mut self, id: &str, port: Port<JoinGroupResponse>) -> Option<Port<JoinGroupResponse>> {
        let replaced = self.members.get_mut(id)?.awaiting_join.replace(port);
        self.awaiting_join += usize::from(replaced.is_none());
        replaced
    }

    /// Takes the member's parked join, to answer it.
    pub fn unpark_join(&mut self, id: &str) -> Option<Port<JoinGroupResponse>> {
        let port = self.members.get_mut(id)?.awaiting_join.take()?;
        self.awaiting_join -= 1;
        Some(port)
    }

    pub fn awaiting_join_count(&self) -> usize {
        self.awaiting_join
    }

    pub fn have_all_joined(&self) -> bool {
        self.awaiting_join == self.members.len() && self.pending_join.is_empty()
    }

    /// Whether all members speak this protocol; true of any while there are none.
    pub fn all_speak(&self, protocol: &str) -> bool {
        self.speakers.get(protocol).copied().unwrap_or(0) == self.members.len()
    }

    /// The protocols that all members speak.
    pub fn common_protocols(&self) -> BTreeSet<&str> {
        self.speakers
            .iter()
            .filter(|(_, count)| **count == self.members.len())
            .map(|(name, _)| &**name)
            .collect()
    }

    pub fn await_join_of(&mut self, id: Str) {
        self.pending_join.insert(id);
    }

    pub fn is_pending_join(&self, id: &str) -> bool {
        self.pending_join.contains(id)
    }

    pub fn pending_join_count(&self) -> usize {
        self.pending_join.len()
    }

    /// From now on every member owes a sync.
    pub fn await_all_syncs(&mut self) {
        self.pending_sync = self.members.keys().cloned().collect();
    }

    /// The member has asked for its assignment; returns whether none is owed any more.
    pub fn note_sync(&mut self, id: &str) -> bool {
        self.pending_sync.remove(id);
        self.pending_sync.is_empty()
    }

    /// Those that still owe a sync, who then owe none.
    pub fn take_pending_syncs(&mut self) -> BTreeSet<Str> {
        std::mem::take(&mut self.pending_sync)
    }

    pub fn debug_assert_invariants(&self) {
        if cfg!(debug_assertions) {
            assert_eq!(self.awaiting_join, self.iter().filter(|member| member.is_awaiting_join()).count());
            assert_eq!(self.static_ids.len(), self.iter().filter(|member| member.is_static()).count());
            assert!(self.static_ids.iter().all(|(instance, id)| {
                self.get(id).is_some_and(|member| member.instance_id.as_ref() == Some(instance))
            }));
            assert!(self.pending_join.iter().all(|id| !self.contains(id)));
            assert!(self.pending_sync.iter().all(|id| self.contains(id)));
            let spoken = self.iter().map(|member| member.protocol_names().len()).sum::<usize>();
            assert_eq!(spoken, self.speakers.values().sum::<usize>());
        }
    }
}

fn count_speaker(speakers: &mut BTreeMap<Str, usize>, member: &Member) {
    for name in member.protocol_names() {
        *speakers.entry(name).or_default() += 1;
    }
}

fn discount_speaker(speakers: &mut BTreeMap<Str, usize>, member: &Member) {
    for name in member.protocol_names() {
        if let Some(count) = speakers.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                speakers.remove(&name);
            }
        }
    }
}
