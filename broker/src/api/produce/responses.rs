//! What a Produce request is answered with: an entry for each partition, and the leaders of those that it went to in vain.

use protocol::ErrorCode;
use protocol::messages::produce_request::TopicProduceData;
use protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};
use protocol::messages::{ProduceRequest, ProduceResponse};
use protocol::records::{InvalidBatch, RecordsError};
use protocol::types::Offset;
use protocol::wire::Str;

use super::super::Listener;
use super::super::leader_hint::LeaderHints;
use crate::Broker;
use crate::replica::append::LeaderAppend;
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;

/// From this version on whoever went astray is told who leads (KIP-951).
const LEADER_HINTS_SINCE: i16 = 10;

/// Errors beside which the log start offset is told.
const TOLD_WITH_LOG_START: [ErrorCode; 6] = [
    ErrorCode::InvalidRecord,
    ErrorCode::InvalidTimestamp,
    ErrorCode::OutOfOrderSequenceNumber,
    ErrorCode::InvalidProducerEpoch,
    ErrorCode::InvalidTxnState,
    ErrorCode::NotEnoughReplicas,
];

pub(super) fn stored(index: i32, append: &LeaderAppend) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        base_offset: append.appended.base_offset.0,
        log_append_time_ms: append.appended.log_append_time.unwrap_or(-1),
        log_start_offset: append.log_start_offset.0,
        ..Default::default()
    }
}

pub(super) fn failed(
    index: i32,
    code: ErrorCode,
    error: Option<&PartitionError>,
) -> PartitionProduceResponse {
    let record_errors = match error {
        Some(PartitionError::Batch(InvalidBatch::Records(invalid))) => invalid
            .iter()
            .map(|record| BatchIndexAndErrorMessage {
                batch_index: record.index(),
                batch_index_error_message: Some(Str::from(record.to_string())),
            })
            .collect(),
        _ => Vec::new(),
    };
    PartitionProduceResponse {
        index,
        error_code: code.code(),
        base_offset: -1,
        record_errors,
        error_message: error.and_then(PartitionError::message_for_clients),
        ..Default::default()
    }
}

/// The same error for every partition.
pub(super) fn refused(request: &ProduceRequest, code: ErrorCode) -> ProduceResponse {
    let topic = |topic: &TopicProduceData| TopicProduceResponse {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partition_responses: topic.partition_data.iter().map(|data| failed(data.index, code, None)).collect(),
    };
    ProduceResponse { responses: request.topic_data.iter().map(topic).collect(), ..Default::default() }
}

/// Names the leader to those who came to the wrong broker (KIP-951).
pub(super) fn add_leader_hints(
    broker: &Broker,
    listener: &Listener,
    version: i16,
    response: &mut ProduceResponse,
) {
    let is_astray = |code: i16| code == ErrorCode::NotLeaderOrFollower.code();
    let mut outcomes = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    if version < LEADER_HINTS_SINCE || !outcomes.any(|outcome| is_astray(outcome.error_code)) {
        return;
    }
    let mut hints = LeaderHints::new(broker, listener);
    for topic in &mut response.responses {
        for partition in topic.partition_responses.iter_mut().filter(|outcome| is_astray(outcome.error_code))
        {
            if let Some((leader, epoch)) = hints.leader(&topic.name, topic.topic_id, partition.index) {
                partition.current_leader = LeaderIdAndEpoch { leader_id: leader.0, leader_epoch: epoch.0 };
            }
        }
    }
    response.node_endpoints =
        hints.into_nodes(|node_id, host, port, rack| NodeEndpoint { node_id, host, port, rack });
}

pub(super) fn first_error(response: &ProduceResponse) -> Result<(), String> {
    for topic in &response.responses {
        if let Some(partition) = topic.partition_responses.iter().find(|partition| partition.error_code != 0)
        {
            let code = ErrorCode::from_code(partition.error_code);
            return Err(format!(
                "a produce with acks=0 to {}-{} failed: {code:?}",
                topic.name, partition.index
            ));
        }
    }
    Ok(())
}

/// The response without a hold on the request: the names in it are cut from the frame, which would stay in memory with all
/// its records for as long as replication takes.
pub(super) fn detached(mut response: ProduceResponse) -> ProduceResponse {
    response.responses.iter_mut().for_each(|topic| topic.name = topic.name.detached());
    response
}

/// Beside some errors Apache Kafka tells where the log starts: those that say that the records do not fit the log, or the
/// log's state. It is −1 beside the others.
pub(super) fn log_start_told_with(error: &PartitionError, partition: &Partition) -> i64 {
    let code = error.code();
    let fits_not = match error {
        PartitionError::NotOneBatch => false,
        PartitionError::Batch(InvalidBatch::Corrupt(error)) => is_found_beside_the_log(error),
        _ => TOLD_WITH_LOG_START.contains(&code),
    };
    if fits_not { partition.standing().log_start_offset.0 } else { Offset::UNKNOWN.0 }
}

/// Whether it is found after the batch was taken apart and its checksum was right.
fn is_found_beside_the_log(error: &RecordsError) -> bool {
    !matches!(
        error,
        RecordsError::Truncated { .. }
            | RecordsError::BatchLength { .. }
            | RecordsError::Magic { .. }
            | RecordsError::Crc { .. }
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_response_that_waits_does_not_keep_its_request_in_memory() {
        let frame = Bytes::from(b"a topic".to_vec());
        let name = Str::from_utf8(frame.clone()).expect("UTF-8");
        let responses = vec![TopicProduceResponse { name, ..Default::default() }];
        let waiting = detached(ProduceResponse { responses, ..Default::default() });
        assert!(frame.is_unique());
        assert_eq!(waiting.responses[0].name.as_str(), "a topic");
    }
}
