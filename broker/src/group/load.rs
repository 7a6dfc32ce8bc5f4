//! Reads a shard from its log, when this broker has become the partition's leader.
//!
//! It reads to the end that the log has when it begins, and no further than the high watermark at any time, so that what
//! it takes for committed is (docs/adr/0010). A log that can't be read whole is not taken for less: the shard stays unavailable and says
//! why, since a group that lost its offsets would skip or repeat records.

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::records::{
    DECOMPRESSED_BYTES_MAX, EndTransactionMarker, Record, RecordBatch, RecordsError, batches,
};
use protocol::types::{LeaderEpoch, Offset};
use protocol::wire::DecodeError;
use tokio::task::yield_now;

use super::clock::Clock;
use super::log::CoordinatorLog;
use super::machine::{CoordinatorRecord, Now, Shard};
use crate::config::GroupSettings;

/// Why a shard could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the log can't be read at offset {at}: {error}")]
    Log { at: Offset, error: ErrorCode },
    #[error("the batch at offset {at} is damaged")]
    Batch { at: Offset, source: RecordsError },
    #[error("the record at offset {at} can't be understood")]
    Record { at: Offset, source: DecodeError },
}

/// A shard that has read its log.
pub struct Loaded {
    pub shard: Shard,
    /// Records that were read, whatever they said.
    pub records: usize,
}

/// One partition to be read.
pub struct Load<'a> {
    pub log: &'a dyn CoordinatorLog,
    pub partition: i32,
    pub epoch: LeaderEpoch,
    pub clock: Clock,
}

impl Load<'_> {
    /// Reads the log from its start to the end that it has now. Lets other tasks run between the batches.
    pub async fn run(&self, settings: &GroupSettings) -> Result<Loaded, LoadError> {
        let failed_at = |at| move |error| LoadError::Log { at, error };
        let span = self.log.span(self.partition, self.epoch).map_err(failed_at(Offset::UNKNOWN))?;
        let mut loaded = Loaded { shard: Shard::new(settings.clone()), records: 0 };
        let mut from = span.start;
        while from < span.end {
            let read = self.log.read(self.partition, self.epoch, from, settings.load_buffer_bytes);
            let bytes = read.await.map_err(failed_at(from))?;
            if bytes.is_empty() {
                break;
            }
            from = self.replay(&bytes, from, &mut loaded).await?;
        }
        Ok(loaded)
    }

    /// Returns where to go on.
    async fn replay(&self, bytes: &Bytes, from: Offset, loaded: &mut Loaded) -> Result<Offset, LoadError> {
        let mut next = from;
        for batch in batches(bytes) {
            let batch = match batch {
                Ok(batch) => batch,
                // Cut where the read ended; the next begins with it.
                Err(RecordsError::Truncated { .. }) if next > from => break,
                Err(source) => return Err(LoadError::Batch { at: next, source }),
            };
            self.replay_batch(&batch, from, loaded)?;
            next = batch.header.next_offset();
            yield_now().await;
        }
        Ok(next)
    }

    fn replay_batch(&self, batch: &RecordBatch, from: Offset, loaded: &mut Loaded) -> Result<(), LoadError> {
        let (at, now) = (batch.header.base_offset, self.clock.now());
        let damaged = |source| LoadError::Batch { at, source };
        batch.verify_crc().map_err(damaged)?;
        for record in batch.records(DECOMPRESSED_BYTES_MAX).map_err(damaged)? {
            let record = record.map_err(damaged)?;
            if record.offset >= from {
                loaded.records += 1;
                replay_record(batch, record, &mut loaded.shard, now)?;
            }
        }
        Ok(())
    }
}

fn replay_record(batch: &RecordBatch, record: Record, shard: &mut Shard, now: Now) -> Result<(), LoadError> {
    let at = record.offset;
    if batch.header.is_control() {
        let marker = EndTransactionMarker::parse(&record);
        if let Some(marker) = marker.map_err(|source| LoadError::Batch { at, source })? {
            shard.replay_end_of_transaction(batch.header.producer_id, marker.committed, now);
        }
        return Ok(());
    }
    let Some(key) = record.key else { return Ok(()) };
    let decoded = CoordinatorRecord::decode(&key, record.value);
    if let Some(decoded) = decoded.map_err(|source| LoadError::Record { at, source })? {
        let transaction = batch.header.is_transactional().then_some(batch.header.producer_id);
        shard.replay(decoded, at, transaction, now);
    }
    Ok(())
}
