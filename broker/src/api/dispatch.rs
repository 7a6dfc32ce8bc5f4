//! The table of what is served: from a frame to its handler, and from the handler's response to a frame.
//!
//! ApiVersions advertises exactly what stands in the table. Produce and Fetch have a first step that runs at once, in the
//! order of the requests; every other handler is a future that the connection drives beside its neighbours.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use protocol::frame::{FrameError, RequestFrame, encode_response};
use protocol::messages::{
    AlterConfigsRequest, ApiVersionsRequest, CreatePartitionsRequest, CreateTopicsRequest,
    DeleteGroupsRequest, DeleteRecordsRequest, DeleteTopicsRequest, DescribeClusterRequest,
    DescribeConfigsRequest, DescribeGroupsRequest, DescribeLogDirsRequest, DescribeProducersRequest,
    DescribeTopicPartitionsRequest, ElectLeadersRequest, FetchRequest, FindCoordinatorRequest,
    HeartbeatRequest, IncrementalAlterConfigsRequest, InitProducerIdRequest, JoinGroupRequest,
    LeaveGroupRequest, ListConfigResourcesRequest, ListGroupsRequest, ListOffsetsRequest, MetadataRequest,
    OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest, OffsetForLeaderEpochRequest,
    ProduceRequest, SyncGroupRequest,
};
use protocol::wire::{Encoded, Message};
use protocol::{ApiKey, ErrorCode};
use storage::log::FileRange;

use super::fetch::{Fetched, Fetching};
use super::produce::Produced;
use super::{Peer, RequestContext, RequestId, api_versions, fetch, produce};
use crate::Broker;
use crate::metrics::requests;
use crate::metrics::requests::kind::Kind;
use crate::metrics::requests::stations::Stations;
use crate::metrics::requests::waits::{Delayed, Waiting};
use crate::net::answer::{Answer, Outcome, Piece, Refusal, Response};

/// Defines `SERVED` and the dispatch of every API whose handler is one future.
macro_rules! handlers {
    ($($key:ident: $module:ident($request:ty);)*) => {
        /// What the broker serves, and so what ApiVersions advertises.
        pub(super) const SERVED: &[ApiKey] =
            &[ApiKey::Produce, ApiKey::Fetch, ApiKey::ApiVersions, $(ApiKey::$key),*];

        fn dispatch_future(broker: &Arc<Broker>, mut arrived: Arrived) -> Answer {
            match arrived.frame.key {
                $(ApiKey::$key => {
                    let request = match arrived.frame.decode::<$request>() {
                        Ok(request) => request,
                        Err(error) => return malformed(&arrived.frame, &error),
                    };
                    let (broker, mut reply, context) = (broker.clone(), arrived.reply(), arrived.context);
                    Answer::Later(Box::pin(async move {
                        let handling = super::$module::handle(&broker, &context, request);
                        let response = reply.watching(handling).await;
                        reply.with(&response)
                    }))
                })*
                key => refuse(Some(RequestId::of(&arrived.frame)), format!("{key} is not served")),
            }
        }
    };
}

handlers! {
    ListOffsets: list_offsets(ListOffsetsRequest);
    Metadata: metadata(MetadataRequest);
    OffsetCommit: offset_commit(OffsetCommitRequest);
    OffsetFetch: offset_fetch(OffsetFetchRequest);
    FindCoordinator: find_coordinator(FindCoordinatorRequest);
    JoinGroup: join_group(JoinGroupRequest);
    Heartbeat: heartbeat(HeartbeatRequest);
    LeaveGroup: leave_group(LeaveGroupRequest);
    SyncGroup: sync_group(SyncGroupRequest);
    DescribeGroups: describe_groups(DescribeGroupsRequest);
    ListGroups: list_groups(ListGroupsRequest);
    CreateTopics: create_topics(CreateTopicsRequest);
    DeleteTopics: delete_topics(DeleteTopicsRequest);
    DeleteRecords: delete_records(DeleteRecordsRequest);
    InitProducerId: init_producer_id(InitProducerIdRequest);
    OffsetForLeaderEpoch: offset_for_leader_epoch(OffsetForLeaderEpochRequest);
    DescribeConfigs: describe_configs(DescribeConfigsRequest);
    CreatePartitions: create_partitions(CreatePartitionsRequest);
    DeleteGroups: delete_groups(DeleteGroupsRequest);
    OffsetDelete: offset_delete(OffsetDeleteRequest);
    DescribeCluster: describe_cluster(DescribeClusterRequest);
    DescribeProducers: describe_producers(DescribeProducersRequest);
    ListConfigResources: list_config_resources(ListConfigResourcesRequest);
    DescribeLogDirs: describe_log_dirs(DescribeLogDirsRequest);
    DescribeTopicPartitions: describe_topic_partitions(DescribeTopicPartitionsRequest);
    AlterConfigs: alter_configs(AlterConfigsRequest);
    IncrementalAlterConfigs: incremental_alter_configs(IncrementalAlterConfigsRequest);
    ElectLeaders: elect_leaders(ElectLeadersRequest);
}

/// A request that was taken apart as far as its header.
struct Arrived {
    frame: RequestFrame,
    context: RequestContext,
    stations: Stations,
}

/// Handles one request as far as it goes at once. Its last byte came at `received`, or earlier.
pub fn dispatch(broker: &Arc<Broker>, peer: &mut Peer, frame: Bytes, received: Instant) -> Answer {
    let bytes = frame.len();
    let frame = match RequestFrame::parse(frame) {
        Ok(frame) => frame,
        Err(FrameError::UnsupportedVersion { key: ApiKey::ApiVersions, correlation_id, .. }) => {
            let stations = Stations::begin(Kind::of(ApiKey::ApiVersions), 0, bytes, received);
            // The version that everyone knows.
            let reply = Reply { key: ApiKey::ApiVersions, version: 0, correlation_id, stations };
            return answer(reply.with(&api_versions::unsupported()));
        }
        Err(error) => return refuse(id_of(&error), error.to_string()),
    };
    let stations = Stations::begin(Kind::of(frame.key), frame.version, bytes, received);
    let context = peer.context(&frame, stations.begun());
    let arrived = Arrived { frame, context, stations };
    match arrived.frame.key {
        ApiKey::Produce => dispatch_produce(broker, peer, arrived),
        ApiKey::Fetch => dispatch_fetch(broker, arrived),
        ApiKey::ApiVersions => dispatch_api_versions(arrived),
        _ => dispatch_future(broker, arrived),
    }
}

fn dispatch_produce(broker: &Arc<Broker>, peer: &mut Peer, mut arrived: Arrived) -> Answer {
    let request = match arrived.frame.decode::<ProduceRequest>() {
        Ok(request) => request,
        Err(error) => return malformed(&arrived.frame, &error),
    };
    let mut reply = arrived.reply();
    match produce::handle(broker, &arrived.context, &mut peer.refused, request) {
        Produced::Now(response) => answer(reply.with(&response)),
        Produced::Replicating(rest) => {
            reply.stations.waits();
            let waiting = Waiting::begin(Delayed::Produce);
            Answer::Later(Box::pin(async move {
                let response = rest.response().await;
                drop(waiting);
                reply.with(&response)
            }))
        }
        Produced::Unacknowledged(Ok(())) => Answer::Silent(reply.silent()),
        Produced::Unacknowledged(Err(reason)) => refuse(Some(RequestId::of(&arrived.frame)), reason),
    }
}

fn dispatch_fetch(broker: &Arc<Broker>, mut arrived: Arrived) -> Answer {
    let request = match arrived.frame.decode::<FetchRequest>() {
        Ok(request) => request,
        Err(error) => return malformed(&arrived.frame, &error),
    };
    arrived.stations.kind = Kind::of_fetch(request.replica_id.max(request.replica_state.replica_id));
    let mut reply = arrived.reply();
    match fetch::handle(broker, &arrived.context, request) {
        Fetching::Now(fetched) => answer(reply.with_ranges(fetched)),
        Fetching::Later(pending) => {
            reply.stations.waits();
            let waiting = Waiting::begin(Delayed::Fetch);
            Answer::Later(Box::pin(async move {
                let fetched = pending.fetched().await;
                drop(waiting);
                reply.with_ranges(fetched)
            }))
        }
    }
}

fn dispatch_api_versions(mut arrived: Arrived) -> Answer {
    match arrived.frame.decode::<ApiVersionsRequest>() {
        Ok(request) => answer(arrived.reply().with(&api_versions::handle(&request, arrived.frame.version))),
        Err(error) => malformed(&arrived.frame, &error),
    }
}

fn answer(outcome: Outcome) -> Answer {
    outcome.map_or_else(Answer::Close, Answer::Ready)
}

fn malformed(frame: &RequestFrame, error: &dyn std::error::Error) -> Answer {
    let RequestFrame { key, version, .. } = frame;
    let reason = format!("a malformed {key} request of version {version}: {error}");
    refuse(Some(RequestId::of(frame)), reason)
}

fn refuse(request: Option<RequestId>, reason: String) -> Answer {
    Answer::Close(Refusal { request, reason })
}

/// What is known of a request whose header is not read to its end.
fn id_of(error: &FrameError) -> Option<RequestId> {
    match *error {
        FrameError::UnsupportedVersion { key, version, correlation_id } => {
            Some(RequestId { api: key, version, correlation_id, client_id: None })
        }
        FrameError::UnknownApi(_) | FrameError::Malformed(_) => None,
    }
}

impl Arrived {
    fn reply(&self) -> Reply {
        let RequestContext { api: key, api_version: version, correlation_id, .. } = self.context;
        Reply { key, version, correlation_id, stations: self.stations }
    }
}

/// To which request a response belongs.
struct Reply {
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    stations: Stations,
}

impl Reply {
    fn with<M: Message>(mut self, response: &M) -> Outcome {
        let pieces = vec![Piece::Bytes(self.encode(response)?.bytes)];
        Ok(Response { pieces, stations: self.answered(response) })
    }

    /// A response whose record sets lie in files.
    fn with_ranges(mut self, fetched: Fetched) -> Outcome {
        let pieces = interleave(self.encode(&fetched.response)?, fetched.ranges);
        Ok(Response { pieces, stations: self.answered(&fetched.response) })
    }

    /// A response that is not asked for: all went well.
    fn silent(mut self) -> Stations {
        self.stations.successes = 1;
        self.stations.answered();
        self.stations
    }

    /// Does what the handler does, and notes when it first has to wait.
    async fn watching<T>(&mut self, handling: impl Future<Output = T>) -> T {
        let mut handling = pin!(handling);
        poll_fn(|context| {
            let polled = handling.as_mut().poll(context);
            if polled.is_pending() {
                self.stations.waits();
            }
            polled
        })
        .await
    }

    fn answered<M: Message>(&mut self, response: &M) -> Stations {
        let (kind, mut successes) = (self.stations.kind, 0);
        response.tell_error_codes(&mut |code| match ErrorCode::None.code() == code {
            true => successes += 1,
            false => requests::observe_errors(kind, ErrorCode::from_code(code), 1),
        });
        self.stations.successes = successes;
        self.stations.answered();
        self.stations
    }

    fn encode<M: Message>(&self, response: &M) -> Result<Encoded, Refusal> {
        let encoded = encode_response(self.key, self.version, self.correlation_id, response);
        encoded.map_err(|error| {
            let Reply { key, version, correlation_id, .. } = *self;
            let request = Some(RequestId { api: key, version, correlation_id, client_id: None });
            Refusal { request, reason: format!("the response to {key} can't be encoded: {error}") }
        })
    }
}

/// Puts each range where the encoding left its gap. Gaps come in the order of their tokens.
fn interleave(encoded: Encoded, ranges: Vec<FileRange>) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(2 * encoded.gaps.len() + 1);
    let mut taken = 0;
    for (gap, range) in encoded.gaps.iter().zip(ranges) {
        debug_assert_eq!(gap.length, range.length, "a gap is as long as the range that fills it");
        pieces.push(Piece::Bytes(encoded.bytes.slice(taken..gap.position)));
        pieces.push(Piece::File(range));
        taken = gap.position;
    }
    if taken < encoded.bytes.len() {
        pieces.push(Piece::Bytes(encoded.bytes.slice(taken..)));
    }
    pieces
}
