//! One partition's log: segments in a directory, appended at one end, deleted at the other.
//!
//! ```text
//! {topic}-{partition}/00000000000000000000.{log,index,timeindex,txnindex}     a closed segment
//!                     00000000000000001042.{log,index,timeindex}              the active one
//!                     00000000000000001042.snapshot                           the producers' state as of 1042
//!                     leader-epoch-checkpoint, partition.metadata
//! ```
//!
//! A log has no lock, thread or clock of its own: its owner calls it under the partition's lock and says what time it is.
//! Reading gives ranges of files, never bytes. What takes long (fsync) is prepared under the lock and done without it.
//! The high watermark is the owner's; where an operation depends on it, it is passed in.
//!
//! * `open`, `listing`, `recovery`, `verify`: from a directory to a log.
//! * `append`, `roll`, `validate`: writing. * `read`, `transactions`: reading; `view`, `timestamps`: … without the owner's lock.
//! * `truncate`, `retention`, `delete`: shortening, from either end. * `flush`, `sync`: making durable; `writeback`: handing to
//!   the disk.
//!
//! Invariants: `log_start_offset ≤ log_end_offset`, `recovery_point ≤ log_end_offset`; the producers' state is as of
//! `log_end_offset`; once a write or an fsync has failed nothing more is written (safety rule 12).

mod append;
mod config;
mod delete;
mod flush;
mod listing;
mod open;
mod outcome;
mod read;
mod recovery;
mod retention;
mod roll;
mod segments;
mod snapshots;
mod sync;
mod timestamps;
mod transactions;
mod truncate;
mod validate;
mod verify;
mod view;
mod writeback;

use std::path::PathBuf;
use std::sync::Arc;

use protocol::types::{LeaderEpoch, Offset};

use crate::failure::IoFailure;
use crate::files::LogHome;
use crate::leader_epochs::LeaderEpochs;
use crate::producer::ProducerState;
use delete::DeletedFiles;
use segments::Segments;
use snapshots::Snapshots;
use writeback::WrittenBack;

pub use config::{CleanupPolicy, LogConfig};
pub use open::Opening;
pub use outcome::{
    AppendError, Appended, DeletedSegment, DeletionReason, FileRange, LogError, ReadError, Recovered, Slice,
    TimestampedOffset,
};
pub use sync::{Flush, Flushed};
pub use validate::prepare_for_append;
pub use view::LogView;
pub use writeback::Writeback;

/// The log of one partition.
#[derive(Debug)]
pub struct Log {
    home: Arc<LogHome>,
    config: LogConfig,
    segments: Segments,
    producers: ProducerState,
    snapshots: Snapshots,
    epochs: LeaderEpochs,
    log_start_offset: Offset,
    log_end_offset: Offset,
    /// All below is on the disk, and so are the indexes, epochs and producers' state that belong to it.
    recovery_point: Offset,
    /// `None` until it is asked for.
    written_back: Option<WrittenBack>,
    /// See [`Recovered::first_gap`]; until it is cut off.
    first_gap: Option<Offset>,
    unsynced: Unsynced,
    /// Raised by each truncation, so that a flush or a lookup that began before it does not count.
    truncations: u64,
    flush_in_flight: bool,
    /// When the first of the records was appended that the disk may not have; never later than that.
    unflushed_since_ms: Option<i64>,
    /// Whether [`Log::close`] has anything to do.
    written_since_open: bool,
    deleted: DeletedFiles,
    failed: bool,
}

/// What a flush must write beside the segments.
#[derive(Clone, Copy, Debug, Default)]
struct Unsynced {
    epochs: bool,
    directory: bool,
    snapshot: bool,
}

impl Log {
    /// Where the log lies; it moves when the log is deleted.
    pub fn directory(&self) -> PathBuf {
        self.home.directory()
    }

    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// Takes effect from the next operation on.
    pub fn reconfigure(&mut self, config: LogConfig) {
        self.config = config;
    }

    /// The first offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        self.log_start_offset
    }

    /// The offset that the next record will get.
    pub fn log_end_offset(&self) -> Offset {
        self.log_end_offset
    }

    /// What recovery after a crash may trust: the owner checkpoints it.
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Bytes of all segments.
    pub fn size_in_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    pub fn segments_count(&self) -> usize {
        self.segments.len()
    }

    /// Whether a write has failed: the log can be read, and no more.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Where offsets are missing, as recovery found ([`Recovered::first_gap`]).
    pub fn first_gap(&self) -> Option<Offset> {
        self.first_gap.filter(|&gap| gap >= self.log_start_offset)
    }

    /// The producers that wrote to this log.
    pub fn producers(&self) -> &ProducerState {
        &self.producers
    }

    /// The leader epochs of the log's records.
    pub fn leader_epochs(&self) -> &LeaderEpochs {
        &self.epochs
    }

    /// The epoch of the newest records; `None` if nothing was ever written under an epoch.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.latest().map(|entry| entry.epoch)
    }

    /// Answers OffsetForLeaderEpoch: the requested epoch, or the largest below it, and where it ended.
    pub fn end_offset_for_epoch(&self, requested: LeaderEpoch) -> (LeaderEpoch, Offset) {
        self.epochs.end_offset_for(requested, self.log_end_offset)
    }

    /// Notes that this log's owner leads from here on under `epoch`.
    pub fn begin_leader_epoch(&mut self, epoch: LeaderEpoch) {
        self.unsynced.epochs |= self.epochs.assign(epoch, self.log_end_offset);
    }

    fn refuse_if_failed(&self) -> Result<(), LogError> {
        if self.failed { Err(LogError::Failed) } else { Ok(()) }
    }

    /// Passes the outcome of an operation on, and remembers if the disk failed in it.
    fn watch<T>(&mut self, outcome: Result<T, IoFailure>) -> Result<T, LogError> {
        if let Err(failure) = &outcome {
            self.failed |= !failure.is_exhaustion();
        }
        Ok(outcome?)
    }

    fn debug_assert_invariants(&self) {
        debug_assert!(self.log_start_offset <= self.log_end_offset, "{self:?}");
        debug_assert!(self.recovery_point <= self.log_end_offset, "{self:?}");
        debug_assert!(self.segments.first().base_offset <= self.log_start_offset, "{self:?}");
        debug_assert_eq!(self.producers.end_offset(), self.log_end_offset, "{self:?}");
    }
}
