//! OffsetForLeaderEpoch: where an epoch ended, for the requested one or the largest below it (KIP-101).

use std::sync::Arc;

use protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use protocol::messages::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use protocol::types::LeaderEpoch;

use super::ahead::await_epochs;
use super::{RequestContext, hosted};
use crate::Broker;
use crate::replica::errors::PartitionError;

/// Answers for each partition by itself.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    await_epochs(&broker.image, epochs(&request)).await;
    let topics = request.topics.iter().map(|topic| OffsetForLeaderTopicResult {
        topic: topic.topic.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|asked| answer(broker, context, &topic.topic, asked))
            .collect(),
    });
    OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
}

/// By which leader epoch the client goes, of each partition.
fn epochs(request: &OffsetForLeaderEpochRequest) -> impl Iterator<Item = (&str, i32, i32)> + Clone {
    request.topics.iter().flat_map(|topic| {
        let asked = topic.partitions.iter();
        asked.map(|asked| (topic.topic.as_str(), asked.partition, asked.current_leader_epoch))
    })
}

fn answer(
    broker: &Broker,
    context: &RequestContext,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> EpochEndOffset {
    let partition = asked.partition;
    match end_of_epoch(broker, context, topic, asked) {
        Ok(found) => EpochEndOffset { partition, ..found },
        Err(error) => EpochEndOffset { partition, error_code: error.code().code(), ..Default::default() },
    }
}

fn end_of_epoch(
    broker: &Broker,
    context: &RequestContext,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<EpochEndOffset, PartitionError> {
    let partition = hosted::by_name(broker, topic, asked.partition)?;
    let expected = (asked.current_leader_epoch >= 0).then_some(LeaderEpoch(asked.current_leader_epoch));
    let note = |error: &PartitionError| {
        context.span().in_scope(|| broker.replicas.note_failure(&partition, error));
    };
    let (epoch, end) = partition.end_of_epoch(LeaderEpoch(asked.leader_epoch), expected).inspect_err(note)?;
    Ok(EpochEndOffset { leader_epoch: epoch.0, end_offset: end.0, ..Default::default() })
}
