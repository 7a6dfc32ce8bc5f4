//! How a partition's state changes: the ISR that is wanted, the ELR that follows from it, the leader that is elected, and
//! the epochs that count all this. Pure.
//!
//! Invariants: `leader_epoch` grows with every change of leader (to none as well) and never else; `partition_epoch` grows with
//! every change; the leader, if there is one, is in the ISR (safety rules 3, 7, 14).

use metadata::image::PartitionImage;
use protocol::types::{BrokerId, LeaderEpoch};

use crate::partition_leader::{Elected, Election};

/// A wanted change.
#[derive(Clone, Copy)]
pub struct PartitionChange<'a> {
    pub isr: &'a [BrokerId],
    /// Brokers whose logs may lack what they had acknowledged: in no ELR.
    pub distrusted: &'a [BrokerId],
    pub is_electable: &'a dyn Fn(BrokerId) -> bool,
    pub unclean_allowed: bool,
    pub prefer_first: bool,
}

/// What becomes of the partition.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub state: PartitionImage,
    /// Whether its leader was elected from outside of ISR and ELR.
    pub unclean: bool,
    /// Whether it was elected from the ELR.
    pub eligible: bool,
}

impl PartitionChange<'_> {
    /// The new state; `None` where nothing changes.
    pub fn apply(self, before: &PartitionImage) -> Option<Changed> {
        let (isr, elr) = (self.isr.to_vec(), self.elr(before));
        let elected = self.election(before, &isr, &elr);
        let mut state = PartitionImage { isr, elr, ..before.clone() };
        seat(&mut state, elected);
        remember_last_leader(before, &mut state);
        if state == *before {
            return None;
        }
        if state.leader != before.leader {
            state.leader_epoch = LeaderEpoch(before.leader_epoch.0 + 1);
        }
        state.partition_epoch += 1;
        debug_assert_eq!(state.broken_invariant(), None, "{before:?} -> {state:?}");
        let unclean = matches!(elected, Elected::Unclean(_));
        Some(Changed { state, unclean, eligible: matches!(elected, Elected::Eligible(_)) })
    }

    fn election(self, before: &PartitionImage, isr: &[BrokerId], elr: &[BrokerId]) -> Elected {
        let Self { is_electable, unclean_allowed, prefer_first, .. } = self;
        Election { partition: before, isr, elr, is_electable, unclean_allowed, prefer_first }.decide()
    }

    /// While the ISR is smaller than `min_isr`: whoever was in it or in the ELR and is to be trusted.
    fn elr(&self, before: &PartitionImage) -> Vec<BrokerId> {
        if self.isr.len() >= usize::try_from(before.min_isr).unwrap_or(0) {
            return Vec::new();
        }
        let candidates = before.elr.iter().chain(before.isr.iter().filter(|id| !before.elr.contains(id)));
        candidates.copied().filter(|id| !self.isr.contains(id) && !self.distrusted.contains(id)).collect()
    }
}

fn seat(state: &mut PartitionImage, elected: Elected) {
    match elected {
        Elected::InSync(leader) => state.leader = leader,
        Elected::Eligible(leader) => {
            // Those in the old ISR hold no less than an eligible replica.
            let others = state.isr.iter().filter(|id| !state.elr.contains(id));
            let mut elr: Vec<_> = state.elr.iter().chain(others).copied().collect();
            elr.retain(|id| *id != leader);
            (state.leader, state.isr, state.elr) = (leader, vec![leader], elr);
        }
        Elected::Unclean(leader) => {
            (state.leader, state.isr, state.elr) = (leader, vec![leader], Vec::new());
        }
        Elected::Nobody => state.leader = BrokerId::NONE,
    }
}

fn remember_last_leader(before: &PartitionImage, state: &mut PartitionImage) {
    if state.has_leader() {
        state.last_known_elr.clear();
    } else if state.last_known_elr.is_empty() && before.has_leader() {
        state.last_known_elr = vec![before.leader];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[i32]) -> Vec<BrokerId> {
        numbers.iter().copied().map(BrokerId).collect()
    }

    fn partition(isr: &[i32], min_isr: i32) -> PartitionImage {
        PartitionImage {
            replicas: ids(&[1, 2, 3]),
            isr: ids(isr),
            leader: BrokerId(isr[0]),
            leader_epoch: LeaderEpoch(5),
            partition_epoch: 9,
            min_isr,
            ..PartitionImage::default()
        }
    }

    fn change(before: &PartitionImage, isr: &[i32], live: &[i32], distrusted: &[i32]) -> Option<Changed> {
        let (isr, distrusted) = (ids(isr), ids(distrusted));
        let is_electable = |id: BrokerId| live.contains(&id.0);
        let change = PartitionChange {
            isr: &isr,
            distrusted: &distrusted,
            is_electable: &is_electable,
            unclean_allowed: false,
            prefer_first: false,
        };
        change.apply(before)
    }

    /// Leader, leader epoch, ISR, ELR, last known leader.
    fn check(
        changed: Option<Changed>,
        leader: i32,
        epoch: i32,
        isr: &[i32],
        elr: &[i32],
        last: &[i32],
    ) -> PartitionImage {
        let state = changed.expect("something changes").state;
        assert_eq!((state.leader, state.leader_epoch), (BrokerId(leader), LeaderEpoch(epoch)));
        assert_eq!((&state.isr, &state.elr, &state.last_known_elr), (&ids(isr), &ids(elr), &ids(last)));
        state
    }

    #[test]
    fn nothing_to_change_is_no_change() {
        assert_eq!(change(&partition(&[1, 2], 1), &[1, 2], &[1, 2], &[]), None);
    }

    #[test]
    fn a_follower_that_leaves_moves_the_partition_epoch_alone() {
        let state = check(change(&partition(&[1, 2, 3], 1), &[1, 2], &[1, 2], &[]), 1, 5, &[1, 2], &[], &[]);
        assert_eq!(state.partition_epoch, 10);
    }

    #[test]
    fn below_min_isr_those_who_leave_stay_eligible() {
        let two = check(change(&partition(&[1, 2], 2), &[1], &[1], &[]), 1, 5, &[1], &[2], &[]);
        let back = check(change(&two, &[1, 2], &[1, 2], &[]), 1, 5, &[1, 2], &[], &[]);
        assert_eq!(back.partition_epoch, 11);
    }

    #[test]
    fn an_eligible_replica_leads_and_the_dead_leader_stays_eligible() {
        let one = check(change(&partition(&[1, 2], 2), &[1], &[1], &[]), 1, 5, &[1], &[2], &[]);
        let none = check(change(&one, &[1], &[], &[]), -1, 6, &[1], &[2], &[1]);
        let led = change(&none, &[1], &[2], &[]);
        assert!(led.as_ref().is_some_and(|led| led.eligible && !led.unclean));
        check(led, 2, 7, &[2], &[1], &[]);
    }

    #[test]
    fn a_lone_leader_that_lost_its_pages_is_remembered_and_returns_uncleanly() {
        let before = partition(&[1], 1);
        let dead = check(change(&before, &[1], &[], &[]), -1, 6, &[1], &[], &[1]);
        let distrusted = check(change(&dead, &[], &[], &[1]), -1, 6, &[], &[], &[1]);
        let back = change(&distrusted, &[], &[1], &[]);
        assert!(back.as_ref().unwrap().unclean);
        check(back, 1, 7, &[1], &[], &[]);
    }

    #[test]
    fn a_lone_leader_that_kept_its_pages_leads_again() {
        let dead = check(change(&partition(&[1], 1), &[1], &[], &[]), -1, 6, &[1], &[], &[1]);
        let back = change(&dead, &[1], &[1], &[]);
        assert!(!back.as_ref().unwrap().unclean);
        check(back, 1, 7, &[1], &[], &[]);
    }
}
