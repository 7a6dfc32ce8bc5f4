//! Questions about offsets that a leader answers: earliest, latest, by timestamp, and where an epoch ended.

use protocol::types::{LeaderEpoch, Offset};

use super::errors::PartitionError;
use super::partition::{ExpectedEpoch, Partition, State};
use super::read::Reach;
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

impl Partition {
    /// Answers as leader; `None`: no record is so.
    pub fn find_offset(
        &self,
        query: OffsetQuery,
        reach: Reach,
        expected: ExpectedEpoch,
    ) -> Result<Option<FoundOffset>, PartitionError> {
        let mut state = self.lock();
        let epoch = state.check_leader(expected)?;
        if !matches!(query, OffsetQuery::Earliest) && !matches!(reach, Reach::LogEnd(_)) {
            state.check_high_watermark_is_known()?;
        }
        let upto = state.reach(reach);
        let log = state.open_log()?;
        let found = match query {
            OffsetQuery::Earliest => {
                let start = log.log_start_offset();
                return Ok(Some(plain(
                    start,
                    log.leader_epochs().epoch_of(start).unwrap_or(LeaderEpoch::UNKNOWN),
                )));
            }
            OffsetQuery::Latest => return Ok(Some(plain(upto, epoch))),
            OffsetQuery::LatestTiered => return Ok(None),
            OffsetQuery::MaxTimestamp => log.max_timestamp()?,
            OffsetQuery::AtOrAfter(timestamp_ms) => log.offset_for_timestamp(timestamp_ms, upto)?,
        };
        let visible = found.filter(|found| found.offset < upto);
        Ok(visible.map(|found| FoundOffset {
            offset: found.offset,
            timestamp_ms: found.timestamp,
            leader_epoch: found.leader_epoch,
        }))
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

impl State {
    /// A new leader's high watermark may lie behind what its predecessor told: until it has reached the start of its epoch
    /// it answers nothing by which a consumer could go back (safety rule 6).
    fn check_high_watermark_is_known(&self) -> Result<(), PartitionError> {
        match &self.role {
            Role::Leader(leader) if leader.epoch_start.is_none_or(|start| self.high_watermark < start) => {
                Err(PartitionError::HighWatermarkUnknown)
            }
            _ => Ok(()),
        }
    }
}

fn plain(offset: Offset, leader_epoch: LeaderEpoch) -> FoundOffset {
    FoundOffset { offset, timestamp_ms: -1, leader_epoch }
}
