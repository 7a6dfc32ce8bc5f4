//! Admin calls against a broker that coordinates groups and leads partitions, and is sometimes not ready to.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use client::{Admin, Cluster, TopicPartition};
use protocol::messages::delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
use protocol::messages::find_coordinator_response::Coordinator;
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use protocol::messages::{
    ConsumerGroupDescribeResponse, DeleteRecordsResponse, DescribeGroupsResponse, FindCoordinatorResponse,
    OffsetFetchRequest, OffsetFetchResponse, consumer_group_describe_response, describe_groups_response,
};
use protocol::{ApiKey, ErrorCode};
use support::{Reply, RequestFrame, answer, broker, impatient, metadata};

/// How often a call was asked for; it is refused the first time.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Calls {
    fn is_first(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) == 0
    }

    fn error(&self, first: ErrorCode) -> i16 {
        if self.is_first() { first.code() } else { 0 }
    }
}

async fn admin() -> Admin {
    let calls = Arc::new(Calls::default());
    let port = broker(move |request, port| {
        let calls = Arc::clone(&calls);
        async move { reply(&calls, request, port) }
    })
    .await;
    Admin::new(Cluster::connect(impatient(port)).await.expect("it connects"))
}

fn reply(calls: &Calls, request: RequestFrame, port: u16) -> Reply {
    match request.key {
        ApiKey::Metadata => answer(&request, &metadata(port, &["t"])),
        ApiKey::FindCoordinator => answer(&request, &coordinator(port)),
        ApiKey::OffsetFetch => offsets(calls, request),
        ApiKey::ConsumerGroupDescribe => answer(&request, &not_of_the_newer_protocol()),
        // A coordinator that has just gone.
        ApiKey::DescribeGroups if calls.is_first() => Reply::Close,
        ApiKey::DescribeGroups => answer(&request, &classic_group()),
        ApiKey::DeleteRecords => answer(&request, &deleted(calls)),
        _ => Reply::Nothing,
    }
}

fn coordinator(port: u16) -> FindCoordinatorResponse {
    let found = Coordinator { node_id: 1, host: "127.0.0.1".into(), port: port.into(), ..Default::default() };
    FindCoordinatorResponse { coordinators: vec![found], ..Default::default() }
}

fn offsets(calls: &Calls, mut request: RequestFrame) -> Reply {
    let asked: OffsetFetchRequest = request.decode().expect("offsets");
    assert_eq!(request.version, 9, "the last that names topics");
    assert!(asked.groups[0].topics.is_none(), "all topics are asked for");
    let partition = |partition_index, committed_offset| OffsetFetchResponsePartitions {
        partition_index,
        committed_offset,
        ..Default::default()
    };
    let partitions = vec![partition(0, 7), partition(1, -1)];
    let topic = OffsetFetchResponseTopics { name: "t".into(), partitions, ..Default::default() };
    let error_code = calls.error(ErrorCode::CoordinatorLoadInProgress);
    let group = OffsetFetchResponseGroup { group_id: "g".into(), topics: vec![topic], error_code };
    answer(&request, &OffsetFetchResponse { groups: vec![group], ..Default::default() })
}

fn not_of_the_newer_protocol() -> ConsumerGroupDescribeResponse {
    let error_code = ErrorCode::GroupIdNotFound.code();
    let group = consumer_group_describe_response::DescribedGroup { error_code, ..Default::default() };
    ConsumerGroupDescribeResponse { groups: vec![group], ..Default::default() }
}

fn classic_group() -> DescribeGroupsResponse {
    let group = describe_groups_response::DescribedGroup {
        group_id: "g".into(),
        group_state: "Empty".into(),
        ..Default::default()
    };
    DescribeGroupsResponse { groups: vec![group], ..Default::default() }
}

fn deleted(calls: &Calls) -> DeleteRecordsResponse {
    let error_code = calls.error(ErrorCode::NotLeaderOrFollower);
    let partition = DeleteRecordsPartitionResult { partition_index: 0, low_watermark: 5, error_code };
    let topic = DeleteRecordsTopicResult { name: "t".into(), partitions: vec![partition] };
    DeleteRecordsResponse { topics: vec![topic], ..Default::default() }
}

#[tokio::test]
async fn offsets_of_a_group_are_read_once_its_coordinator_has_loaded_them() {
    let committed = admin().await.committed_offsets("g").await.expect("it is asked again");
    let offsets: Vec<_> =
        committed.iter().map(|(at, committed)| (at.to_string(), committed.offset)).collect();
    assert_eq!(offsets, [("t-0".to_owned(), 7)], "where nothing is committed there is no offset");
}

#[tokio::test]
async fn a_group_that_the_newer_protocol_does_not_know_is_a_classic_one() {
    let group = admin().await.describe_group("g").await.expect("it is asked again");
    assert_eq!((group.group_type, group.is_empty()), ("classic", true));
    assert_eq!(group.coordinator.map(|broker| broker.id.0), Some(1));
}

#[tokio::test]
async fn records_are_deleted_by_the_leader_that_follows() {
    let at = |partition| TopicPartition::new("t", partition);
    let before = BTreeMap::from([(at(0), 5), (at(9), 5)]);
    let outcomes = admin().await.delete_records(&before).await;
    assert_eq!(outcomes[&at(0)].as_ref().ok(), Some(&5), "{outcomes:?}");
    let missing = outcomes[&at(9)].as_ref().expect_err("there is no such partition");
    assert!(missing.to_string().contains("no partition 9"), "{missing}");
}
