//! ListOffsets: the earliest offset, the latest, or the first record at or after a timestamp.

use std::collections::HashSet;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
use protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use protocol::types::{BrokerId, LeaderEpoch};

use super::ahead::await_epochs;
use super::{RequestContext, hosted};
use crate::Broker;
use crate::replica::errors::PartitionError;
use crate::replica::offsets::OffsetQuery;
use crate::replica::read::Reach;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// The replica id of one who looks for a fault: any replica answers him, for all that it has.
const DEBUGGING_CONSUMER: i32 = -2;

const READ_COMMITTED: i8 = 1;

/// From this version on a response tells the leader epoch of what was found (KIP-320).
const LEADER_EPOCH_SINCE: i16 = 4;

/// From this version on a client understands OFFSET_NOT_AVAILABLE (KIP-207).
const OFFSET_NOT_AVAILABLE_SINCE: i16 = 5;

/// The oldest version that knows each special timestamp.
const MAX_TIMESTAMP_SINCE: i16 = 7;
const EARLIEST_LOCAL_SINCE: i16 = 8;
const LATEST_TIERED_SINCE: i16 = 9;
const EARLIEST_PENDING_UPLOAD_SINCE: i16 = 11;

/// Answers for each partition by itself.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    await_epochs(&broker.image, epochs(&request)).await;
    if !searches_the_log(&request) {
        return answer(broker, context, &request);
    }
    let (broker, context) = (broker.clone(), context.clone());
    let request = Arc::new(request);
    let asked = request.clone();
    let answered = tokio::task::spawn_blocking(move || answer(&broker, &context, &asked)).await;
    answered.unwrap_or_else(|_| refused(&request, ErrorCode::UnknownServerError))
}

/// By which leader epoch the client goes, of each partition.
fn epochs(request: &ListOffsetsRequest) -> impl Iterator<Item = (&str, i32, i32)> + Clone {
    request.topics.iter().flat_map(|topic| {
        let asked = topic.partitions.iter();
        asked.map(|asked| (topic.name.as_str(), asked.partition_index, asked.current_leader_epoch))
    })
}

/// Looking for a timestamp reads the log, perhaps from the disk: never on a network thread.
fn searches_the_log(request: &ListOffsetsRequest) -> bool {
    let mut timestamps =
        request.topics.iter().flat_map(|topic| &topic.partitions).map(|asked| asked.timestamp);
    timestamps.any(|timestamp| timestamp >= 0 || timestamp == MAX_TIMESTAMP)
}

fn answer(broker: &Broker, context: &RequestContext, request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let version = context.api_version;
    let reach = reach(request);
    let twice = named_twice(request);
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            if twice.contains(&(topic.name.as_str(), asked.partition_index)) {
                return failed(asked.partition_index, ErrorCode::InvalidRequest);
            }
            match offset(broker, context, topic, asked, reach) {
                Ok(found) => found,
                Err(error) => failed(asked.partition_index, code(&error, version)),
            }
        });
        ListOffsetsTopicResponse { name: topic.name.clone(), partitions: partitions.collect() }
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
}

fn offset(
    broker: &Broker,
    context: &RequestContext,
    topic: &ListOffsetsTopic,
    asked: &ListOffsetsPartition,
    reach: Reach,
) -> Result<ListOffsetsPartitionResponse, PartitionError> {
    let version = context.api_version;
    let query = query(asked.timestamp, version)?;
    let partition = hosted::by_name(broker, &topic.name, asked.partition_index)?;
    let expected = (asked.current_leader_epoch >= 0).then_some(LeaderEpoch(asked.current_leader_epoch));
    let note = |error: &PartitionError| {
        context.span().in_scope(|| broker.replicas.note_failure(&partition, error));
    };
    let found = partition.find_offset(query, reach, expected).inspect_err(note)?;
    let mut response =
        ListOffsetsPartitionResponse { partition_index: asked.partition_index, ..Default::default() };
    if let Some(found) = found {
        response.offset = found.offset.0;
        response.timestamp = found.timestamp_ms;
        if version >= LEADER_EPOCH_SINCE {
            response.leader_epoch = found.leader_epoch.0;
        }
    }
    Ok(response)
}

/// Older versions have no word for a high watermark that is not known yet.
fn code(error: &PartitionError, version: i16) -> ErrorCode {
    match error.code() {
        ErrorCode::OffsetNotAvailable if version < OFFSET_NOT_AVAILABLE_SINCE => {
            ErrorCode::LeaderNotAvailable
        }
        code => code,
    }
}

fn query(timestamp: i64, version: i16) -> Result<OffsetQuery, PartitionError> {
    let (query, since) = match timestamp {
        EARLIEST => (OffsetQuery::Earliest, 0),
        LATEST => (OffsetQuery::Latest, 0),
        MAX_TIMESTAMP => (OffsetQuery::MaxTimestamp, MAX_TIMESTAMP_SINCE),
        EARLIEST_LOCAL => (OffsetQuery::Earliest, EARLIEST_LOCAL_SINCE),
        LATEST_TIERED => (OffsetQuery::LatestTiered, LATEST_TIERED_SINCE),
        EARLIEST_PENDING_UPLOAD => (OffsetQuery::LatestTiered, EARLIEST_PENDING_UPLOAD_SINCE),
        ..0 => return Err(PartitionError::UnsupportedQuery),
        timestamp => (OffsetQuery::AtOrAfter(timestamp), 0),
    };
    if version >= since { Ok(query) } else { Err(PartitionError::UnsupportedQuery) }
}

fn reach(request: &ListOffsetsRequest) -> Reach {
    match BrokerId(request.replica_id).known() {
        Some(follower) => Reach::LogEnd(follower),
        None if request.replica_id == DEBUGGING_CONSUMER => Reach::AnyLogEnd,
        None if request.isolation_level == READ_COMMITTED => Reach::LastStableOffset,
        None => Reach::HighWatermark,
    }
}

/// The same error for every partition.
fn refused(request: &ListOffsetsRequest, error: ErrorCode) -> ListOffsetsResponse {
    let topics = request.topics.iter().map(|topic| ListOffsetsTopicResponse {
        name: topic.name.clone(),
        partitions: topic.partitions.iter().map(|asked| failed(asked.partition_index, error)).collect(),
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
}

/// Partitions that the request names more than once: none of them is answered.
fn named_twice(request: &ListOffsetsRequest) -> HashSet<(&str, i32)> {
    let mut seen = HashSet::new();
    let named = request
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|asked| (topic.name.as_str(), asked.partition_index)));
    named.filter(|&partition| !seen.insert(partition)).collect()
}

fn failed(partition_index: i32, error: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse { partition_index, error_code: error.code(), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(timestamp: i64, version: i16, expected: Result<OffsetQuery, ErrorCode>) {
        assert_eq!(query(timestamp, version).map_err(|error| error.code()), expected);
    }

    #[test]
    fn a_special_timestamp_is_known_from_its_version_on() {
        let unknown = Err(ErrorCode::UnsupportedVersion);
        check(LATEST, 1, Ok(OffsetQuery::Latest));
        check(MAX_TIMESTAMP, 6, unknown);
        check(MAX_TIMESTAMP, 7, Ok(OffsetQuery::MaxTimestamp));
        check(EARLIEST_PENDING_UPLOAD, 10, unknown);
        check(EARLIEST_PENDING_UPLOAD, 11, Ok(OffsetQuery::LatestTiered));
        check(0, 1, Ok(OffsetQuery::AtOrAfter(0)));
    }

    #[test]
    fn other_negative_timestamps_mean_nothing() {
        check(-7, 11, Err(ErrorCode::UnsupportedVersion));
        check(i64::MIN, 11, Err(ErrorCode::UnsupportedVersion));
    }

    #[test]
    fn who_looks_for_a_fault_sees_all_that_any_replica_has() {
        let reach = |replica_id| reach(&ListOffsetsRequest { replica_id, ..Default::default() });
        assert_eq!(reach(-1), Reach::HighWatermark);
        assert_eq!(reach(DEBUGGING_CONSUMER), Reach::AnyLogEnd);
        assert_eq!(reach(4), Reach::LogEnd(BrokerId(4)));
    }
}
