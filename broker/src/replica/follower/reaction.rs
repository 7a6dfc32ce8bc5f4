//! What a follower does with its leader's answer: pure.
//!
//! The log is looked at under the partition's lock, and what is decided is done before the lock is given back.

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::types::{LeaderEpoch, Offset};
use storage::leader_epochs::LeaderEpochs;

use super::ask::Ask;
use super::divergence::{Divergence, truncation_point};

/// What the leader said of one partition.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub error: ErrorCode,
    /// The logs part; then nothing else counts.
    pub diverging: Option<Divergence>,
    pub high_watermark: Offset,
    pub log_start: Offset,
    pub records: Bytes,
}

/// Where the leader's log begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub start: Offset,
    pub end: Offset,
}

/// The follower's log, and the leader epoch in which it follows; `None` if it does not.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    pub following: Option<LeaderEpoch>,
    pub end: Offset,
    pub epochs: &'a LeaderEpochs,
}

impl Own<'_> {
    /// Whether all is as it was when the question was asked: the leader epoch, and the log, of which the end and the newest
    /// epoch together tell every record. A late answer must not touch what has been fetched since.
    fn is_as_asked(&self, ask: &Ask) -> bool {
        let last_epoch = self.epochs.latest().map(|entry| entry.epoch);
        self.following == Some(ask.leader_epoch)
            && self.end == ask.position.log_end
            && last_epoch == ask.position.last_epoch
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The answer is of another time: nothing (safety rule 6).
    PassOver,
    /// Append the records if there are any, then move the high watermark and the log's start after the leader's.
    Advance,
    /// Cut the log here.
    TruncateTo(Offset),
    /// Begin an empty log here.
    RestartAt(Offset),
    /// Ask where the leader's log begins and ends.
    AskForBounds,
    /// Ask again later.
    Retry(ErrorCode),
}

/// What to do with an answer to a fetch.
pub fn react(ask: &Ask, answer: &Answer, own: &Own) -> Step {
    if !own.is_as_asked(ask) {
        return Step::PassOver;
    }
    match (answer.error, answer.diverging) {
        (ErrorCode::None, Some(leader)) => Step::TruncateTo(truncation_point(own.epochs, own.end, leader)),
        (ErrorCode::None, None) => Step::Advance,
        (ErrorCode::OffsetOutOfRange, _) => Step::AskForBounds,
        (error, _) => Step::Retry(error),
    }
}

/// What to do when the leader's log did not hold the end of this one. A log that ends before the leader's begins starts
/// again there; one without epochs, by which to find where the two part, ends with the leader's. Else the leader is asked
/// again: its log has moved, or it does not know the newest epoch of this one, which nothing but a restored cluster explains.
pub fn react_to_bounds(ask: &Ask, leader: Bounds, own: &Own) -> Step {
    if !own.is_as_asked(ask) {
        return Step::PassOver;
    }
    if own.end < leader.start {
        Step::RestartAt(leader.start)
    } else if own.end > leader.end && own.epochs.entries().is_empty() {
        Step::TruncateTo(leader.end)
    } else {
        Step::Retry(ErrorCode::OffsetOutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::follower::ask::Position;
    use storage::leader_epochs::EpochEntry;

    const EPOCH: LeaderEpoch = LeaderEpoch(4);

    fn ask() -> Ask {
        let position =
            Position { log_start: Offset(0), log_end: Offset(50), last_epoch: Some(LeaderEpoch(3)) };
        Ask { leader_epoch: EPOCH, position }
    }

    fn answer() -> Answer {
        Answer {
            error: ErrorCode::None,
            diverging: None,
            high_watermark: Offset(40),
            log_start: Offset(0),
            records: Bytes::new(),
        }
    }

    fn epochs() -> LeaderEpochs {
        LeaderEpochs::from_entries([entry(1, 0), entry(3, 30)])
    }

    fn entry(epoch: i32, start: i64) -> EpochEntry {
        EpochEntry { epoch: LeaderEpoch(epoch), start_offset: Offset(start) }
    }

    fn own(epochs: &LeaderEpochs, following: Option<i32>, end: i64) -> Own<'_> {
        Own { following: following.map(LeaderEpoch), end: Offset(end), epochs }
    }

    #[track_caller]
    fn check(answer: Answer, following: Option<i32>, end: i64, expected: Step) {
        assert_eq!(react(&ask(), &answer, &own(&epochs(), following, end)), expected);
    }

    #[test]
    fn records_are_taken_only_in_the_epoch_and_at_the_end_for_which_they_were_asked() {
        check(answer(), Some(4), 50, Step::Advance);
        check(answer(), Some(5), 50, Step::PassOver);
        check(answer(), None, 50, Step::PassOver);
        check(answer(), Some(4), 60, Step::PassOver);
    }

    #[test]
    fn a_divergence_cuts_and_an_old_one_does_not() {
        let leader = Divergence { epoch: LeaderEpoch(1), end: Offset(20) };
        let diverging = Answer { diverging: Some(leader), ..answer() };
        check(diverging.clone(), Some(4), 50, Step::TruncateTo(Offset(20)));
        check(diverging.clone(), Some(6), 50, Step::PassOver);
        // The log was cut and fetched anew since, to the same end.
        let newer = [(1, 0), (4, 20)].map(|(epoch, start)| entry(epoch, start));
        let newer = LeaderEpochs::from_entries(newer);
        assert_eq!(react(&ask(), &diverging, &own(&newer, Some(4), 50)), Step::PassOver);
    }

    #[test]
    fn errors_wait_but_out_of_range_asks_for_bounds() {
        let failed = |error| Answer { error, ..answer() };
        let fenced = ErrorCode::FencedLeaderEpoch;
        check(failed(fenced), Some(4), 50, Step::Retry(fenced));
        check(failed(ErrorCode::OffsetOutOfRange), Some(4), 50, Step::AskForBounds);
    }

    #[test]
    fn bounds_restart_a_log_left_behind_and_cut_only_one_without_epochs() {
        let (known, none) = (epochs(), LeaderEpochs::default());
        let check = |epochs: &LeaderEpochs, start, end, expected| {
            let bounds = Bounds { start: Offset(start), end: Offset(end) };
            let mut ask = ask();
            ask.position.last_epoch = epochs.latest().map(|entry| entry.epoch);
            assert_eq!(react_to_bounds(&ask, bounds, &own(epochs, Some(4), 50)), expected);
        };
        check(&known, 70, 90, Step::RestartAt(Offset(70)));
        check(&known, 10, 90, Step::Retry(ErrorCode::OffsetOutOfRange));
        check(&none, 50, 50, Step::Retry(ErrorCode::OffsetOutOfRange));
        check(&none, 0, 45, Step::TruncateTo(Offset(45)));
        check(&known, 0, 45, Step::Retry(ErrorCode::OffsetOutOfRange));
    }
}
