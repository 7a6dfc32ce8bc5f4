//! Produce: batches are checked, appended to every partition that the request names, and acknowledged together.
//!
//! The appends happen at once, in the order of the requests; only `acks=all` waits, outside the path of the next request.

mod refused_batches;
mod responses;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use protocol::messages::{ProduceRequest, ProduceResponse};
use protocol::records::{BatchHeader, Compression, InvalidBatch, batches};
use protocol::wire::{RecordSet, Str};

use self::refused_batches::Numbered;
pub use self::refused_batches::RefusedBatches;
use self::responses::{
    add_leader_hints, detached, failed, first_error, log_start_told_with, refused, stored,
};
use super::topic_names::is_internal;
use super::{Listener, RequestContext, hosted, wall_clock_ms};
use crate::Broker;
use crate::metrics::topics;
use crate::replica::ack_waits::AckWait;
use crate::replica::append::{Acks, LeaderAppend, Moment};
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;

/// From this version on topics are named by id (KIP-516).
const TOPIC_IDS_SINCE: i16 = 13;

/// From this version on records may be compressed with zstd (KIP-110).
const ZSTD_SINCE: i16 = 7;

/// The client id by which Kafka's own tools write to Kafka's own topics.
const ADMIN_CLIENT: &str = "__admin_client";

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

/// Appends what the request brought. `refused_batches` are those of its connection.
pub fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    refused_batches: &mut RefusedBatches,
    request: ProduceRequest,
) -> Produced {
    broker.client_activity.note(context.received_at);
    if is_transactional_without_id(&request) {
        return refused_all(&request, ErrorCode::TransactionalIdAuthorizationFailed);
    }
    let Some(acks) = acks(request.acks) else {
        return Produced::Now(refused(&request, ErrorCode::InvalidRequiredAcks));
    };
    let mut request_append = RequestAppend {
        broker,
        context,
        refused_batches,
        acks,
        wait: None,
        places: Vec::new(),
        now: Moment { instant: context.received_at, wall_ms: wall_clock_ms() },
    };
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
    refused_batches: &'a mut RefusedBatches,
    acks: Acks,
    wait: Option<Arc<AckWait>>,
    places: Vec<(usize, usize)>,
    now: Moment,
}

impl RequestAppend<'_> {
    fn topic(&mut self, index: usize, topic: TopicProduceData) -> TopicProduceResponse {
        let TopicProduceData { name, topic_id, partition_data } = topic;
        let partitions = partition_data.into_iter().enumerate();
        let partition_responses = partitions
            .map(|(at, data)| {
                let named = if self.context.api_version >= TOPIC_IDS_SINCE {
                    hosted::by_id(self.broker, topic_id, data.index)
                } else {
                    hosted::by_name(self.broker, &name, data.index)
                };
                let numbered = || Numbered::of(records_of(&data)?, &name, topic_id, data.index);
                self.in_order(data.index, numbered, |request| request.partition((index, at), named, &data))
            })
            .collect();
        TopicProduceResponse { name, topic_id, partition_responses }
    }

    /// Lets a batch be taken in, unless one was refused that it follows; `numbered` says where it stands.
    fn in_order(
        &mut self,
        index: i32,
        numbered: impl Fn() -> Option<Numbered>,
        take_in: impl FnOnce(&mut Self) -> PartitionProduceResponse,
    ) -> PartitionProduceResponse {
        let now = self.now.instant;
        let is_any_refused = self.refused_batches.is_any(now);
        let placed = is_any_refused.then(&numbered).flatten();
        if let Some(code) = placed.and_then(|batch| self.refused_batches.refused_before(&batch, now)) {
            return failed(index, code, None);
        }
        let response = take_in(self);
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None if !is_any_refused => {}
            ErrorCode::None => numbered().iter().for_each(|batch| self.refused_batches.accept(batch)),
            code => {
                numbered().into_iter().for_each(|batch| self.refused_batches.refuse(batch, code, now));
            }
        }
        response
    }

    fn partition(
        &mut self,
        at: (usize, usize),
        named: Result<Arc<Partition>, PartitionError>,
        data: &PartitionProduceData,
    ) -> PartitionProduceResponse {
        let partition = match named {
            Ok(partition) => partition,
            Err(error) => return failed(data.index, error.code(), Some(&error)),
        };
        match self.append(&partition, records_of(data)) {
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
        records: Option<&Bytes>,
    ) -> Result<LeaderAppend, PartitionError> {
        let records = records.ok_or(PartitionError::NotOneBatch)?;
        self.check_allowed(partition, records)?;
        let result = partition.append(records, self.acks, &mut self.wait, self.now);
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

fn records_of(data: &PartitionProduceData) -> Option<&Bytes> {
    match &data.records {
        Some(RecordSet::Bytes(records)) => Some(records),
        _ => None,
    }
}

fn is_zstd(records: &Bytes) -> bool {
    let first = batches(records).next();
    first.is_some_and(|batch| batch.is_ok_and(|batch| batch.header.compression() == Compression::Zstd))
}

/// Whether records that say that they are of a transaction come without the transaction's id: Kafka asks first whether
/// the client may use that id, and nobody may use none.
fn is_transactional_without_id(request: &ProduceRequest) -> bool {
    let is_transactional = |data: &PartitionProduceData| {
        let header = records_of(data).map(|records| BatchHeader::parse(records));
        header.is_some_and(|header| header.is_ok_and(|header| header.is_transactional()))
    };
    request.transactional_id.is_none()
        && request.topic_data.iter().flat_map(|topic| &topic.partition_data).any(is_transactional)
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
}
