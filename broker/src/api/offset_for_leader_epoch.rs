//! OffsetForLeaderEpoch: where an epoch ended, for the requested one or the largest below it (KIP-101).

use std::sync::Arc;

use protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use protocol::messages::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use protocol::types::LeaderEpoch;

use super::RequestContext;
use crate::Broker;
use crate::replica::errors::PartitionError;

/// Answers for each partition by itself.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.iter().map(|topic| OffsetForLeaderTopicResult {
        topic: topic.topic.clone(),
        partitions: topic.partitions.iter().map(|asked| answer(broker, &topic.topic, asked)).collect(),
    });
    OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
}

fn answer(broker: &Broker, topic: &str, asked: &OffsetForLeaderPartition) -> EpochEndOffset {
    let partition = asked.partition;
    match end_of_epoch(broker, topic, asked) {
        Ok(found) => EpochEndOffset { partition, ..found },
        Err(error) => EpochEndOffset { partition, error_code: error.code().code(), ..Default::default() },
    }
}

fn end_of_epoch(
    broker: &Broker,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<EpochEndOffset, PartitionError> {
    let partition = broker.replicas.partition(topic, asked.partition)?;
    let expected = (asked.current_leader_epoch >= 0).then_some(LeaderEpoch(asked.current_leader_epoch));
    let (epoch, end) = partition.end_of_epoch(LeaderEpoch(asked.leader_epoch), expected)?;
    Ok(EpochEndOffset { leader_epoch: epoch.0, end_offset: end.0, ..Default::default() })
}
