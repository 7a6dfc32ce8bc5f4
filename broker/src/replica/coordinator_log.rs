//! What a coordinator keeps its records in: the replicas of one internal topic, as [`CoordinatorLog`] wants them.

use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::records::RecordBatch;
use protocol::types::{LeaderEpoch, Offset};
use storage::log::FileRange;

use super::Replicas;
use super::ack_waits::AckWait;
use super::append::Moment;
use super::errors::PartitionError;
use super::partition::Partition;
use super::read::{Reach, Read};
use crate::fetch::poll::LongPoll;
use crate::fetch::wait::Audience;
use crate::group::{Appending, BoxFuture, CoordinatorLog};

/// The partitions of `topic` that this broker leads.
pub struct InternalTopic {
    pub replicas: Arc<Replicas>,
    pub topic: &'static str,
}

impl InternalTopic {
    fn partition(&self, index: i32) -> Result<Arc<Partition>, ErrorCode> {
        self.replicas.partition(self.topic, index).map_err(|error| error.code())
    }
}

impl CoordinatorLog for InternalTopic {
    fn append(&self, partition: i32, epoch: LeaderEpoch, batch: RecordBatch) -> Result<Appending, ErrorCode> {
        let partition = self.partition(partition)?;
        let mut wait = None;
        let appended =
            partition.append_internal(batch, epoch, &mut wait, Moment::now()).map_err(|error| {
                self.replicas.note_failure(&partition, &error);
                // The coordinator stays here, whatever has run out: nobody needs to look for another one.
                if error.is_exhaustion() { ErrorCode::CoordinatorNotAvailable } else { error.code() }
            })?;
        partition.flush_if_due().map_err(|error| {
            self.replicas.note_failure(&partition, &error);
            error.code()
        })?;
        Ok(Appending { base_offset: appended.appended.base_offset, committed: Box::pin(committed(wait)) })
    }

    fn span(&self, partition: i32, epoch: LeaderEpoch) -> Result<Range<Offset>, ErrorCode> {
        self.partition(partition)?.span(epoch).map_err(|error| error.code())
    }

    fn read(
        &self,
        partition: i32,
        epoch: LeaderEpoch,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<Result<Bytes, ErrorCode>> {
        let partition = self.partition(partition);
        Box::pin(async move { read(partition?, epoch, from, bytes_max).await })
    }
}

async fn committed(wait: Option<Arc<AckWait>>) -> Result<(), ErrorCode> {
    let Some(wait) = wait else { return Ok(()) };
    wait.settled().await;
    match wait.outcomes().first() {
        None | Some(ErrorCode::None) => Ok(()),
        Some(&error) => Err(error),
    }
}

/// Reads below the high watermark; sleeps while there is more in the log than that.
async fn read(
    partition: Arc<Partition>,
    epoch: LeaderEpoch,
    from: Offset,
    bytes_max: usize,
) -> Result<Bytes, ErrorCode> {
    let poll = LongPoll::watching(Audience::Consumers, vec![partition.clone()]);
    let read = Read {
        from,
        bytes_max,
        at_least_one: true,
        reach: Reach::HighWatermark,
        expected_epoch: Some(epoch),
        last_fetched_epoch: None,
        broker_epoch: None,
        log_start: None,
        asked_at: Instant::now(),
    };
    loop {
        let answer = partition.read(&read).map_err(|error| error.code())?;
        if let Some(range) = answer.records {
            return bytes_of(range).await;
        }
        // Compaction leaves holes: all may be committed, and nothing be there.
        let end = partition.span(epoch).map_err(|error| error.code())?.end;
        if end <= from.max(answer.high_watermark) {
            return Ok(Bytes::new());
        }
        poll.moved().await;
    }
}

async fn bytes_of(range: FileRange) -> Result<Bytes, ErrorCode> {
    let read = tokio::task::spawn_blocking(move || {
        let file = range.file.descriptor().map_err(|error| error.to_string())?;
        let mut bytes = vec![0; range.length as usize];
        file.read_exact_at(&mut bytes, range.position).map_err(|error| error.to_string())?;
        Ok(Bytes::from(bytes))
    });
    let outcome: Result<Bytes, String> = read.await.unwrap_or_else(|error| Err(error.to_string()));
    outcome.map_err(|error| {
        tracing::error!("a coordinator's log can't be read: {error}");
        ErrorCode::KafkaStorageError
    })
}

impl Partition {
    /// From the log's start to its end.
    fn span(&self, epoch: LeaderEpoch) -> Result<Range<Offset>, PartitionError> {
        let mut state = self.lock();
        state.check_leader(Some(epoch))?;
        let log = state.open_log()?;
        Ok(log.log_start_offset()..log.log_end_offset())
    }
}
