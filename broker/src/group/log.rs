//! The seam between the coordinator and the broker's replicas: where shards keep their records, and how a write becomes a
//! batch.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::records::{BatchBuilder, Compression, RecordBatch};
use protocol::types::{LeaderEpoch, Offset};

use super::machine::KeyValue;

/// A future in a box, as a trait object returns it.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The partitions of `__consumer_offsets` that this broker leads.
///
/// Every call names the epoch under which the caller believes the partition to be led here; the log refuses any other
/// (NOT_LEADER_OR_FOLLOWER or one of the epoch errors), which is what fences a shard that does not know yet that it
/// resigned. Errors are those that the partition would give a client.
pub trait CoordinatorLog: Send + Sync + 'static {
    /// Appends one batch as acks=all would. It stands in the log when this returns, behind every batch appended before;
    /// what comes back tells when the high watermark has passed it.
    fn append(&self, partition: i32, epoch: LeaderEpoch, batch: RecordBatch) -> Result<Appending, ErrorCode>;

    /// From the log's start to its end, as they are now.
    fn span(&self, partition: i32, epoch: LeaderEpoch) -> Result<Range<Offset>, ErrorCode>;

    /// Batches, the first of them the one with `from` or the next behind it, `bytes_max` bytes in all but at least one batch,
    /// none at or past the high watermark. The last may be cut, the first never is. Waits while the high watermark has not passed `from` but the
    /// end of the log has. Empty only if nothing lies between `from` and the end of the log.
    fn read(
        &self,
        partition: i32,
        epoch: LeaderEpoch,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<Result<Bytes, ErrorCode>>;
}

/// A batch that stands in the log.
pub struct Appending {
    pub base_offset: Offset,
    /// Ends when the high watermark has passed the batch, or never will under this epoch.
    pub committed: BoxFuture<Result<(), ErrorCode>>,
}

/// What a client of the coordinator is told where the log failed: it can do nothing with errors of partitions.
pub fn coordinator_error(of_log: ErrorCode) -> ErrorCode {
    match of_log {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower
        | ErrorCode::FencedLeaderEpoch
        | ErrorCode::UnknownLeaderEpoch
        | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge | ErrorCode::InvalidFetchSize => {
            ErrorCode::UnknownServerError
        }
        other => other,
    }
}

/// One batch of these records, all stamped with the same time.
pub fn batch_of(
    records: &[KeyValue],
    compression: Compression,
    now_ms: i64,
) -> Result<RecordBatch, ErrorCode> {
    let mut builder = BatchBuilder::new(compression);
    for record in records {
        builder.append(now_ms, Some(&record.key), record.value.as_deref(), &[]);
    }
    let batch = builder.build().and_then(|bytes| RecordBatch::parse(&bytes));
    batch.map_err(|_| ErrorCode::MessageTooLarge)
}
