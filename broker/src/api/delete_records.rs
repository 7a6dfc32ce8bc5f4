//! DeleteRecords: the logs start later, on the leader at once; the client hears when they do on every live replica (KIP-107).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metadata::image::ClusterImage;
use protocol::ErrorCode;
use protocol::messages::delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
use protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use protocol::types::Offset;
use protocol::wire::Str;
use tokio::time::{Instant, sleep_until};

use super::topic_names::is_internal;
use super::{RequestContext, hosted};
use crate::Broker;
use crate::fetch::poll::LongPoll;
use crate::fetch::wait::Audience;
use crate::metrics::requests::waits::{Delayed, Waiting};
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;
use crate::replica::record_deletion::{DeleteBefore, RecordDeletion};

/// Stands for the high watermark, in the place of an offset.
const HIGH_WATERMARK: i64 = -1;

/// Deletes, and waits for the replicas of all partitions together.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let timeout = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into());
    let deadline = Instant::from_std(context.received_at) + timeout;
    let image = broker.image();
    let mut deletions: Vec<Deletion> = asked(&request)
        .into_iter()
        .map(|((topic, index), offset)| Deletion::begin(broker, &image, topic, index, offset))
        .collect();
    if deletions.iter().any(|deletion| !deletion.is_settled()) {
        await_replicas(broker, &mut deletions, deadline).await;
    }
    DeleteRecordsResponse { topics: by_topic(deletions), ..DeleteRecordsResponse::default() }
}

/// Each partition once; of two offsets the later word counts.
fn asked(request: &DeleteRecordsRequest) -> BTreeMap<(Str, i32), i64> {
    let partitions = request.topics.iter().flat_map(|topic| {
        let partitions = topic.partitions.iter();
        partitions.map(|asked| ((topic.name.clone(), asked.partition_index), asked.offset))
    });
    partitions.collect()
}

/// What was asked for one partition, and what has come of it.
struct Deletion {
    topic: Str,
    index: i32,
    outcome: Outcome,
}

enum Outcome {
    /// Some live replica's log starts too early.
    Waiting(Arc<Partition>, RecordDeletion),
    Done(Offset),
    Failed(ErrorCode),
}

impl Deletion {
    fn begin(broker: &Broker, image: &ClusterImage, topic: Str, index: i32, offset: i64) -> Deletion {
        let outcome = match deletable(broker, image, &topic, index) {
            Ok(partition) => Outcome::begin(image, partition, offset),
            Err(error) => Outcome::Failed(error.code()),
        };
        Deletion { topic, index, outcome }
    }

    fn is_settled(&self) -> bool {
        !matches!(self.outcome, Outcome::Waiting(..))
    }

    /// Looks whether the replicas have come so far.
    fn settle(&mut self, image: &ClusterImage) {
        let Outcome::Waiting(partition, deletion) = &self.outcome else { return };
        match partition.low_watermark(|id| image.is_live(id)) {
            Ok(low_watermark) if low_watermark >= deletion.before => {
                self.outcome = Outcome::Done(low_watermark);
            }
            Ok(_) => {}
            Err(error) => self.outcome = Outcome::Failed(error.code()),
        }
    }

    fn result(&self) -> DeleteRecordsPartitionResult {
        let (low_watermark, error) = match &self.outcome {
            Outcome::Waiting(_, deletion) => (deletion.low_watermark, ErrorCode::RequestTimedOut),
            Outcome::Done(low_watermark) => (*low_watermark, ErrorCode::None),
            Outcome::Failed(error) => (Offset::UNKNOWN, *error),
        };
        DeleteRecordsPartitionResult {
            partition_index: self.index,
            low_watermark: low_watermark.0,
            error_code: error.code(),
        }
    }
}

impl Outcome {
    fn begin(image: &ClusterImage, partition: Arc<Partition>, offset: i64) -> Outcome {
        let before = match offset {
            HIGH_WATERMARK => DeleteBefore::HighWatermark,
            offset => DeleteBefore::Offset(Offset(offset)),
        };
        match partition.delete_records(before, |id| image.is_live(id)) {
            Ok(deletion) if deletion.is_done() => Outcome::Done(deletion.low_watermark),
            Ok(deletion) => Outcome::Waiting(partition, deletion),
            Err(error) => Outcome::Failed(error.code()),
        }
    }
}

/// The replica here, of a partition whose records are the clients' own.
fn deletable(
    broker: &Broker,
    image: &ClusterImage,
    topic: &Str,
    index: i32,
) -> Result<Arc<Partition>, PartitionError> {
    if image.partition(topic, index).is_none() {
        return Err(PartitionError::Unknown);
    }
    if is_internal(topic) {
        return Err(PartitionError::Internal(topic.clone()));
    }
    hosted::by_name(broker, topic, index)
}

/// Returns once nothing waits any more, or the time is up. A replica whose broker dies is waited for no longer.
async fn await_replicas(broker: &Broker, deletions: &mut [Deletion], deadline: Instant) {
    let waiting = deletions.iter().filter_map(|deletion| match &deletion.outcome {
        Outcome::Waiting(partition, _) => Some(partition.clone()),
        Outcome::Done(_) | Outcome::Failed(_) => None,
    });
    let poll = LongPoll::watching(Audience::Deleters, waiting.collect());
    let _counted = Waiting::begin(Delayed::DeleteRecords);
    let mut images = broker.image.subscribe();
    loop {
        let image = images.borrow_and_update().clone();
        deletions.iter_mut().for_each(|deletion| deletion.settle(&image));
        if deletions.iter().all(Deletion::is_settled) {
            return;
        }
        tokio::select! {
            () = poll.moved() => {}
            // The sender lives as long as the broker; an error cannot come.
            _ = images.changed() => {}
            () = sleep_until(deadline) => return,
        }
    }
}

fn by_topic(deletions: Vec<Deletion>) -> Vec<DeleteRecordsTopicResult> {
    let mut topics: Vec<DeleteRecordsTopicResult> = Vec::new();
    for deletion in deletions {
        let result = deletion.result();
        match topics.last_mut().filter(|topic| topic.name == deletion.topic) {
            Some(topic) => topic.partitions.push(result),
            None => topics.push(DeleteRecordsTopicResult { name: deletion.topic, partitions: vec![result] }),
        }
    }
    topics
}
