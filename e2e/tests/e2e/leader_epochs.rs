//! Leader epochs at every API that carries one, and where those are sent who come to the wrong broker (KIP-320, KIP-951).

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use e2e::cluster::Cluster;
use e2e::server::{Subject, subject};
use e2e::{wait, wire};
use protocol::ErrorCode;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::fetch_response::PartitionData;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::{
    FetchRequest, FetchResponse, ListOffsetsRequest, OffsetForLeaderEpochRequest, ProduceRequest,
    ProduceResponse,
};
use protocol::records::{BatchBuilder, Compression};
use protocol::types::Uuid;
use protocol::wire::RecordSet;

const TOPIC: &str = "fenced";
/// How long a broker holds a request back whose epoch it does not know yet.
const PARKED: Duration = Duration::from_millis(400);
const LATEST: i64 = -1;

/// A partition with two replicas, so that one broker has none.
struct Places {
    cluster: Cluster,
    topic_id: Uuid,
    leader: i32,
    follower: i32,
    stranger: i32,
    epoch: i32,
}

#[test]
fn old_and_unknown_epochs_are_fenced_at_every_api_that_carries_one() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let places = Places::start("epochs")?;
    type Asked<'a> = (&'a str, &'a dyn Fn(&Places, i32, &str, i32) -> Result<ErrorCode>);
    let apis: [Asked<'_>; 3] = [
        ("ListOffsets", &list_offsets),
        ("OffsetForLeaderEpoch", &offset_for_leader_epoch),
        ("Fetch", &|places, asked, topic, epoch| {
            let (error, _) = fetch(places, asked, topic, epoch)?;
            Ok(ErrorCode::from_code(error.error_code))
        }),
    ];
    let Places { leader, follower, stranger, epoch, .. } = places;
    for (api, ask) in apis {
        let check = |asked: i32, topic: &str, epoch: i32, expected: ErrorCode| {
            let error = ask(&places, asked, topic, epoch)?;
            ensure!(error == expected, "{api} of broker {asked}, epoch {epoch}: {error:?}, not {expected:?}");
            Ok(())
        };
        check(leader, TOPIC, epoch, ErrorCode::None)?;
        check(leader, TOPIC, -1, ErrorCode::None)?;
        check(leader, TOPIC, epoch - 1, ErrorCode::FencedLeaderEpoch)?;
        let began = Instant::now();
        check(leader, TOPIC, epoch + 1, ErrorCode::UnknownLeaderEpoch)?;
        ensure!(began.elapsed() >= PARKED, "{api}: it was not held back");
        check(stranger, TOPIC, epoch, ErrorCode::NotLeaderOrFollower)?;
        check(stranger, TOPIC, -1, ErrorCode::NotLeaderOrFollower)?;
        // A consumer may read from a follower (KIP-392), and only read.
        let of_follower = if api == "Fetch" { ErrorCode::None } else { ErrorCode::NotLeaderOrFollower };
        check(follower, TOPIC, epoch, of_follower)?;
        check(follower, TOPIC, epoch - 1, ErrorCode::FencedLeaderEpoch)?;
        check(leader, "nowhere", -1, ErrorCode::UnknownTopicOrPartition)?;
    }
    places.cluster.done()
}

#[test]
fn whoever_goes_astray_is_told_where_the_leader_is() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let places = Places::start("astray")?;
    let (leader, epoch, port) = (places.leader, places.epoch, i32::from(places.cluster.port(places.leader)));
    let told = |leader_id: i32, leader_epoch: i32, nodes: Vec<(i32, i32)>| {
        ensure!((leader_id, leader_epoch) == (leader, epoch), "{leader_id} of epoch {leader_epoch}");
        ensure!(nodes == [(leader, port)], "{nodes:?}");
        Ok(())
    };
    let (data, response) = fetch(&places, places.stranger, TOPIC, -1)?;
    let nodes = response.node_endpoints.iter().map(|node| (node.node_id, node.port)).collect();
    told(data.current_leader.leader_id, data.current_leader.leader_epoch, nodes).context("Fetch")?;
    for asked in [places.follower, places.stranger] {
        let response = produce(&places, asked, 11)?;
        let data = &response.responses[0].partition_responses[0];
        ensure!(ErrorCode::from_code(data.error_code) == ErrorCode::NotLeaderOrFollower, "{data:?}");
        let nodes = response.node_endpoints.iter().map(|node| (node.node_id, node.port)).collect();
        told(data.current_leader.leader_id, data.current_leader.leader_epoch, nodes).context("Produce")?;
    }
    let (fenced, response) = fetch(&places, leader, TOPIC, epoch - 1)?;
    ensure!(
        fenced.current_leader.leader_epoch == epoch && response.node_endpoints.len() == 1,
        "{response:?}"
    );
    let older = produce(&places, places.follower, 9)?;
    ensure!(older.node_endpoints.is_empty(), "version 9 knows of no hints");
    places.cluster.done()
}

impl Places {
    /// An epoch above 0, so that there is an older one: the leader of the first epoch is killed.
    fn start(name: &str) -> Result<Places> {
        let mut cluster = Cluster::start(name, 3, 1, "")?;
        wire::create_topic(cluster.port(1), TOPIC, 1, 2, wait::PATIENCE)?;
        cluster.await_in_sync(TOPIC, 2)?;
        let first = wire::partition(cluster.port(1), TOPIC, 0)?.leader_id;
        cluster.broker(first).kill();
        let witness = if first == 1 { 2 } else { 1 };
        wait::until("another leader", wait::PATIENCE, || {
            let leader = wire::partition(cluster.port(witness), TOPIC, 0)?.leader_id;
            Ok((leader > 0 && leader != first).then_some(()))
        })?;
        cluster.broker(first).start()?;
        cluster.await_in_sync(TOPIC, 2)?;
        let metadata = wire::metadata(cluster.port(1), Some(TOPIC))?;
        let topic = metadata.topics.first().context("the topic is there")?;
        let partition = topic.partitions.first().context("it has a partition")?;
        let (topic_id, leader, epoch) = (topic.topic_id, partition.leader_id, partition.leader_epoch);
        ensure!(epoch > 0, "nothing was elected: {partition:?}");
        let follower =
            partition.replica_nodes.iter().copied().find(|id| *id != leader).context("a follower")?;
        let stranger = (1..=3).find(|id| !partition.replica_nodes.contains(id)).context("a stranger")?;
        Ok(Places { cluster, topic_id, leader, follower, stranger, epoch })
    }
}

fn list_offsets(places: &Places, asked: i32, topic: &str, epoch: i32) -> Result<ErrorCode> {
    let partition =
        ListOffsetsPartition { current_leader_epoch: epoch, timestamp: LATEST, ..Default::default() };
    let topic = ListOffsetsTopic { name: topic.into(), partitions: vec![partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    let answer = wire::call(places.cluster.port(asked), &request, 7)?;
    Ok(ErrorCode::from_code(answer.topics[0].partitions[0].error_code))
}

fn offset_for_leader_epoch(places: &Places, asked: i32, topic: &str, epoch: i32) -> Result<ErrorCode> {
    let partition = OffsetForLeaderPartition { current_leader_epoch: epoch, ..Default::default() };
    let topic = OffsetForLeaderTopic { topic: topic.into(), partitions: vec![partition] };
    let request = OffsetForLeaderEpochRequest { replica_id: -1, topics: vec![topic] };
    let answer = wire::call(places.cluster.port(asked), &request, 4)?;
    Ok(ErrorCode::from_code(answer.topics[0].partitions[0].error_code))
}

/// A topic of another name has another id, which nobody knows.
fn fetch(places: &Places, asked: i32, topic: &str, epoch: i32) -> Result<(PartitionData, FetchResponse)> {
    let partition =
        FetchPartition { current_leader_epoch: epoch, partition_max_bytes: 1 << 20, ..Default::default() };
    // By name where there is no topic of that id, since an unknown id has an error of its own.
    let version = if topic == TOPIC { 16 } else { 12 };
    let topic = FetchTopic { topic: topic.into(), topic_id: places.topic_id, partitions: vec![partition] };
    let wait = i32::try_from(PARKED.as_millis())?;
    let request = FetchRequest {
        max_wait_ms: wait,
        min_bytes: 1,
        session_epoch: -1,
        topics: vec![topic],
        ..FetchRequest::default()
    };
    let answer = wire::call(places.cluster.port(asked), &request, version)?;
    let data = answer.responses.first().and_then(|topic| topic.partitions.first()).cloned();
    Ok((data.with_context(|| format!("{answer:?}"))?, answer))
}

fn produce(places: &Places, asked: i32, version: i16) -> Result<ProduceResponse> {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.append(0, None, Some(b"astray"), &[]);
    let records: Bytes = builder.build()?;
    let partition = PartitionProduceData { index: 0, records: Some(RecordSet::Bytes(records)) };
    let topic =
        TopicProduceData { name: TOPIC.into(), topic_id: Uuid::ZERO, partition_data: vec![partition] };
    let request =
        ProduceRequest { acks: -1, timeout_ms: 5_000, topic_data: vec![topic], ..ProduceRequest::default() };
    wire::call(places.cluster.port(asked), &request, version)
}
