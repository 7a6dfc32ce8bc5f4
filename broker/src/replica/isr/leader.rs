//! Decides and settles the ISR of one partition, under its lock.

use std::time::{Duration, Instant};

use metadata::image::PartitionImage;
use protocol::types::BrokerId;

use super::decide::{IsrChange, View, wanted};
use super::proposals::{Member, Proposal};
use crate::replica::partition::{LogState, Partition};
use crate::replica::role::Role;

/// What a decision needs beside the partition.
pub struct Circumstances<'a> {
    pub broker_epoch: i64,
    /// The broker epoch of whoever may be in an ISR.
    pub registered: &'a dyn Fn(BrokerId) -> Option<i64>,
    pub lag_time_max: Duration,
    pub now: Instant,
}

impl Partition {
    /// Proposes another ISR, if there should be one and nothing is proposed yet. Gives what it changes as well.
    pub fn propose_isr(&self, circumstances: &Circumstances) -> Option<(Proposal, IsrChange)> {
        let mut state = self.lock();
        let state = &mut *state;
        let (LogState::Open(log), Role::Leader(leader)) = (&state.log, &mut state.role) else { return None };
        if leader.later_epoch(circumstances.now).is_some() {
            return None;
        }
        if state.followers.expire(&leader.isr, circumstances.lag_time_max, circumstances.now) {
            state.advance_high_watermark(self.broker);
            return None;
        }
        if leader.proposals.in_flight().is_some() {
            return None;
        }
        let view = View {
            leader: Member { id: self.broker, broker_epoch: circumstances.broker_epoch },
            replicas: &leader.replicas,
            isr: &leader.isr,
            high_watermark: state.high_watermark,
            log_end: log.log_end_offset(),
            epoch_start: leader.epoch_start?,
            followers: &state.followers,
            lag_time_max: circumstances.lag_time_max,
            now: circumstances.now,
        };
        let change = wanted(&view, circumstances.registered)?;
        report(self, &change);
        let (leader_epoch, partition_epoch) = (leader.epoch, leader.partition_epoch);
        let proposal = Proposal { leader_epoch, partition_epoch, isr: change.isr.clone() };
        leader.proposals.begin(proposal.clone());
        Some((proposal, change))
    }

    /// Whether the proposal still waits for the controller.
    pub fn is_in_flight(&self, proposal: &Proposal) -> bool {
        let state = self.lock();
        match (&state.log, &state.role) {
            (LogState::Open(_), Role::Leader(leader)) => leader.proposals.in_flight() == Some(proposal),
            _ => false,
        }
    }

    /// The controller committed this; the push that says so as well may come sooner or later.
    pub fn isr_committed(&self, committed: &PartitionImage) {
        if committed.leader == self.broker && committed.leader_epoch == self.lock().role.epoch() {
            self.assume(committed, Instant::now());
        }
    }

    /// The controller would not have it, and committed nothing. Whoever was to return must show anew that it is there.
    pub fn isr_refused(&self, proposal: &Proposal) {
        let mut state = self.lock();
        let state = &mut *state;
        let Role::Leader(leader) = &mut state.role else { return };
        leader.proposals.refused(proposal);
        for member in proposal.isr.iter().filter(|member| !leader.isr.contains(&member.id)) {
            state.followers.refused(member.id);
        }
        state.advance_high_watermark(self.broker);
        state.refuse_acks_below_min_isr();
    }

    /// An attempt had no answer: it may be committed or not.
    pub fn isr_unanswered(&self, proposal: &Proposal) {
        if let Role::Leader(leader) = &mut self.lock().role {
            leader.proposals.unanswered(proposal);
        }
    }

    /// These brokers are gone: nobody waits for them.
    pub fn brokers_gone(&self, gone: &[BrokerId]) {
        let mut state = self.lock();
        gone.iter().for_each(|&id| state.followers.must_catch_up(id));
        state.advance_high_watermark(self.broker);
    }
}

fn report(partition: &Partition, change: &IsrChange) {
    let partition = &partition.at;
    for (replica, lag) in &change.leaving {
        tracing::info!(%partition, %replica, cause = ?lag, "out of sync: the ISR is to shrink");
    }
    for replica in &change.returning {
        tracing::debug!(%partition, %replica, "in sync: the ISR is to expand");
    }
}
