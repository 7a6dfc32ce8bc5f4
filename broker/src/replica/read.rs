//! The leader's read: which stretch of which file a fetch may have, and where the offsets of the partition stand.

use std::time::Instant;

use protocol::types::{BrokerId, LeaderEpoch, Offset};
use storage::AbortedTransaction;
use storage::log::{FileRange, Log, LogView, ReadError};

use super::blocking;
use super::errors::PartitionError;
use super::followers::FollowerFetch;
use super::isr::has_what_is_committed;
use super::partition::{ExpectedEpoch, LogState, Partition, State};
use super::role::Role;

/// How far a reader may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A consumer that reads uncommitted: to the high watermark.
    HighWatermark,
    /// A consumer that reads committed: to the last stable offset (safety rule 2).
    LastStableOffset,
    /// A follower: to the end of the log.
    LogEnd(BrokerId),
    /// One who looks for a fault: to the end of the log of any replica.
    AnyLogEnd,
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
    /// A follower's registration, if it says.
    pub broker_epoch: Option<i64>,
    /// Where a follower's log starts, if it says.
    pub log_start: Option<Offset>,
    /// When the request came.
    pub asked_at: Instant,
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

/// How often a read looks where its batches lie without the lock, before it keeps the lock over that: each time the log was
/// cut, or lost its beginning, meanwhile.
pub(super) const UNLOCKED_LOOKUPS_MAX: u32 = 3;

/// Who may answer a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    ByLeader,
    ByAnyReplica,
}

/// How far a read has come under the lock.
enum Begun {
    Answered(ReadAnswer),
    /// Where the batches lie is in files: they are looked for in the view, up to this offset.
    LookUp(LogView, Offset),
}

/// What a view showed: where the batches lie, and what was aborted there.
type Seen = (Option<FileRange>, Vec<AbortedTransaction>);

impl Partition {
    /// Reads as leader. A follower's read is also its word that it has all before `from`.
    ///
    /// The newest batches are found in memory; where others lie is read from files, without the partition's lock.
    pub fn read(&self, read: &Read) -> Result<ReadAnswer, PartitionError> {
        self.read_as(Served::ByLeader, read)
    }

    /// Reads for a consumer, as leader or as follower (KIP-392).
    pub fn serve_consumer(&self, read: &Read) -> Result<ReadAnswer, PartitionError> {
        self.read_as(Served::ByAnyReplica, read)
    }

    /// Where the offsets stand, without any records.
    pub fn standing(&self) -> ReadAnswer {
        self.lock().answer(None, Vec::new(), None)
    }

    fn read_as(&self, served: Served, read: &Read) -> Result<ReadAnswer, PartitionError> {
        for _ in 0..UNLOCKED_LOOKUPS_MAX {
            let (view, upto) = match self.begin_read(&mut self.lock(), served, read)? {
                Begun::Answered(answer) => return Ok(answer),
                Begun::LookUp(view, upto) => (view, upto),
            };
            let seen = blocking::apart(|| look_up(&view, read, upto));
            let mut state = self.lock();
            state.check_reader(served, read)?;
            if state.open_log()?.is_as_viewed(&view) {
                let (records, aborted) = seen?;
                return Ok(state.answer(records, aborted, None));
            }
        }
        let mut state = self.lock();
        match self.begin_read(&mut state, served, read)? {
            Begun::Answered(answer) => Ok(answer),
            Begun::LookUp(view, upto) => {
                let (records, aborted) = look_up(&view, read, upto)?;
                Ok(state.answer(records, aborted, None))
            }
        }
    }

    fn begin_read(&self, state: &mut State, served: Served, read: &Read) -> Result<Begun, PartitionError> {
        self.hear_epoch(state, read);
        state.check_reader(served, read)?;
        let log = state.open_log()?;
        if let Some(epoch) = read.last_fetched_epoch
            && let Some(diverging) = divergence(log, read.from, epoch)?
        {
            return Ok(Begun::Answered(state.answer(None, Vec::new(), Some(diverging))));
        }
        check_range(log, read.from)?;
        if let Reach::LogEnd(follower) = read.reach {
            self.note_fetch(state, follower, read)?;
        }
        let upto = state.reach(read.reach);
        let log = state.open_log()?;
        let nothing_to_read = read.from >= upto;
        if !nothing_to_read && !log.reads_from_memory(read.from, read.reach == Reach::LastStableOffset) {
            return Ok(Begun::LookUp(log.view_from(read.from), upto));
        }
        let records = match nothing_to_read {
            true => None,
            false => log.read(read.from, read.bytes_max, upto, read.at_least_one)?.range,
        };
        Ok(Begun::Answered(state.answer(records, Vec::new(), None)))
    }
}

/// Looks into the files.
fn look_up(view: &LogView, read: &Read, upto: Offset) -> Result<Seen, ReadError> {
    let range = view.read(read.bytes_max, upto, read.at_least_one)?.range;
    let aborted = match (&range, read.reach) {
        (Some(_), Reach::LastStableOffset) => view.aborted_transactions(upto)?,
        _ => Vec::new(),
    };
    Ok((range, aborted))
}

impl Partition {
    /// A follower has all before the offset that it reads from. One that is registered by nothing may be an earlier process
    /// of its broker: what it has is taken for nobody's.
    fn note_fetch(&self, state: &mut State, follower: BrokerId, read: &Read) -> Result<(), PartitionError> {
        let leader_end = state.open_log()?.log_end_offset();
        let Read { from, log_start, broker_epoch, asked_at: at, .. } = *read;
        let Some(broker_epoch) = broker_epoch else { return Ok(()) };
        let fetch = FollowerFetch { from, log_start, leader_end, broker_epoch, at };
        let log_start_before = state.followers.log_start(follower);
        state.followers.fetched(follower, fetch)?;
        if log_start > log_start_before {
            state.fetches.log_start_of_follower_moved();
        }
        state.advance_high_watermark(self.broker);
        if state.may_return(follower, from) {
            self.returning.note(&self.at);
        }
        Ok(())
    }
}

impl State {
    /// Whether this replica may answer this reader.
    fn check_reader(&self, served: Served, read: &Read) -> Result<(), PartitionError> {
        match served {
            Served::ByLeader => self.check_leader(read.expected_epoch).map(|_| ())?,
            Served::ByAnyReplica => self.check_serves_consumers(read.expected_epoch)?,
        }
        match read.reach {
            Reach::LogEnd(follower) => self.check_replica(follower),
            Reach::HighWatermark | Reach::LastStableOffset | Reach::AnyLogEnd => Ok(()),
        }
    }

    /// Whether this broker holds a replica, by the image that this leader has.
    fn check_replica(&self, follower: BrokerId) -> Result<(), PartitionError> {
        match &self.role {
            Role::Leader(leader) if !leader.replicas.contains(&follower) => {
                Err(PartitionError::NotReplica(follower))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is worth while to decide on the ISR: this follower is not in it, and has what is committed.
    fn may_return(&self, follower: BrokerId, log_end: Offset) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        let is_candidate = !leader.isr.contains(&follower)
            && leader.proposals.in_flight().is_none()
            && !self.followers.rests(follower);
        let reached = |start| has_what_is_committed(log_end, self.high_watermark, start);
        is_candidate && leader.epoch_start.is_some_and(reached)
    }

    /// The offset before which a reader may read.
    pub(super) fn reach(&self, reach: Reach) -> Offset {
        match (reach, &self.log) {
            (Reach::HighWatermark, _) => self.high_watermark,
            (Reach::LastStableOffset, _) => self.last_stable_offset(),
            (Reach::LogEnd(_) | Reach::AnyLogEnd, LogState::Open(log)) => log.log_end_offset(),
            (Reach::LogEnd(_) | Reach::AnyLogEnd, _) => self.high_watermark,
        }
    }

    pub(super) fn log_start_offset(&self) -> Offset {
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

/// Where a reader whose last record is of `epoch` parts from this log, if it does before `from`. Of an epoch that this log
/// knows nothing of, nothing can be said but that the reader is out of range.
fn divergence(
    log: &Log,
    from: Offset,
    epoch: LeaderEpoch,
) -> Result<Option<(LeaderEpoch, Offset)>, PartitionError> {
    let (known_epoch, end) = log.end_offset_for_epoch(epoch);
    if end == Offset::UNKNOWN {
        let (start, end) = (log.log_start_offset(), log.log_end_offset());
        return Err(PartitionError::OutOfRange { from, start, end });
    }
    Ok((known_epoch < epoch || end < from).then_some((known_epoch, end)))
}
