//! The leader's read: which stretch of which file a fetch may have, and where the offsets of the partition stand.

use protocol::types::{BrokerId, LeaderEpoch, Offset};
use storage::AbortedTransaction;
use storage::log::{FileRange, Log, Slice};

use super::errors::PartitionError;
use super::partition::{ExpectedEpoch, LogState, Partition, State};

/// How far a reader may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A consumer that reads uncommitted: to the high watermark.
    HighWatermark,
    /// A consumer that reads committed: to the last stable offset (safety rule 2).
    LastStableOffset,
    /// A follower: to the end of the log.
    LogEnd(BrokerId),
}

/// What a fetch asks of one partition.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    pub from: Offset,
    pub bytes_max: usize,
    /// The first batch is given whole, even where it exceeds `bytes_max`.
    pub at_least_one: bool,
    pub reach: Reach,
    pub expected_epoch: ExpectedEpoch,
    /// The epoch of the reader's last record, by which divergence is found (KIP-595).
    pub last_fetched_epoch: Option<LeaderEpoch>,
}

/// What a fetch gets of one partition.
#[derive(Debug)]
pub struct ReadAnswer {
    pub high_watermark: Offset,
    pub last_stable_offset: Offset,
    pub log_start_offset: Offset,
    /// `None`: nothing to read here now.
    pub records: Option<FileRange>,
    /// What a read_committed consumer must leave out; empty for others.
    pub aborted: Vec<AbortedTransaction>,
    /// Where the reader's log parts from this one; then there are no records.
    pub diverging: Option<(LeaderEpoch, Offset)>,
}

impl Partition {
    /// Reads as leader. A follower's read is also its word that it has all before `from`.
    pub fn read(&self, read: &Read) -> Result<ReadAnswer, PartitionError> {
        let mut state = self.lock();
        state.check_leader(read.expected_epoch)?;
        let log = state.open_log()?;
        if let Some(diverging) = read.last_fetched_epoch.and_then(|epoch| divergence(log, read.from, epoch)) {
            return Ok(state.answer(None, Vec::new(), Some(diverging)));
        }
        check_range(log, read.from)?;
        if let Reach::LogEnd(follower) = read.reach {
            state.followers.fetched_from(follower, read.from);
            state.advance_high_watermark(self.broker);
        }
        let upto = state.reach(read.reach);
        let log = state.open_log()?;
        if read.from >= upto {
            return Ok(state.answer(None, Vec::new(), None));
        }
        let Slice { range, .. } = log.read(read.from, read.bytes_max, upto, read.at_least_one)?;
        let aborted = match (&range, read.reach) {
            (Some(_), Reach::LastStableOffset) => log.aborted_transactions(read.from, upto)?,
            _ => Vec::new(),
        };
        Ok(state.answer(range, aborted, None))
    }
}

impl State {
    /// The offset before which a reader may read.
    pub(super) fn reach(&self, reach: Reach) -> Offset {
        match (reach, &self.log) {
            (Reach::HighWatermark, _) => self.high_watermark,
            (Reach::LastStableOffset, _) => self.last_stable_offset(),
            (Reach::LogEnd(_), LogState::Open(log)) => log.log_end_offset(),
            (Reach::LogEnd(_), _) => self.high_watermark,
        }
    }

    fn log_start_offset(&self) -> Offset {
        match &self.log {
            LogState::Open(log) => log.log_start_offset(),
            _ => Offset::UNKNOWN,
        }
    }

    fn answer(
        &self,
        records: Option<FileRange>,
        aborted: Vec<AbortedTransaction>,
        diverging: Option<(LeaderEpoch, Offset)>,
    ) -> ReadAnswer {
        ReadAnswer {
            high_watermark: self.high_watermark,
            last_stable_offset: self.last_stable_offset(),
            log_start_offset: self.log_start_offset(),
            records,
            aborted,
            diverging,
        }
    }
}

/// Valid is everything from the log's start to its end, the end included: there the reader waits.
fn check_range(log: &Log, from: Offset) -> Result<(), PartitionError> {
    let (start, end) = (log.log_start_offset(), log.log_end_offset());
    if (start..=end).contains(&from) { Ok(()) } else { Err(PartitionError::OutOfRange { from, start, end }) }
}

/// Where a reader whose last record is of `epoch` parts from this log, if it does before `from`.
fn divergence(log: &Log, from: Offset, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
    let (known_epoch, end) = log.end_offset_for_epoch(epoch);
    (known_epoch < epoch || end < from).then_some((known_epoch, end))
}
