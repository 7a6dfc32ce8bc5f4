//! The table of what is served: from a frame to its handler, and from the handler's response to a frame.
//!
//! ApiVersions advertises exactly what stands in the table. Produce and Fetch have a first step that runs at once, in the
//! order of the requests; every other handler is a future that the connection drives beside its neighbours.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use protocol::ApiKey;
use protocol::frame::{FrameError, RequestFrame, encode_response};
use protocol::messages::{
    AlterConfigsRequest, ApiVersionsRequest, CreatePartitionsRequest, CreateTopicsRequest,
    DeleteGroupsRequest, DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest,
    DescribeGroupsRequest, DescribeLogDirsRequest, DescribeTopicPartitionsRequest, ElectLeadersRequest,
    FetchRequest, FindCoordinatorRequest, HeartbeatRequest, IncrementalAlterConfigsRequest,
    InitProducerIdRequest, JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest, ListOffsetsRequest,
    MetadataRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
    OffsetForLeaderEpochRequest, ProduceRequest, SyncGroupRequest,
};
use protocol::wire::{Encoded, Message};
use storage::log::FileRange;

use super::fetch::{Fetched, Fetching};
use super::produce::Produced;
use super::{Peer, api_versions, fetch, produce};
use crate::Broker;
use crate::metrics::requests;
use crate::net::answer::{Answer, Outcome, Piece, Response};

/// Defines `SERVED` and the dispatch of every API whose handler is one future.
macro_rules! handlers {
    ($($key:ident: $module:ident($request:ty);)*) => {
        /// What the broker serves, and so what ApiVersions advertises.
        pub(super) const SERVED: &[ApiKey] =
            &[ApiKey::Produce, ApiKey::Fetch, ApiKey::ApiVersions, $(ApiKey::$key),*];

        fn dispatch_future(broker: &Arc<Broker>, peer: &Peer, mut frame: RequestFrame) -> Answer {
            match frame.key {
                $(ApiKey::$key => {
                    let request = match frame.decode::<$request>() {
                        Ok(request) => request,
                        Err(error) => return malformed(&frame, &error),
                    };
                    let (broker, context, reply) = (broker.clone(), peer.context(&frame), Reply::to(&frame));
                    Answer::Later(Box::pin(async move {
                        reply.with(&super::$module::handle(&broker, &context, request).await)
                    }))
                })*
                key => Answer::Close(format!("{key} is not served")),
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
    InitProducerId: init_producer_id(InitProducerIdRequest);
    OffsetForLeaderEpoch: offset_for_leader_epoch(OffsetForLeaderEpochRequest);
    DescribeConfigs: describe_configs(DescribeConfigsRequest);
    CreatePartitions: create_partitions(CreatePartitionsRequest);
    DeleteGroups: delete_groups(DeleteGroupsRequest);
    OffsetDelete: offset_delete(OffsetDeleteRequest);
    DescribeCluster: describe_cluster(DescribeClusterRequest);
    DescribeLogDirs: describe_log_dirs(DescribeLogDirsRequest);
    DescribeTopicPartitions: describe_topic_partitions(DescribeTopicPartitionsRequest);
    AlterConfigs: alter_configs(AlterConfigsRequest);
    IncrementalAlterConfigs: incremental_alter_configs(IncrementalAlterConfigsRequest);
    ElectLeaders: elect_leaders(ElectLeadersRequest);
}

/// Handles one request as far as it goes at once.
pub fn dispatch(broker: &Arc<Broker>, peer: &mut Peer, frame: Bytes) -> Answer {
    let frame = match RequestFrame::parse(frame) {
        Ok(frame) => frame,
        Err(FrameError::UnsupportedVersion { key: ApiKey::ApiVersions, correlation_id, .. }) => {
            return answer(api_versions::unsupported(correlation_id));
        }
        Err(error) => return Answer::Close(error.to_string()),
    };
    match frame.key {
        ApiKey::Produce => dispatch_produce(broker, peer, frame),
        ApiKey::Fetch => dispatch_fetch(broker, peer, frame),
        ApiKey::ApiVersions => dispatch_api_versions(frame),
        _ => dispatch_future(broker, peer, frame),
    }
}

fn dispatch_produce(broker: &Arc<Broker>, peer: &Peer, mut frame: RequestFrame) -> Answer {
    let request = match frame.decode::<ProduceRequest>() {
        Ok(request) => request,
        Err(error) => return malformed(&frame, &error),
    };
    let reply = Reply::to(&frame);
    match produce::handle(broker, &peer.context(&frame), request) {
        Produced::Now(response) => answer(reply.with(&response)),
        Produced::Replicating(rest) => {
            Answer::Later(Box::pin(async move { reply.with(&rest.response().await) }))
        }
        Produced::Unacknowledged(Ok(())) => Answer::Silent,
        Produced::Unacknowledged(Err(reason)) => Answer::Close(reason),
    }
}

fn dispatch_fetch(broker: &Arc<Broker>, peer: &Peer, mut frame: RequestFrame) -> Answer {
    let request = match frame.decode::<FetchRequest>() {
        Ok(request) => request,
        Err(error) => return malformed(&frame, &error),
    };
    let reply = Reply::to(&frame);
    match fetch::handle(broker, &peer.context(&frame), request) {
        Fetching::Now(fetched) => answer(reply.with_ranges(fetched)),
        Fetching::Later(pending) => {
            Answer::Later(Box::pin(async move { reply.with_ranges(pending.fetched().await) }))
        }
    }
}

fn dispatch_api_versions(mut frame: RequestFrame) -> Answer {
    match frame.decode::<ApiVersionsRequest>() {
        Ok(request) => answer(Reply::to(&frame).with(&api_versions::handle(&request, frame.version))),
        Err(error) => malformed(&frame, &error),
    }
}

fn answer(outcome: Outcome) -> Answer {
    outcome.map_or_else(Answer::Close, Answer::Ready)
}

fn malformed(frame: &RequestFrame, error: &dyn std::error::Error) -> Answer {
    let RequestFrame { key, version, .. } = frame;
    Answer::Close(format!("a malformed {key} request of version {version}: {error}"))
}

/// To which request a response belongs.
struct Reply {
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    received_at: Instant,
}

impl Reply {
    fn to(frame: &RequestFrame) -> Reply {
        let (key, version, correlation_id) = (frame.key, frame.version, frame.header.correlation_id);
        Reply { key, version, correlation_id, received_at: Instant::now() }
    }

    fn with<M: Message>(&self, response: &M) -> Outcome {
        Ok(Response::of_bytes(self.encode(response)?.bytes))
    }

    /// A response whose record sets lie in files.
    fn with_ranges(&self, fetched: Fetched) -> Outcome {
        let encoded = self.encode(&fetched.response)?;
        Ok(interleave(encoded, fetched.ranges))
    }

    fn encode<M: Message>(&self, response: &M) -> Result<Encoded, String> {
        requests::observe(self.key, self.received_at.elapsed());
        let encoded = encode_response(self.key, self.version, self.correlation_id, response);
        encoded.map_err(|error| format!("the response to {} can't be encoded: {error}", self.key))
    }
}

/// Puts each range where the encoding left its gap. Gaps come in the order of their tokens.
fn interleave(encoded: Encoded, ranges: Vec<FileRange>) -> Response {
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
    Response { pieces }
}

/// The answer to a version that is not known: the version that everyone knows, with ApiVersions' own range.
pub(super) fn encode_for_unknown_version<M: Message>(correlation_id: i32, response: &M) -> Outcome {
    let reply = Reply { key: ApiKey::ApiVersions, version: 0, correlation_id, received_at: Instant::now() };
    reply.with(response)
}
