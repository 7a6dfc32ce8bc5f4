//! What the leader proposed to the controller as ISR, and has not heard the end of (safety rule 5).
//!
//! Pure. Whoever was proposed counts for the high watermark until it is sure that the proposal will never be committed: it
//! was refused, and no other attempt of it is still on its way; or the partition epoch is a later one.

use protocol::types::{BrokerId, LeaderEpoch};

/// A member of a proposed ISR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: BrokerId,
    /// By which registration it fetched; −1 where it did not yet. The controller refuses another one's.
    pub broker_epoch: i64,
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub leader_epoch: LeaderEpoch,
    pub partition_epoch: i32,
    pub isr: Vec<Member>,
}

/// The proposals within one partition epoch: one in flight at most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposals {
    in_flight: Option<Proposal>,
    /// An attempt of the one in flight had no answer: it may be committed yet.
    unanswered: bool,
    /// Members of earlier ones that may be committed yet.
    unsettled: Vec<BrokerId>,
}

impl Proposals {
    /// The proposal that waits for the controller.
    pub fn in_flight(&self) -> Option<&Proposal> {
        self.in_flight.as_ref()
    }

    /// Everyone who may be in the committed ISR by a proposal.
    pub fn members(&self) -> impl Iterator<Item = BrokerId> + '_ {
        let in_flight = self.in_flight.iter().flat_map(|proposal| &proposal.isr).map(|member| member.id);
        in_flight.chain(self.unsettled.iter().copied())
    }

    /// Proposes; only where nothing is in flight.
    pub fn begin(&mut self, proposal: Proposal) {
        debug_assert!(self.in_flight.is_none(), "one proposal at a time: {self:?}");
        self.in_flight = Some(proposal);
        self.unanswered = false;
    }

    /// An attempt had no answer. The proposal stays in flight, to be sent again.
    pub fn unanswered(&mut self, proposal: &Proposal) {
        self.unanswered |= self.in_flight.as_ref() == Some(proposal);
    }

    /// The controller knew the partition epoch and would not have the proposal.
    pub fn refused(&mut self, proposal: &Proposal) {
        let Some(refused) = self.in_flight.take_if(|in_flight| in_flight == proposal) else { return };
        if self.unanswered {
            let members = refused.isr.iter().map(|member| member.id);
            let new: Vec<_> = members.filter(|id| !self.unsettled.contains(id)).collect();
            self.unsettled.extend(new);
        }
    }

    /// A later partition epoch: nothing that was proposed in an earlier one can be committed any more.
    pub fn settled(&mut self) {
        *self = Proposals::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(ids: &[i32]) -> Proposal {
        let isr = ids.iter().map(|&id| Member { id: BrokerId(id), broker_epoch: -1 }).collect();
        Proposal { leader_epoch: LeaderEpoch(1), partition_epoch: 7, isr }
    }

    fn members(proposals: &Proposals) -> Vec<i32> {
        proposals.members().map(|id| id.0).collect()
    }

    fn proposed(ids: &[i32]) -> Proposals {
        let mut proposals = Proposals::default();
        proposals.begin(proposal(ids));
        proposals
    }

    #[test]
    fn a_refusal_of_the_only_attempt_is_the_end_of_it() {
        let mut proposals = proposed(&[1, 2]);
        proposals.refused(&proposal(&[1, 3]));
        assert_eq!(members(&proposals), [1, 2], "that was another proposal");
        proposals.refused(&proposal(&[1, 2]));
        assert_eq!(proposals, Proposals::default());
    }

    #[test]
    fn a_silence_keeps_it_in_flight() {
        let mut proposals = proposed(&[1, 2]);
        proposals.unanswered(&proposal(&[1, 2]));
        assert!(proposals.in_flight().is_some());
        assert_eq!(members(&proposals), [1, 2]);
    }

    #[test]
    fn a_refusal_after_a_silence_frees_the_next_proposal_but_no_member() {
        let mut proposals = proposed(&[1, 2]);
        proposals.unanswered(&proposal(&[1, 2]));
        proposals.refused(&proposal(&[1, 2]));
        assert!(proposals.in_flight().is_none());
        proposals.begin(proposal(&[1, 3]));
        assert_eq!(members(&proposals), [1, 3, 1, 2]);
        proposals.refused(&proposal(&[1, 3]));
        assert_eq!(members(&proposals), [1, 2], "nobody is left waiting for an answer about 3");
        proposals.settled();
        assert!(members(&proposals).is_empty());
    }
}
