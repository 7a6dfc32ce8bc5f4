//! A rebalance: members are called, those that come form the next generation, those that do not are forgotten.
//!
//! It is entered by [`ClassicGroup::rebalance_or_complete`] only, whatever the cause, and left by the last member's join
//! or by a timer.

use std::time::Duration;

use protocol::ErrorCode;
use protocol::wire::Str;

use super::group::ClassicGroup;
use super::state::GroupState;
use super::sync::failed_sync;
use crate::group::machine::effects::Then;
use crate::group::machine::notice::{Notice, Reason};
use crate::group::machine::turn::Turn;

/// How much longer an empty group waits for members that start at the same time (`group.initial.rebalance.delay.ms`).
#[derive(Debug, Clone, Copy)]
pub struct InitialDelay {
    /// What runs now.
    delay: Duration,
    /// How long it may still be prolonged: the rebalance time-out bounds it.
    remaining: Duration,
    /// Others have joined meanwhile, so more may be on their way.
    pub members_were_added: bool,
}

impl ClassicGroup {
    /// Calls the members, or goes on if this was the join that the group waited for.
    pub(super) fn rebalance_or_complete(&mut self, reason: Reason, turn: &mut Turn<'_>) {
        if self.state.may_become(GroupState::PreparingRebalance) {
            self.prepare_rebalance(reason, turn);
        } else {
            self.complete_join_if_all_are_in(turn);
        }
    }

    pub(super) fn prepare_rebalance(&mut self, reason: Reason, turn: &mut Turn<'_>) {
        turn.notice(self.rebalancing(reason));
        if self.state == GroupState::CompletingRebalance {
            self.refuse_syncs(ErrorCode::RebalanceInProgress, turn);
        }
        self.roster.take_pending_syncs();
        turn.cancel(&self.sync_key());
        let was_empty = self.state == GroupState::Empty;
        self.transition_to(GroupState::PreparingRebalance, turn.now);
        if was_empty {
            self.begin_initial_delay(turn);
        } else if self.roster.have_all_joined() {
            self.complete_join(turn);
        } else {
            turn.schedule(self.join_key(), self.rebalance_timeout());
        }
    }

    fn rebalancing(&self, reason: Reason) -> Notice {
        Notice::Rebalancing {
            group: self.id.clone(),
            generation: self.generation,
            members: self.roster.len(),
            reason,
        }
    }

    fn begin_initial_delay(&mut self, turn: &mut Turn<'_>) {
        let delay = turn.settings.initial_rebalance_delay;
        let remaining = self.rebalance_timeout().saturating_sub(delay);
        self.initial_delay = Some(InitialDelay { delay, remaining, members_were_added: false });
        turn.schedule(self.join_key(), delay);
    }

    /// The join timer has run out: the initial delay is prolonged while members keep coming, else the phase ends.
    pub fn end_join_phase(&mut self, turn: &mut Turn<'_>) {
        match self.initial_delay {
            Some(InitialDelay { delay, remaining, members_were_added: true }) if !remaining.is_zero() => {
                let next = turn.settings.initial_rebalance_delay.min(remaining);
                let remaining = remaining.saturating_sub(delay);
                self.initial_delay = Some(InitialDelay { delay: next, remaining, members_were_added: false });
                turn.schedule(self.join_key(), next);
            }
            _ if self.state == GroupState::PreparingRebalance => self.complete_join(turn),
            _ => {}
        }
    }

    /// The initial delay is waited out even if all are in: nobody knows yet who else is on the way.
    pub(super) fn complete_join_if_all_are_in(&mut self, turn: &mut Turn<'_>) {
        let waits = self.state == GroupState::PreparingRebalance && self.initial_delay.is_none();
        if waits && self.roster.have_all_joined() {
            self.complete_join(turn);
        }
    }

    /// Ends the join phase with those that are in. If all that is left are static members none of which is back, the
    /// group waits another rebalance time-out, until their sessions end or they return.
    fn complete_join(&mut self, turn: &mut Turn<'_>) {
        turn.cancel(&self.join_key());
        self.initial_delay = None;
        self.remove_absent_dynamic_members(turn);
        if self.lead_by_somebody_present() || self.roster.is_empty() {
            self.begin_generation(turn);
        } else {
            turn.notice(Notice::NobodyRejoined { group: self.id.clone() });
            turn.schedule(self.join_key(), self.rebalance_timeout());
        }
    }

    fn remove_absent_dynamic_members(&mut self, turn: &mut Turn<'_>) {
        let absent = self.roster.iter().filter(|member| !member.is_awaiting_join() && !member.is_static());
        let absent: Vec<Str> = absent.map(|member| member.id.clone()).collect();
        self.remove_all(&absent, turn);
    }

    fn remove_all(&mut self, ids: &[Str], turn: &mut Turn<'_>) {
        for id in ids {
            self.remove(id, turn);
        }
        if !ids.is_empty() {
            turn.notice(Notice::Removed { group: self.id.clone(), members: ids.len() });
        }
    }

    /// A leader that did not come is succeeded by a member that did; false if none did.
    fn lead_by_somebody_present(&mut self) -> bool {
        let leader = self.leader.as_deref().and_then(|leader| self.roster.get(leader));
        if leader.is_some_and(|leader| leader.is_awaiting_join()) {
            return true;
        }
        match self.roster.iter().find(|member| member.is_awaiting_join()).map(|member| member.id.clone()) {
            Some(present) => {
                self.leader = Some(present);
                true
            }
            None => false,
        }
    }

    fn begin_generation(&mut self, turn: &mut Turn<'_>) {
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        self.protocol_name = self.select_protocol();
        if self.roster.is_empty() {
            self.transition_to(GroupState::Empty, turn.now);
            turn.notice(Notice::Emptied { group: self.id.clone(), generation: self.generation });
            turn.write(vec![self.record_with(|member| member.assignment.clone())], Then::Nothing);
        } else {
            self.transition_to(GroupState::CompletingRebalance, turn.now);
            self.answer_joins(turn);
            self.roster.await_all_syncs();
            turn.schedule(self.sync_key(), self.rebalance_timeout());
        }
    }

    fn answer_joins(&mut self, turn: &mut Turn<'_>) {
        let ids: Vec<Str> = self.roster.iter().map(|member| member.id.clone()).collect();
        for id in ids {
            if let Some(port) = self.roster.unpark_join(&id) {
                let response = self.joined(&id, self.is_leader(&id));
                turn.answer(port, response);
            }
            if let Some(member) = self.roster.get_mut(&id) {
                member.is_new = false;
            }
            self.renew_session(&id, turn);
        }
    }

    /// Members that never asked for their assignment are taken for lost (KIP-231 left them in the group for ever).
    pub fn end_sync_phase(&mut self, turn: &mut Turn<'_>) {
        let late: Vec<Str> = self.roster.take_pending_syncs().into_iter().collect();
        let synced = matches!(self.state, GroupState::CompletingRebalance | GroupState::Stable);
        if synced && !late.is_empty() {
            self.remove_all(&late, turn);
            self.prepare_rebalance(Reason::NotSynced { members: late.len() }, turn);
        }
    }

    /// Tells all that wait for their assignment that there is none.
    pub(super) fn refuse_syncs(&mut self, error: ErrorCode, turn: &mut Turn<'_>) {
        self.clear_assignments();
        for (id, port) in self.take_parked_syncs() {
            turn.answer(port, failed_sync(error));
            self.renew_session(&id, turn);
        }
    }
}
