//! DeleteRecords on one partition: the log's start moves on the leader, and the deletion is done once it has moved on every
//! replica that lives (KIP-107).
//!
//! Followers learn of it by the answers to their fetches, and tell where their logs start by the next.

use protocol::types::{BrokerId, Offset};

use super::errors::PartitionError;
use super::partition::{Partition, State};
use super::role::Role;

/// Before which offset records are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteBefore {
    /// All that is committed.
    HighWatermark,
    Offset(Offset),
}

/// A deletion that stands in the leader's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordDeletion {
    /// Done once no live replica's log starts below it.
    pub before: Offset,
    /// The first of the offsets at which the live replicas' logs start; −1 while one of them has yet to say.
    pub low_watermark: Offset,
}

impl RecordDeletion {
    pub fn is_done(&self) -> bool {
        self.low_watermark >= self.before
    }
}

impl Partition {
    /// Deletes records as leader. `is_live` says of which brokers it is waited for.
    pub fn delete_records(
        &self,
        before: DeleteBefore,
        is_live: impl Fn(BrokerId) -> bool,
    ) -> Result<RecordDeletion, PartitionError> {
        let policy = self.config().cleanup_policy;
        let mut state = self.lock();
        state.check_leader(None)?;
        if policy.compact && !policy.delete {
            return Err(PartitionError::Undeletable);
        }
        let high_watermark = state.high_watermark;
        let before = match before {
            DeleteBefore::HighWatermark => high_watermark,
            DeleteBefore::Offset(before) => before,
        };
        if before < Offset(0) || before > high_watermark {
            return Err(PartitionError::NotBelowHighWatermark { before, high_watermark });
        }
        let log = state.open_log()?;
        let starts_before = log.log_start_offset();
        if log.advance_log_start(before, high_watermark) > starts_before {
            tracing::info!(partition = %self.at, %before, "records deleted, as a client asked for");
            state.mark.note();
            state.fetches.log_start_moved();
        }
        Ok(RecordDeletion { before, low_watermark: state.low_watermark(self.broker, is_live)? })
    }

    /// See [`RecordDeletion::low_watermark`]; only the leader knows.
    pub fn low_watermark(&self, is_live: impl Fn(BrokerId) -> bool) -> Result<Offset, PartitionError> {
        let state = self.lock();
        state.check_leader(None)?;
        state.low_watermark(self.broker, is_live)
    }
}

impl State {
    fn low_watermark(
        &self,
        broker: BrokerId,
        is_live: impl Fn(BrokerId) -> bool,
    ) -> Result<Offset, PartitionError> {
        let Role::Leader(leader) = &self.role else { return Err(PartitionError::NotLeader) };
        let others = leader.replicas.iter().copied().filter(|&id| id != broker && is_live(id));
        let log_starts = others.map(|id| self.followers.log_start(id).unwrap_or(Offset::UNKNOWN));
        Ok(log_starts.fold(self.log_start_offset(), Offset::min))
    }
}
