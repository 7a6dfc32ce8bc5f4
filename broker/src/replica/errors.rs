//! What can be wrong with a partition that a request names, and Kafka's code for it.

use std::path::PathBuf;

use protocol::ErrorCode;
use protocol::records::{InvalidBatch, InvalidRecord, RecordsError};
use protocol::types::{BrokerId, LeaderEpoch, Offset};
use protocol::wire::Str;
use storage::IoFailure;
use storage::checkpoint::CheckpointError;
use storage::log::{AppendError, LogError, ReadError};
use storage::producer::ProducerError;

use super::followers::StaleBrokerEpoch;

/// Why a partition does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    #[error("this server does not host this topic-partition")]
    Unknown,
    #[error("this server does not host this topic id")]
    UnknownId,
    #[error("this broker is not the leader of the partition")]
    NotLeader,
    #[error(
        "the log has records of leader epoch {newest}, and the cluster says {led}: it was restored from an older backup"
    )]
    BehindItsLog { led: LeaderEpoch, newest: LeaderEpoch },
    #[error("the request's leader epoch is older than the partition's")]
    Fenced,
    #[error("the request's leader epoch is newer than the one that this broker knows")]
    EpochFromTheFuture,
    #[error("broker {0} holds no replica of the partition, as far as this broker knows")]
    NotReplica(BrokerId),
    #[error(transparent)]
    StaleFollower(#[from] StaleBrokerEpoch),
    #[error("earlier batches of the producer are missing, and may be on their way to the leader of before")]
    EarlierElsewhere,
    #[error("the log is being recovered")]
    Opening,
    #[error("the log directory is offline")]
    Offline,
    #[error("{} is there already, of a replica that could not be opened or removed", .0.display())]
    Occupied(PathBuf),
    #[error("the high watermark has not reached the start of the leader epoch yet")]
    HighWatermarkUnknown,
    #[error("the version of the request does not know this special timestamp")]
    UnsupportedQuery,
    #[error("produce requests carry exactly one record batch per partition")]
    NotOneBatch,
    #[error("transactions are not available on this broker")]
    Transactional,
    #[error("{0} is one of Kafka's own topics")]
    Internal(Str),
    #[error("produce requests before version 7 carry no zstd")]
    Zstd,
    #[error("{in_sync} replicas are in sync; min.insync.replicas={min}")]
    TooFewReplicas { in_sync: usize, min: usize },
    #[error("cleanup.policy of the topic does not have delete in it")]
    Undeletable,
    #[error("records before {before} can't be deleted: the high watermark is {high_watermark}")]
    NotBelowHighWatermark { before: Offset, high_watermark: Offset },
    #[error("offset {from} is outside {start} to {end}")]
    OutOfRange { from: Offset, start: Offset, end: Offset },
    #[error(transparent)]
    Batch(#[from] InvalidBatch),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl PartitionError {
    /// Kafka's code for it.
    pub fn code(&self) -> ErrorCode {
        match self {
            PartitionError::Unknown => ErrorCode::UnknownTopicOrPartition,
            PartitionError::UnknownId => ErrorCode::UnknownTopicId,
            PartitionError::NotLeader
            | PartitionError::BehindItsLog { .. }
            | PartitionError::EarlierElsewhere
            | PartitionError::Opening
            | PartitionError::StaleFollower(_) => ErrorCode::NotLeaderOrFollower,
            PartitionError::Fenced => ErrorCode::FencedLeaderEpoch,
            PartitionError::EpochFromTheFuture | PartitionError::NotReplica(_) => {
                ErrorCode::UnknownLeaderEpoch
            }
            PartitionError::Offline | PartitionError::Occupied(_) => ErrorCode::KafkaStorageError,
            PartitionError::HighWatermarkUnknown => ErrorCode::OffsetNotAvailable,
            PartitionError::UnsupportedQuery => ErrorCode::UnsupportedVersion,
            PartitionError::NotOneBatch => ErrorCode::InvalidRecord,
            PartitionError::Transactional => ErrorCode::InvalidTxnState,
            PartitionError::Internal(_) => ErrorCode::InvalidTopicException,
            PartitionError::Zstd => ErrorCode::UnsupportedCompressionType,
            PartitionError::TooFewReplicas { .. } => ErrorCode::NotEnoughReplicas,
            PartitionError::Undeletable => ErrorCode::PolicyViolation,
            PartitionError::NotBelowHighWatermark { .. } | PartitionError::OutOfRange { .. } => {
                ErrorCode::OffsetOutOfRange
            }
            PartitionError::Batch(error) => code_of_batch(error),
            PartitionError::Append(error) => code_of_append(error),
            PartitionError::Read(error) => code_of_read(error),
            PartitionError::Log(error) => code_of_log(error),
        }
    }

    /// What a client reads beside the code, where the code alone does not say it.
    pub fn message_for_clients(&self) -> Option<Str> {
        match self {
            PartitionError::Batch(_) | PartitionError::NotOneBatch | PartitionError::Transactional => {
                Some(Str::from(self.to_string()))
            }
            PartitionError::Append(AppendError::Producer(error)) => Some(Str::from(error.to_string())),
            _ => None,
        }
    }

    /// Whether the log directory can be trusted no more (safety rule 12).
    pub fn is_disk_failure(&self) -> bool {
        match self {
            PartitionError::Append(AppendError::Log(LogError::Failed))
            | PartitionError::Log(LogError::Failed) => true,
            error => error.io_failure().is_some_and(|failure| !failure.is_exhaustion()),
        }
    }

    /// Whether the disk is full, which says nothing against it.
    pub fn is_disk_full(&self) -> bool {
        self.io_failure().is_some_and(IoFailure::is_disk_full)
    }

    /// Whether something ran out that may come back: room on the disk, or descriptors.
    pub fn is_exhaustion(&self) -> bool {
        self.io_failure().is_some_and(IoFailure::is_exhaustion)
    }

    fn io_failure(&self) -> Option<&IoFailure> {
        match self {
            PartitionError::Append(AppendError::Exhausted(failure))
            | PartitionError::Append(AppendError::Log(LogError::Io(failure)))
            | PartitionError::Log(
                LogError::Io(failure) | LogError::Checkpoint(CheckpointError::Io(failure)),
            )
            | PartitionError::Read(ReadError::Io(failure)) => Some(failure),
            _ => None,
        }
    }
}

fn code_of_batch(error: &InvalidBatch) -> ErrorCode {
    match error {
        InvalidBatch::Corrupt(error) => code_of_bytes(error),
        InvalidBatch::TooLarge { .. } => ErrorCode::MessageTooLarge,
        InvalidBatch::BaseOffset(_)
        | InvalidBatch::OffsetRange { .. }
        | InvalidBatch::Control
        | InvalidBatch::Sequence { .. }
        | InvalidBatch::TransactionalWithoutProducer => ErrorCode::InvalidRecord,
        InvalidBatch::LogAppendTime => ErrorCode::InvalidTimestamp,
        InvalidBatch::Records(records) => match records.first() {
            Some(InvalidRecord::Timestamp { .. }) => ErrorCode::InvalidTimestamp,
            Some(InvalidRecord::NullKey { .. } | InvalidRecord::OffsetDelta { .. }) | None => {
                ErrorCode::InvalidRecord
            }
        },
    }
}

/// Kafka tells bytes that are damaged from those that are whole, and say what can't be, or end too early.
fn code_of_bytes(error: &RecordsError) -> ErrorCode {
    match error {
        RecordsError::Truncated { .. }
        | RecordsError::Magic { magic: 0 | 1 }
        | RecordsError::Record { .. }
        | RecordsError::BytesLeftOver { .. }
        | RecordsError::RecordsCount { .. }
        | RecordsError::Control(_) => ErrorCode::InvalidRecord,
        RecordsError::Magic { .. }
        | RecordsError::BatchLength { .. }
        | RecordsError::UnknownCompression { .. }
        | RecordsError::Crc { .. }
        | RecordsError::Decompress { .. }
        | RecordsError::DecompressedTooLarge { .. }
        | RecordsError::Compress { .. }
        | RecordsError::TooLarge { .. } => ErrorCode::CorruptMessage,
    }
}

fn code_of_append(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::Producer(error) => code_of_producer(error),
        AppendError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
        AppendError::UnexpectedOffset { .. } => ErrorCode::UnknownServerError,
        AppendError::Corrupt(_) => ErrorCode::CorruptMessage,
        AppendError::Exhausted(_) => ErrorCode::KafkaStorageError,
        AppendError::Log(error) => code_of_log(error),
    }
}

fn code_of_producer(error: &ProducerError) -> ErrorCode {
    match error {
        ProducerError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        ProducerError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        ProducerError::InvalidTxnState { .. } => ErrorCode::InvalidTxnState,
        ProducerError::TransactionCoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
    }
}

fn code_of_read(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::Io(_) => ErrorCode::KafkaStorageError,
        ReadError::Damaged(_) => ErrorCode::CorruptMessage,
    }
}

fn code_of_log(error: &LogError) -> ErrorCode {
    match error {
        LogError::Io(_) | LogError::Checkpoint(_) | LogError::Failed => ErrorCode::KafkaStorageError,
        LogError::Damaged(_) => ErrorCode::CorruptMessage,
    }
}
