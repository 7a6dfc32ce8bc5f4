//! What the operations of a log answer, and how they fail.

use std::sync::Arc;

use protocol::types::{LeaderEpoch, Offset};

use crate::checkpoint::CheckpointError;
use crate::failure::IoFailure;
use crate::files::SegmentFile;
use crate::producer::ProducerError;
use crate::segment::{Damage, SegmentError};

/// What [`Log::open`](super::Log::open) found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Bytes of log whose checksums were verified; 0 after a clean shutdown.
    pub verified_bytes: u64,
    /// Bytes that were cut off because they were torn or damaged. Each cut has left a warning in the log.
    pub cut_bytes: u64,
    /// Past the recovery point a segment ends here, and the next one begins later. Compaction leaves such gaps, but so does
    /// a power loss that took the end of a file and spared a later one. A follower truncates to it, and fetches again what
    /// may have been there; a leader has nobody to ask.
    pub first_gap: Option<Offset>,
}

/// An append that is in the log. It is committed when the high watermark passes `last_offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub base_offset: Offset,
    pub last_offset: Offset,
    /// Set for topics of `message.timestamp.type=LogAppendTime`.
    pub log_append_time: Option<i64>,
    /// Nothing was written: the offsets are those of the producer's first attempt.
    pub duplicate: bool,
}

/// Why nothing was appended. Unless it is [`AppendError::Log`] with a failed disk, the log is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error(transparent)]
    Producer(#[from] ProducerError),
    #[error("batches of {bytes} bytes do not fit a segment of {segment_bytes}")]
    LargerThanSegment { bytes: u64, segment_bytes: u32 },
    #[error(
        "a batch begins at offset {first} and ends at {last}, where offset {expected} or more was expected"
    )]
    UnexpectedOffset { first: Offset, last: Offset, expected: Offset },
    #[error("the fetched records are damaged: {0}")]
    Corrupt(#[from] protocol::records::RecordsError),
    /// The disk is full, or descriptors ran out: try again later. What had been written was cut off again.
    #[error(transparent)]
    Exhausted(IoFailure),
    #[error(transparent)]
    Log(LogError),
}

/// Why a log could not be opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log directory cannot be trusted any more, unless the disk was full or descriptors ran out.
    #[error(transparent)]
    Io(#[from] IoFailure),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the log takes no more writes, for an earlier one failed (safety rule 12)")]
    Failed,
    #[error(transparent)]
    Damaged(#[from] Damage),
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Valid are the log start offset to the log end offset, both inclusive.
    #[error("offset {requested} is outside {log_start_offset} to {log_end_offset}")]
    OutOfRange { requested: Offset, log_start_offset: Offset, log_end_offset: Offset },
    #[error(transparent)]
    Io(#[from] IoFailure),
    #[error(transparent)]
    Damaged(#[from] Damage),
}

impl From<LogError> for AppendError {
    fn from(error: LogError) -> AppendError {
        match error {
            LogError::Io(failure) if failure.is_exhaustion() => AppendError::Exhausted(failure),
            error => AppendError::Log(error),
        }
    }
}

impl From<SegmentError> for LogError {
    fn from(error: SegmentError) -> LogError {
        match error {
            SegmentError::Io(failure) => LogError::Io(failure),
            SegmentError::Damaged(damage) => LogError::Damaged(damage),
        }
    }
}

impl From<SegmentError> for ReadError {
    fn from(error: SegmentError) -> ReadError {
        match error {
            SegmentError::Io(failure) => ReadError::Io(failure),
            SegmentError::Damaged(damage) => ReadError::Damaged(damage),
        }
    }
}

/// Whole batches of one segment, but for the last, which may be cut short. No byte of it has been read.
#[derive(Clone, Debug)]
pub struct FileRange {
    pub file: Arc<SegmentFile>,
    /// Where the range begins in the file.
    pub position: u64,
    /// Bytes; never 0.
    pub length: u32,
    /// Nobody else is about to read it: what had to come from the disk need not stay in the page cache.
    pub read_once: bool,
}

/// What a read found.
#[derive(Clone, Debug)]
pub struct Slice {
    /// `None`: nothing is there yet, or its first batch is larger than was asked for.
    pub range: Option<FileRange>,
    /// The base offset of the first batch, which may lie below the offset asked for; without a range, that offset.
    pub first_offset: Offset,
}

impl Slice {
    /// Bytes of the range.
    pub fn length(&self) -> u32 {
        self.range.as_ref().map_or(0, |range| range.length)
    }
}

/// A record that was found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampedOffset {
    pub offset: Offset,
    pub timestamp: i64,
    pub leader_epoch: LeaderEpoch,
}

/// A segment that retention removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeletedSegment {
    pub base_offset: Offset,
    pub bytes: u64,
    pub reason: DeletionReason,
}

/// Why a segment was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionReason {
    /// All of it is older than `retention.ms`.
    Time,
    /// The log without it still has `retention.bytes`.
    Size,
    /// All of it lies below the log start offset.
    LogStart,
}
