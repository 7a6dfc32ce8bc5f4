//! Produce: batches are checked, appended to every partition that the request names, and acknowledged together.
//!
//! The appends happen at once, in the order of the requests; only `acks=all` waits, outside the path of the next request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};
use protocol::messages::{ProduceRequest, ProduceResponse};
use protocol::records::{BatchHeader, Compression, InvalidBatch, RecordsError, batches};
use protocol::types::Offset;
use protocol::wire::{RecordSet, Str};

use super::leader_hint::LeaderHints;
use super::topic_names::is_internal;
use super::{Listener, RequestContext, hosted, wall_clock_ms};
use crate::Broker;
use crate::metrics::topics;
use crate::replica::ack_waits::AckWait;
use crate::replica::append::{Acks, LeaderAppend};
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;

/// From this version on topics are named by id (KIP-516).
const TOPIC_IDS_SINCE: i16 = 13;

/// From this version on whoever went astray is told who leads (KIP-951).
const LEADER_HINTS_SINCE: i16 = 10;

/// From this version on records may be compressed with zstd (KIP-110).
const ZSTD_SINCE: i16 = 7;

/// The client id by which Kafka's own tools write to Kafka's own topics.
const ADMIN_CLIENT: &str = "__admin_client";

/// Errors beside which the log start offset is told.
const TOLD_WITH_LOG_START: [ErrorCode; 6] = [
    ErrorCode::InvalidRecord,
    ErrorCode::InvalidTimestamp,
    ErrorCode::OutOfOrderSequenceNumber,
    ErrorCode::InvalidProducerEpoch,
    ErrorCode::InvalidTxnState,
    ErrorCode::NotEnoughReplicas,
];

/// How a Produce request ended, or will.
pub enum Produced {
    Now(ProduceResponse),
    /// Stored here; the in-sync replicas have yet to fetch it.
    Replicating(Replicating),
    /// `acks=0`: no response. `Err`: something failed, which only closing the connection can tell.
    Unacknowledged(Result<(), String>),
}

/// A response that is complete but for the word of the in-sync replicas.
pub struct Replicating {
    broker: Arc<Broker>,
    listener: Arc<Listener>,
    version: i16,
    response: ProduceResponse,
    wait: Arc<AckWait>,
    /// By place in `wait`: which topic and partition of the response it is.
    places: Vec<(usize, usize)>,
    deadline: Instant,
}

/// Appends what the request brought.
pub fn handle(broker: &Arc<Broker>, context: &RequestContext, request: ProduceRequest) -> Produced {
    broker.client_activity.note(context.received_at);
    if is_transactional_without_id(&request) {
        return refused_all(&request, ErrorCode::TransactionalIdAuthorizationFailed);
    }
    let Some(acks) = acks(request.acks) else {
        return Produced::Now(refused(&request, ErrorCode::InvalidRequiredAcks));
    };
    let mut request_append =
        RequestAppend { broker, context, acks, wait: None, places: Vec::new(), now_ms: wall_clock_ms() };
    let topics = request.topic_data.into_iter().enumerate();
    let responses = topics.map(|(index, topic)| request_append.topic(index, topic)).collect();
    let (wait, places) = (request_append.wait, request_append.places);
    let mut response = ProduceResponse { responses, ..Default::default() };
    if acks == Acks::None {
        return Produced::Unacknowledged(first_error(&response));
    }
    let timeout = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into());
    match wait {
        Some(wait) => Produced::Replicating(Replicating {
            broker: broker.clone(),
            listener: context.listener.clone(),
            version: context.api_version,
            response: detached(response),
            wait,
            places,
            deadline: context.received_at + timeout,
        }),
        None => {
            add_leader_hints(broker, &context.listener, context.api_version, &mut response);
            Produced::Now(response)
        }
    }
}

impl Replicating {
    /// The response once every in-sync replica has the records, or the time is up.
    pub async fn response(mut self) -> ProduceResponse {
        let deadline = tokio::time::Instant::from_std(self.deadline);
        let _timed_out = tokio::time::timeout_at(deadline, self.wait.settled()).await;
        for (&(topic, partition), outcome) in self.places.iter().zip(self.wait.outcomes()) {
            if outcome != ErrorCode::None {
                let response = &mut self.response.responses[topic].partition_responses[partition];
                *response = failed(response.index, outcome, None);
            }
        }
        add_leader_hints(&self.broker, &self.listener, self.version, &mut self.response);
        self.response
    }
}

/// The response without a hold on the request: the names in it are cut from the frame, which would stay in memory with all
/// its records for as long as replication takes.
fn detached(mut response: ProduceResponse) -> ProduceResponse {
    response.responses.iter_mut().for_each(|topic| topic.name = topic.name.detached());
    response
}

fn refused_all(request: &ProduceRequest, error: ErrorCode) -> Produced {
    match acks(request.acks) {
        Some(Acks::None) => Produced::Unacknowledged(Err(error.message().to_owned())),
        _ => Produced::Now(refused(request, error)),
    }
}

fn acks(requested: i16) -> Option<Acks> {
    match requested {
        0 => Some(Acks::None),
        1 => Some(Acks::Leader),
        -1 => Some(Acks::All),
        _ => None,
    }
}

/// One request on its way through its partitions.
struct RequestAppend<'a> {
    broker: &'a Arc<Broker>,
    context: &'a RequestContext,
    acks: Acks,
    wait: Option<Arc<AckWait>>,
    places: Vec<(usize, usize)>,
    now_ms: i64,
}

impl RequestAppend<'_> {
    fn topic(&mut self, index: usize, topic: TopicProduceData) -> TopicProduceResponse {
        let TopicProduceData { name, topic_id, partition_data } = topic;
        let partitions = partition_data.into_iter().enumerate();
        let partition_responses = partitions
            .map(|(at, partition)| {
                let named = if self.context.api_version >= TOPIC_IDS_SINCE {
                    hosted::by_id(self.broker, topic_id, partition.index)
                } else {
                    hosted::by_name(self.broker, &name, partition.index)
                };
                self.partition((index, at), named, partition)
            })
            .collect();
        TopicProduceResponse { name, topic_id, partition_responses }
    }

    fn partition(
        &mut self,
        at: (usize, usize),
        named: Result<Arc<Partition>, PartitionError>,
        data: PartitionProduceData,
    ) -> PartitionProduceResponse {
        let partition = match named {
            Ok(partition) => partition,
            Err(error) => return failed(data.index, error.code(), Some(&error)),
        };
        match self.append(&partition, data.records) {
            Ok(append) => {
                if let Some(place) = append.place {
                    debug_assert_eq!(place, self.places.len(), "places are given in order");
                    self.places.push(at);
                }
                match partition.flush_if_due() {
                    Ok(()) => stored(data.index, &append),
                    Err(error) => self.unflushed(data.index, &partition, &error),
                }
            }
            Err(error) => PartitionProduceResponse {
                log_start_offset: log_start_told_with(&error, &partition),
                ..failed(data.index, error.code(), Some(&error))
            },
        }
    }

    /// What was appended is not acknowledged, for the disk failed that should have it.
    fn unflushed(
        &self,
        index: i32,
        partition: &Partition,
        error: &PartitionError,
    ) -> PartitionProduceResponse {
        self.context.span().in_scope(|| self.broker.replicas.note_failure(partition, error));
        failed(index, error.code(), Some(error))
    }

    fn append(
        &mut self,
        partition: &Partition,
        records: Option<RecordSet>,
    ) -> Result<LeaderAppend, PartitionError> {
        let Some(RecordSet::Bytes(records)) = records else { return Err(PartitionError::NotOneBatch) };
        self.check_allowed(partition, &records)?;
        let result = partition.append(&records, self.acks, &mut self.wait, self.now_ms);
        let (metrics, bytes) = (&partition.metrics, records.len() as u64);
        metrics.observe_produce_request(result.is_err());
        match &result {
            Ok(append) => metrics.observe_append(bytes, append.records()),
            Err(PartitionError::Batch(InvalidBatch::TooLarge { .. })) => metrics.observe_rejected(bytes),
            Err(PartitionError::Batch(invalid)) => topics::observe_invalid(invalid),
            Err(error) => {
                self.context.span().in_scope(|| self.broker.replicas.note_failure(partition, error))
            }
        }
        result
    }
}

impl RequestAppend<'_> {
    /// What is refused whatever the topic's configuration says.
    fn check_allowed(&self, partition: &Partition, records: &Bytes) -> Result<(), PartitionError> {
        if self.context.api_version < ZSTD_SINCE && is_zstd(records) {
            return Err(PartitionError::Zstd);
        }
        let topic = &partition.at.topic;
        if is_internal(topic) && self.context.client_id.as_deref() != Some(ADMIN_CLIENT) {
            return Err(PartitionError::Internal(Str::from(topic.as_str())));
        }
        Ok(())
    }
}

fn is_zstd(records: &Bytes) -> bool {
    let first = batches(records).next();
    first.is_some_and(|batch| batch.is_ok_and(|batch| batch.header.compression() == Compression::Zstd))
}

/// Beside some errors Apache Kafka tells where the log starts: those that say that the records do not fit the log, or the
/// log's state. It is −1 beside the others.
fn log_start_told_with(error: &PartitionError, partition: &Partition) -> i64 {
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

/// Whether records that say that they are of a transaction come without the transaction's id: Kafka asks first whether
/// the client may use that id, and nobody may use none.
fn is_transactional_without_id(request: &ProduceRequest) -> bool {
    let is_transactional = |data: &PartitionProduceData| match &data.records {
        Some(RecordSet::Bytes(records)) => {
            BatchHeader::parse(records).is_ok_and(|header| header.is_transactional())
        }
        _ => false,
    };
    request.transactional_id.is_none()
        && request.topic_data.iter().flat_map(|topic| &topic.partition_data).any(is_transactional)
}

fn stored(index: i32, append: &LeaderAppend) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        base_offset: append.appended.base_offset.0,
        log_append_time_ms: append.appended.log_append_time.unwrap_or(-1),
        log_start_offset: append.log_start_offset.0,
        ..Default::default()
    }
}

fn failed(index: i32, code: ErrorCode, error: Option<&PartitionError>) -> PartitionProduceResponse {
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
pub fn refused(request: &ProduceRequest, code: ErrorCode) -> ProduceResponse {
    let topic = |topic: &TopicProduceData| TopicProduceResponse {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partition_responses: topic.partition_data.iter().map(|data| failed(data.index, code, None)).collect(),
    };
    ProduceResponse { responses: request.topic_data.iter().map(topic).collect(), ..Default::default() }
}

/// Names the leader to those who came to the wrong broker (KIP-951).
fn add_leader_hints(broker: &Broker, listener: &Listener, version: i16, response: &mut ProduceResponse) {
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

fn first_error(response: &ProduceResponse) -> Result<(), String> {
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

#[cfg(test)]
mod tests {
    use protocol::records::BatchBuilder;

    use super::*;

    #[test]
    fn zstd_is_seen_in_the_first_header() {
        let batch = |compression| {
            let mut builder = BatchBuilder::new(compression);
            builder.append(0, None, Some(b"value"), &[]);
            builder.build().expect("a batch")
        };
        assert!(is_zstd(&batch(Compression::Zstd)));
        assert!(!is_zstd(&batch(Compression::Lz4)) && !is_zstd(&Bytes::new()));
    }

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
