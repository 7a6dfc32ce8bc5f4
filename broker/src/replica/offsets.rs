//! Questions about offsets that a leader answers: earliest, latest, by timestamp, and where an epoch ended.

use protocol::types::{LeaderEpoch, Offset};
use storage::log::{LogError, LogView, TimestampedOffset};

use super::errors::PartitionError;
use super::partition::{ExpectedEpoch, Partition, State};
use super::read::{Reach, UNLOCKED_LOOKUPS_MAX};
use super::role::Role;

/// What ListOffsets looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetQuery {
    Earliest,
    Latest,
    MaxTimestamp,
    /// What lies in tiered storage: nothing does.
    LatestTiered,
    /// The first record with this timestamp (ms) or a later one.
    AtOrAfter(i64),
}

/// What was found; timestamp and epoch are −1 where they say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    pub offset: Offset,
    pub timestamp_ms: i64,
    pub leader_epoch: LeaderEpoch,
}

impl From<TimestampedOffset> for FoundOffset {
    fn from(found: TimestampedOffset) -> FoundOffset {
        let TimestampedOffset { offset, timestamp, leader_epoch } = found;
        FoundOffset { offset, timestamp_ms: timestamp, leader_epoch }
    }
}

/// How far a question has come under the lock.
enum Begun {
    Found(Option<FoundOffset>),
    /// The answer is in files: it is looked for in the view, up to this offset.
    LookUp(LogView, Offset),
}

impl Partition {
    /// Answers as leader; `None`: no record is so. Files are read without the partition's lock, and so on a thread that may
    /// wait for a disk.
    pub fn find_offset(
        &self,
        query: OffsetQuery,
        reach: Reach,
        expected: ExpectedEpoch,
    ) -> Result<Option<FoundOffset>, PartitionError> {
        for _ in 0..UNLOCKED_LOOKUPS_MAX {
            let (view, upto) = match self.lock().begin_to_find(query, reach, expected)? {
                Begun::Found(found) => return Ok(found),
                Begun::LookUp(view, upto) => (view, upto),
            };
            let (found, view) = look_up(view, query, upto);
            let mut state = self.lock();
            state.check_asked(reach, expected)?;
            if state.open_log()?.is_as_viewed(&view) {
                return state.found(found?, reach);
            }
        }
        let mut state = self.lock();
        match state.begin_to_find(query, reach, expected)? {
            Begun::Found(found) => Ok(found),
            Begun::LookUp(view, upto) => state.found(look_up(view, query, upto).0?, reach),
        }
    }

    /// Where the largest epoch up to `epoch` ended: −1 and −1 where none is known.
    pub fn end_of_epoch(
        &self,
        epoch: LeaderEpoch,
        expected: ExpectedEpoch,
    ) -> Result<(LeaderEpoch, Offset), PartitionError> {
        let mut state = self.lock();
        state.check_leader(expected)?;
        Ok(state.open_log()?.end_offset_for_epoch(epoch))
    }
}

/// Looks for a time in the files. Gives the view back, to ask whether it still holds.
fn look_up(
    mut view: LogView,
    query: OffsetQuery,
    upto: Offset,
) -> (Result<Option<FoundOffset>, LogError>, LogView) {
    let found = match query {
        OffsetQuery::AtOrAfter(timestamp_ms) => view.offset_for_timestamp(timestamp_ms, upto),
        _ => view.max_timestamp(),
    };
    let visible = |found: Option<TimestampedOffset>| found.filter(|found| found.offset < upto);
    let found = found.map(|found| visible(found).map(FoundOffset::from));
    (found, view)
}

impl State {
    /// Answers what needs no file; for the rest gives a view of the log, and up to where it is to be looked at.
    fn begin_to_find(
        &mut self,
        query: OffsetQuery,
        reach: Reach,
        expected: ExpectedEpoch,
    ) -> Result<Begun, PartitionError> {
        self.check_asked(reach, expected)?;
        if query == OffsetQuery::Latest {
            self.check_high_watermark_is_known(reach)?;
        }
        let (upto, epoch) = (self.reach(reach), self.role.epoch());
        let log = self.open_log()?;
        Ok(match query {
            OffsetQuery::Earliest => {
                let start = log.log_start_offset();
                let epoch = log.leader_epochs().epoch_of(start).unwrap_or(LeaderEpoch::UNKNOWN);
                Begun::Found(Some(plain(start, epoch)))
            }
            OffsetQuery::Latest => Begun::Found(Some(plain(upto, epoch))),
            OffsetQuery::LatestTiered => Begun::Found(None),
            OffsetQuery::MaxTimestamp | OffsetQuery::AtOrAfter(_) => Begun::LookUp(log.view(), upto),
        })
    }

    /// Whether this replica answers.
    fn check_asked(&self, reach: Reach, expected: ExpectedEpoch) -> Result<(), PartitionError> {
        match reach {
            Reach::AnyLogEnd => self.check_serves_consumers(expected),
            Reach::HighWatermark | Reach::LastStableOffset | Reach::LogEnd(_) => {
                self.check_leader(expected).map(|_| ())
            }
        }
    }

    /// What was found counts. That nothing was found does only if the high watermark says how far one may look.
    fn found(&self, found: Option<FoundOffset>, reach: Reach) -> Result<Option<FoundOffset>, PartitionError> {
        if found.is_none() {
            self.check_high_watermark_is_known(reach)?;
        }
        Ok(found)
    }

    /// A new leader's high watermark may lie behind what its predecessor told: until it has reached the start of its epoch
    /// it answers nothing to a consumer by which he could go back (safety rule 6).
    fn check_high_watermark_is_known(&self, reach: Reach) -> Result<(), PartitionError> {
        let is_consumer = matches!(reach, Reach::HighWatermark | Reach::LastStableOffset);
        match &self.role {
            Role::Leader(leader)
                if is_consumer && leader.epoch_start.is_none_or(|start| self.high_watermark < start) =>
            {
                Err(PartitionError::HighWatermarkUnknown)
            }
            _ => Ok(()),
        }
    }
}

fn plain(offset: Offset, leader_epoch: LeaderEpoch) -> FoundOffset {
    FoundOffset { offset, timestamp_ms: -1, leader_epoch }
}
