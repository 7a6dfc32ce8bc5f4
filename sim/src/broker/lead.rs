//! How a leader has its ISRs changed, in the place of `broker::replica::isr::proposer`: one call at a time, and what had no
//! answer is sent again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use broker::replica::isr::{Circumstances, Proposal, Verdict, verdict};
use metadata::convert::{partition_from_proto, uuid_to_proto};
use proto::controller::{AlterIsrRequest, AlterIsrResponse, IsrMember, IsrProposal, IsrResult};
use protocol::ErrorCode;

use super::Process;
use super::settings::TOPIC_ID;
use crate::bug::Bug;

/// How long the controller may take to answer.
const CALL_TIME_MAX: Duration = Duration::from_millis(1500);
/// Before what had no answer is sent again.
const RESEND_DELAY: Duration = Duration::from_millis(100);

/// Proposals that the controller has not settled.
#[derive(Default)]
pub struct Proposer {
    open: BTreeMap<i32, Proposal>,
    /// The call on its way.
    call: Option<Call>,
    calls: u64,
    next_call_at: Duration,
}

/// A call's number, what it asks for by partition, and until when it is waited for.
type Call = (u64, Vec<(i32, Proposal)>, Duration);

impl Process {
    /// Looks at every partition for who left and who returns.
    pub fn look(
        &mut self,
        partitions: i32,
        lag_time_max: Duration,
        now: Duration,
        at: Instant,
        bug: Option<Bug>,
    ) -> Vec<String> {
        self.give_call_up(now, bug);
        // The real proposer does nothing else while it waits for an answer.
        let Some(broker_epoch) = self.broker_epoch().filter(|_| self.isr.call.is_none()) else {
            return Vec::new();
        };
        let image = self.image.clone();
        let circumstances = Circumstances {
            broker_epoch,
            registered: &|id| {
                image.brokers.get(&id).filter(|broker| !broker.fenced).map(|broker| broker.epoch)
            },
            lag_time_max,
            now: at,
        };
        let mut proposed = Vec::new();
        for index in 0..partitions {
            let Some(partition) = self.partition(index) else { continue };
            let Some((proposal, _)) = partition.propose_isr(&circumstances) else { continue };
            proposed.push(format!("t-{index}: proposes {:?}", members(&proposal)));
            if bug == Some(Bug::AcksIgnoreMaximalIsr) {
                partition.isr_refused(&proposal);
            }
            self.isr.open.insert(index, proposal);
        }
        proposed
    }

    /// The next call, if one is due. `None` while one is on its way.
    pub fn ask(&mut self, now: Duration, bug: Option<Bug>) -> Option<(u64, AlterIsrRequest)> {
        let broker_epoch = self.broker_epoch()?;
        let is_open = |(index, proposal): &(&i32, &mut Proposal)| {
            let partition = self.replicas.partition(super::TOPIC, **index);
            let forgotten = matches!(bug, Some(Bug::AcksIgnoreMaximalIsr));
            forgotten || partition.is_ok_and(|partition| partition.is_in_flight(proposal))
        };
        let closed: Vec<i32> = {
            let open = self.isr.open.iter_mut().filter(|open| !is_open(open));
            open.map(|(index, _)| *index).collect()
        };
        closed.iter().for_each(|index| drop(self.isr.open.remove(index)));
        if self.isr.call.is_some() || self.isr.next_call_at > now || self.isr.open.is_empty() {
            return None;
        }
        let asked: Vec<_> =
            self.isr.open.iter().map(|(index, proposal)| (*index, proposal.clone())).collect();
        let proposals = asked.iter().map(|(index, proposal)| on_the_wire(*index, proposal)).collect();
        self.isr.calls += 1;
        self.isr.call = Some((self.isr.calls, asked, now + CALL_TIME_MAX));
        Some((self.isr.calls, AlterIsrRequest { broker_id: self.broker.0, broker_epoch, proposals }))
    }

    /// The controller's answer. `None`: whoever was asked is not active, and has done nothing.
    pub fn answered(
        &mut self,
        call: u64,
        response: Option<AlterIsrResponse>,
        now: Duration,
        bug: Option<Bug>,
    ) {
        let Some((_, asked, _)) = self.isr.call.take_if(|(id, ..)| *id == call) else { return };
        let Some(response) = response else {
            self.isr.next_call_at = now + RESEND_DELAY;
            return;
        };
        if response.error_code != 0 {
            asked.iter().for_each(|(index, proposal)| self.unanswered(*index, proposal, now, bug));
            return;
        }
        for (index, proposal) in asked.iter().skip(response.results.len()) {
            self.unanswered(*index, proposal, now, bug);
        }
        for ((index, proposal), result) in asked.into_iter().zip(response.results) {
            self.settle(index, &proposal, &result, now, bug);
        }
    }

    fn give_call_up(&mut self, now: Duration, bug: Option<Bug>) {
        if let Some((_, asked, _)) = self.isr.call.take_if(|(_, _, until)| *until <= now) {
            asked.iter().for_each(|(index, proposal)| self.unanswered(*index, proposal, now, bug));
        }
    }

    /// What had no clear answer may be committed or not, and is sent again.
    fn unanswered(&mut self, index: i32, proposal: &Proposal, now: Duration, bug: Option<Bug>) {
        self.isr.next_call_at = now + RESEND_DELAY;
        let Some(partition) = self.partition(index) else { return };
        match bug {
            Some(Bug::ProposalForgotten) => partition.isr_refused(proposal),
            _ => partition.isr_unanswered(proposal),
        }
    }

    fn settle(
        &mut self,
        index: i32,
        proposal: &Proposal,
        result: &IsrResult,
        now: Duration,
        bug: Option<Bug>,
    ) {
        let Some(partition) = self.partition(index) else { return };
        let error = ErrorCode::from_code(i16::try_from(result.error_code).unwrap_or(-1));
        let committed = result.state.as_ref().and_then(|state| partition_from_proto(state).ok());
        match (error, committed) {
            (ErrorCode::None, Some(mut state)) => {
                if bug == Some(Bug::HighWatermarkBelowMinIsr) {
                    state.min_isr = 1;
                }
                partition.isr_committed(&state);
            }
            (ErrorCode::None, None) => return self.unanswered(index, proposal, now, bug),
            (error, _) => match verdict(error) {
                Verdict::NotDone => partition.isr_refused(proposal),
                // It stays in flight: only a push can tell what became of it.
                Verdict::Overtaken => {}
                Verdict::Unclear => return self.unanswered(index, proposal, now, bug),
            },
        }
        self.isr.open.remove(&index);
    }
}

fn members(proposal: &Proposal) -> Vec<i32> {
    proposal.isr.iter().map(|member| member.id.0).collect()
}

fn on_the_wire(index: i32, proposal: &Proposal) -> IsrProposal {
    let member = |member: &broker::replica::isr::Member| IsrMember {
        broker_id: member.id.0,
        broker_epoch: member.broker_epoch,
    };
    IsrProposal {
        topic_id: uuid_to_proto(TOPIC_ID),
        partition: index,
        leader_epoch: proposal.leader_epoch.0,
        partition_epoch: proposal.partition_epoch,
        isr: proposal.isr.iter().map(member).collect(),
    }
}
