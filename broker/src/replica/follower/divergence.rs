//! Where a follower's log parts from its leader's, found by leader epochs (safety rule 6; KIP-101, KIP-279, KIP-595).
//!
//! Pure.

use protocol::types::{LeaderEpoch, Offset};
use storage::leader_epochs::LeaderEpochs;

/// What a leader answers to one whose last epoch and log end are not in its own log: the largest epoch that it has up to
/// that one, and where it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    pub epoch: LeaderEpoch,
    pub end: Offset,
}

/// Where to cut. Behind it the logs differ for sure; before it they may still, which the next fetch finds out: each step
/// ends in an earlier epoch.
pub fn truncation_point(epochs: &LeaderEpochs, log_end: Offset, leader: Divergence) -> Offset {
    let (_, own_end) = epochs.end_offset_for(leader.epoch, log_end);
    let own_end = if own_end == Offset::UNKNOWN { log_end } else { own_end };
    own_end.min(leader.end).min(log_end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::leader_epochs::EpochEntry;

    /// A log as its epochs and their start offsets, and its end.
    type Sketch<'a> = (&'a [(i32, i64)], i64);

    fn epochs((entries, _): Sketch) -> LeaderEpochs {
        let entry = |&(epoch, start)| EpochEntry { epoch: LeaderEpoch(epoch), start_offset: Offset(start) };
        LeaderEpochs::from_entries(entries.iter().map(entry))
    }

    /// The epoch of the record at each offset.
    fn records(log: Sketch) -> Vec<i32> {
        let epochs = epochs(log);
        (0..log.1).map(|offset| epochs.epoch_of(Offset(offset)).map_or(-1, |epoch| epoch.0)).collect()
    }

    /// Lets a follower ask until it does not diverge any more; returns where its log ends then, and after how many cuts.
    fn settle(leader: Sketch, follower: Sketch) -> (i64, usize) {
        let (leader_epochs, mut own) = (epochs(leader), epochs(follower));
        let (mut end, mut cuts) = (Offset(follower.1), 0);
        while let Some(last) = own.latest() {
            let (epoch, leader_end) = leader_epochs.end_offset_for(last.epoch, Offset(leader.1));
            if epoch == last.epoch && leader_end >= end {
                break;
            }
            end = truncation_point(&own, end, Divergence { epoch, end: leader_end });
            own.truncate_from_end(end);
            cuts += 1;
            assert!(cuts <= 10, "it goes round in circles");
        }
        (end.0, cuts)
    }

    #[track_caller]
    fn check(leader: Sketch, follower: Sketch, expected: (i64, usize)) {
        let (end, cuts) = settle(leader, follower);
        assert_eq!((end, cuts), expected);
        let end = usize::try_from(end).unwrap();
        assert_eq!(records(leader)[..end], records(follower)[..end], "what is kept is the leader's");
    }

    #[test]
    fn a_follower_behind_in_the_same_epochs_is_not_cut() {
        check((&[(1, 0), (3, 10)], 30), (&[(1, 0), (3, 10)], 20), (20, 0));
    }

    #[test]
    fn a_follower_ahead_in_the_last_epoch_is_cut_to_the_leader_s_end() {
        check((&[(1, 0)], 20), (&[(1, 0)], 25), (20, 1));
    }

    #[test]
    fn records_of_an_epoch_that_the_leader_never_had_are_cut() {
        check((&[(1, 0), (3, 20)], 30), (&[(1, 0), (2, 20)], 25), (20, 1));
        check((&[(1, 0), (3, 20)], 30), (&[(1, 0), (2, 15)], 25), (15, 1));
    }

    #[test]
    fn epochs_that_took_turns_are_cut_one_after_the_other() {
        let leader = (&[(1, 0), (3, 10), (5, 20)][..], 40);
        check(leader, (&[(1, 0), (2, 10), (4, 15)], 30), (10, 2));
        check((&[(0, 0), (2, 5), (6, 8)], 20), (&[(0, 0), (1, 6), (3, 7), (4, 9)], 12), (5, 2));
    }

    #[test]
    fn an_epoch_that_was_begun_and_never_written_under_is_forgotten() {
        check((&[(1, 0), (3, 20)], 30), (&[(1, 0), (2, 20)], 20), (20, 1));
    }

    /// Epochs from `first` on, every second one, each with some records behind those of before.
    fn write_on(random: &mut fastrand::Rng, log: &mut (Vec<(i32, i64)>, i64), first: i32) {
        for turn in 0..random.i32(0..5) {
            log.0.push((first + 2 * turn, log.1));
            log.1 += random.i64(0..6);
        }
    }

    #[test]
    fn whatever_two_logs_have_in_common_is_kept_and_nothing_else() {
        for seed in 0..2_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut common = (Vec::new(), 0);
            write_on(&mut random, &mut common, 0);
            let (mut leader, mut follower) = (common.clone(), common.clone());
            // Where one wrote on in an epoch of before, both have that epoch to a different end.
            follower.1 += random.i64(0..3) * i64::from(!common.0.is_empty());
            write_on(&mut random, &mut leader, 20);
            write_on(&mut random, &mut follower, 21);
            leader.0.push((40, leader.1));
            let (end, _) = settle((&leader.0, leader.1), (&follower.0, follower.1));
            assert_eq!(end, common.1, "seed {seed}: {leader:?} and {follower:?}");
        }
    }
}
