//! What ApiVersions advertises is served, in every version, and what it does not is refused.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use e2e::frames::{Answer, RawConnection};
use e2e::server::Server;
use protocol::ApiKey;
use protocol::frame::{correlation_id, decode_response, encode_request};
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
use protocol::wire::Request;

const UNSUPPORTED_VERSION: i16 = 35;

pub type Advertised = BTreeMap<i16, RangeInclusive<i16>>;

#[test]
fn every_advertised_version_is_answered() -> Result<()> {
    let server = Server::start("api-versions")?;
    let advertised = advertised(server.port())?;
    let check = Check { port: server.port(), advertised: &advertised };
    check.api(&ApiVersionsRequest {
        client_software_name: "e2e".into(),
        client_software_version: "1".into(),
        ..Default::default()
    })?;
    check.api(&ProduceRequest { acks: -1, timeout_ms: 1_000, ..Default::default() })?;
    check.api(&InitProducerIdRequest { producer_id: -1, producer_epoch: -1, ..Default::default() })?;
    check.api(&MetadataRequest { topics: Some(Vec::new()), ..Default::default() })?;
    check.api(&FetchRequest::default())?;
    check.api(&ListOffsetsRequest { replica_id: -1, ..Default::default() })?;
    check.api(&OffsetForLeaderEpochRequest::default())?;
    check.api(&FindCoordinatorRequest::default())?;
    check.api(&JoinGroupRequest::default())?;
    check.api(&SyncGroupRequest::default())?;
    check.api(&HeartbeatRequest::default())?;
    check.api(&LeaveGroupRequest::default())?;
    check.api(&DescribeGroupsRequest::default())?;
    check.api(&ListGroupsRequest::default())?;
    check.api(&DeleteGroupsRequest::default())?;
    check.api(&OffsetDeleteRequest::default())?;
    check.api(&OffsetCommitRequest::default())?;
    check.api(&OffsetFetchRequest::default())?;
    check.api(&CreateTopicsRequest::default())?;
    check.api(&DeleteTopicsRequest::default())?;
    check.api(&CreatePartitionsRequest::default())?;
    check.api(&DescribeConfigsRequest::default())?;
    check.api(&AlterConfigsRequest::default())?;
    check.api(&IncrementalAlterConfigsRequest::default())?;
    check.api(&ElectLeadersRequest::default())?;
    check.api(&DescribeClusterRequest::default())?;
    check.api(&DescribeLogDirsRequest::default())?;
    check.api(&DeleteRecordsRequest::default())?;
    check.api(&DescribeProducersRequest::default())?;
    check.api(&ListConfigResourcesRequest::default())?;
    check.api(&DescribeTopicPartitionsRequest { response_partition_limit: 10, ..Default::default() })?;
    server.done()
}

/// Asks every advertised version of one API, and the one above it.
struct Check<'a> {
    port: u16,
    advertised: &'a Advertised,
}

impl Check<'_> {
    fn api<R: Request>(&self, request: &R) -> Result<()> {
        let versions =
            self.advertised.get(&(R::KEY as i16)).with_context(|| format!("{} is missing", R::NAME))?;
        for version in versions.clone() {
            // Produce 0 to 2 are advertised for librdkafka's sake alone.
            if R::KEY == ApiKey::Produce && version < *R::VERSIONS.start() {
                continue;
            }
            self.answered(request, version).with_context(|| format!("{} {version}", R::NAME))?;
        }
        Ok(())
    }

    fn answered<R: Request>(&self, request: &R, version: i16) -> Result<()> {
        const CORRELATION: i32 = 77;
        let frame = encode_request(version, CORRELATION, Some("e2e".into()), request)?;
        let mut connection = RawConnection::open(self.port)?;
        connection.send(&frame.bytes)?;
        let Answer::Frame(answer) = connection.receive()? else { bail!("the connection was closed") };
        let answer = Bytes::from(answer);
        ensure!(correlation_id(&answer)? == CORRELATION, "another correlation id came back");
        decode_response::<R>(answer, version)?;
        Ok(())
    }
}

/// What ApiVersions says.
pub fn advertised(port: u16) -> Result<Advertised> {
    let frame = encode_request(0, 1, Some("e2e".into()), &ApiVersionsRequest::default())?;
    let mut connection = RawConnection::open(port)?;
    connection.send(&frame.bytes)?;
    let Answer::Frame(answer) = connection.receive()? else { bail!("no answer to ApiVersions") };
    let (_, answer) = decode_response::<ApiVersionsRequest>(answer.into(), 0)?;
    let ranges = answer.api_keys.into_iter();
    Ok(ranges.map(|range| (range.api_key, range.min_version..=range.max_version)).collect())
}

/// Everything that is advertised has its line above.
#[test]
fn nothing_is_advertised_that_is_not_asked_above() -> Result<()> {
    let server = Server::start("advertised")?;
    if !server.is_milena() {
        return server.done();
    }
    let asked = include_str!("api_versions.rs");
    for key in advertised(server.port())?.into_keys() {
        let name = ApiKey::try_from(key)?.name();
        ensure!(
            asked.contains(&format!("check.api(&{name}Request")),
            "{name} is advertised and not asked here"
        );
    }
    server.done()
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_and_others_end_the_connection() -> Result<()> {
    let server = Server::start("unknown-versions")?;
    let header = |key: i16, version: i16| {
        [&key.to_be_bytes()[..], &version.to_be_bytes(), &7i32.to_be_bytes(), &(-1i16).to_be_bytes(), &[0]]
            .concat()
    };
    let mut connection = RawConnection::open(server.port())?;
    connection.send_frame(&header(ApiKey::ApiVersions as i16, 99))?;
    let Answer::Frame(answer) = connection.receive()? else { bail!("no answer to ApiVersions 99") };
    let (header_read, body) = decode_response::<ApiVersionsRequest>(answer.into(), 0)?;
    assert_eq!((header_read.correlation_id, body.error_code), (7, UNSUPPORTED_VERSION));
    let own: Vec<_> =
        body.api_keys.iter().filter(|range| range.api_key == ApiKey::ApiVersions as i16).collect();
    assert!(own.len() == 1 && own[0].min_version == 0 && own[0].max_version >= 4, "{body:?}");
    // The connection lives on: this is how clients find a version that both speak.
    connection.send_frame(&header(ApiKey::ApiVersions as i16, 0))?;
    ensure!(matches!(connection.receive()?, Answer::Frame(_)), "the connection did not live on");
    for (key, version) in [(ApiKey::Metadata as i16, 99), (ApiKey::Produce as i16, 2), (9_999, 0), (-1, 0)] {
        let mut connection = RawConnection::open(server.port())?;
        connection.send_frame(&header(key, version))?;
        assert_eq!(connection.receive()?, Answer::Closed, "key {key} version {version}");
    }
    server.done()
}
