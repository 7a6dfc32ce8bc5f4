//! Where each leader epoch of one partition began: what replicas compare to find where their logs part (safety rule 6).
//!
//! Pure. The log keeps it in `leader-epoch-checkpoint` through [`crate::checkpoint`].
//!
//! Invariant: epochs and start offsets both grow from entry to entry.

use protocol::types::{LeaderEpoch, Offset};

/// One leader epoch and the offset of its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEntry {
    pub epoch: LeaderEpoch,
    pub start_offset: Offset,
}

/// The epochs that one log's records were written under, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaderEpochs {
    entries: Vec<EpochEntry>,
}

impl LeaderEpochs {
    /// Takes what a checkpoint file held; entries that break the invariant are dropped, the later one wins.
    pub fn from_entries(entries: impl IntoIterator<Item = EpochEntry>) -> LeaderEpochs {
        let mut epochs = LeaderEpochs::default();
        for entry in entries {
            epochs.assign(entry.epoch, entry.start_offset);
        }
        epochs
    }

    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The epoch of the newest records, or of a leader that has not written yet.
    pub fn latest(&self) -> Option<EpochEntry> {
        self.entries.last().copied()
    }

    /// Notes that records from `start_offset` on are of `epoch`; says whether that was news. Entries that contradict it
    /// are dropped: what they spoke of was truncated away, or was never written by a leader that was deposed too soon.
    pub fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) -> bool {
        if epoch.0 < 0 || start_offset.0 < 0 {
            return false;
        }
        let before = self.entries.len();
        self.entries.retain(|entry| {
            (entry.epoch < epoch && entry.start_offset < start_offset)
                || (entry.epoch == epoch && entry.start_offset <= start_offset)
        });
        let is_known = self.latest().is_some_and(|latest| latest.epoch == epoch);
        if !is_known {
            self.entries.push(EpochEntry { epoch, start_offset });
        }
        !is_known || self.entries.len() < before
    }

    /// Answers OffsetForLeaderEpoch: the largest epoch up to `requested` that has records here, and the offset at which
    /// it ended. Both are unknown (−1) where nothing can be said.
    pub fn end_offset_for(&self, requested: LeaderEpoch, log_end_offset: Offset) -> (LeaderEpoch, Offset) {
        if requested.0 >= 0 && self.latest().is_some_and(|latest| latest.epoch == requested) {
            return (requested, log_end_offset);
        }
        let higher = self.entries.partition_point(|entry| entry.epoch <= requested);
        match self.entries.get(higher) {
            Some(next) if requested.0 >= 0 => {
                let floor = self.entries[..higher].last().map_or(requested, |entry| entry.epoch);
                (floor, next.start_offset)
            }
            _ => (LeaderEpoch::UNKNOWN, Offset::UNKNOWN),
        }
    }

    /// Under which epoch the record at `offset` was written.
    pub fn epoch_of(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self.entries.partition_point(|entry| entry.start_offset <= offset);
        self.entries[..after].last().map(|entry| entry.epoch)
    }

    /// The log now ends at `log_end_offset`: epochs that began there or later are gone. Says whether any was.
    pub fn truncate_from_end(&mut self, log_end_offset: Offset) -> bool {
        let kept = self.entries.partition_point(|entry| entry.start_offset < log_end_offset);
        let removed = kept < self.entries.len();
        self.entries.truncate(kept);
        removed
    }

    /// The log now starts at `log_start_offset`: the epoch in force there begins there, earlier ones are gone. Says
    /// whether anything changed.
    pub fn truncate_from_start(&mut self, log_start_offset: Offset) -> bool {
        let passed = self.entries.partition_point(|entry| entry.start_offset <= log_start_offset);
        let Some(in_force) = passed.checked_sub(1) else { return false };
        let unchanged = in_force == 0 && self.entries[0].start_offset == log_start_offset;
        self.entries.drain(..in_force);
        self.entries[0].start_offset = log_start_offset;
        !unchanged
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(entries: &[(i32, i64)]) -> LeaderEpochs {
        LeaderEpochs::from_entries(
            entries.iter().map(|&(epoch, offset)| EpochEntry {
                epoch: LeaderEpoch(epoch),
                start_offset: Offset(offset),
            }),
        )
    }

    fn end(epochs: &LeaderEpochs, requested: i32) -> (i32, i64) {
        let (epoch, offset) = epochs.end_offset_for(LeaderEpoch(requested), Offset(100));
        (epoch.0, offset.0)
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let epochs = epochs(&[(2, 10), (4, 20), (7, 30)]);
        assert_eq!(end(&epochs, 7), (7, 100), "the latest ends with the log");
        assert_eq!(end(&epochs, 4), (4, 30));
        assert_eq!(end(&epochs, 5), (4, 30), "the largest epoch below an unknown one answers");
        assert_eq!(
            end(&epochs, 1),
            (1, 10),
            "an epoch older than all ended where the first known one begins"
        );
        assert_eq!(end(&epochs, 8), (-1, -1), "nothing is known of the future");
        assert_eq!(end(&epochs, -1), (-1, -1));
        assert_eq!(end(&LeaderEpochs::default(), 3), (-1, -1));
    }

    #[test]
    fn assigning_drops_what_contradicts_it() {
        let mut epochs = epochs(&[(2, 10), (4, 20), (7, 30)]);
        assert!(!epochs.assign(LeaderEpoch(7), Offset(50)), "the running epoch is no news");
        assert!(epochs.assign(LeaderEpoch(8), Offset(20)));
        assert_eq!(epochs, self::epochs(&[(2, 10), (8, 20)]));
        assert!(epochs.assign(LeaderEpoch(3), Offset(40)), "a lower epoch replaces the higher ones");
        assert_eq!(epochs, self::epochs(&[(2, 10), (3, 40)]));
    }

    #[test]
    fn an_epoch_without_records_does_not_move_the_start_of_the_one_before_it() {
        let mut epochs = epochs(&[(1, 7), (2, 44)]);
        assert!(epochs.assign(LeaderEpoch(1), Offset(44)), "epoch 2 never wrote");
        assert_eq!(epochs, self::epochs(&[(1, 7)]));
    }

    #[test]
    fn truncation_moves_both_ends() {
        let mut epochs = epochs(&[(2, 10), (4, 20), (7, 30)]);
        assert!(!epochs.truncate_from_end(Offset(31)));
        assert!(epochs.truncate_from_end(Offset(30)));
        assert_eq!(epochs, self::epochs(&[(2, 10), (4, 20)]));
        assert!(!epochs.truncate_from_start(Offset(5)));
        assert!(epochs.truncate_from_start(Offset(25)));
        assert_eq!(epochs, self::epochs(&[(4, 25)]));
        assert!(!epochs.truncate_from_start(Offset(25)));
    }

    #[test]
    fn an_offset_belongs_to_the_epoch_that_began_last_before_it() {
        let epochs = epochs(&[(2, 10), (4, 20)]);
        assert_eq!(epochs.epoch_of(Offset(9)), None);
        assert_eq!(epochs.epoch_of(Offset(10)), Some(LeaderEpoch(2)));
        assert_eq!(epochs.epoch_of(Offset(99)), Some(LeaderEpoch(4)));
    }
}
