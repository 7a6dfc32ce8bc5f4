//! Single Kafka requests, written and read with our own messages.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use protocol::ErrorCode;
use protocol::frame::{decode_response, encode_request};
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::metadata_response::MetadataResponsePartition;
use protocol::messages::{CreateTopicsRequest, MetadataRequest, MetadataResponse};
use protocol::wire::Request;

use crate::frames::{Answer, RawConnection};

/// A version of Metadata that has names, ids and leader epochs.
pub const METADATA_VERSION: i16 = 12;
/// A version of CreateTopics that answers with the topic's id.
const CREATE_TOPICS_VERSION: i16 = 7;

const CORRELATION_ID: i32 = 1;

/// Asks the server on this port of loopback, over a connection of its own.
pub fn call<R: Request>(port: u16, request: &R, version: i16) -> Result<R::Response> {
    call_over(&mut RawConnection::open(port)?, request, version)
}

/// Asks over a connection that is open, and waits for the answer.
pub fn call_over<R: Request>(
    connection: &mut RawConnection,
    request: &R,
    version: i16,
) -> Result<R::Response> {
    let frame = encode_request(version, CORRELATION_ID, Some("e2e".into()), request)?;
    ensure!(connection.send(&frame.bytes)?, "{} {version}: the connection was closed", R::NAME);
    let Answer::Frame(answer) = connection.receive()? else {
        bail!("{} {version}: no answer, the connection was closed", R::NAME)
    };
    let (header, response) = decode_response::<R>(Bytes::from(answer), version)?;
    ensure!(header.correlation_id == CORRELATION_ID, "{} {version}: the answer to another", R::NAME);
    Ok(response)
}

/// Creates a topic by a call to this broker, which knows of it when it answers.
pub fn create_topic(
    port: u16,
    name: &str,
    partitions: i32,
    replicas: i16,
    timeout: Duration,
) -> Result<ErrorCode> {
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: replicas,
        ..CreatableTopic::default()
    };
    let timeout_ms = i32::try_from(timeout.as_millis())?;
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms, ..Default::default() };
    let answer = call(port, &request, CREATE_TOPICS_VERSION)?;
    Ok(ErrorCode::from_code(answer.topics.first().context("one answer")?.error_code))
}

/// What a broker says of this topic, or of all without one. Nothing is created by it.
pub fn metadata(port: u16, topic: Option<&str>) -> Result<MetadataResponse> {
    let by_name = |name: &str| {
        vec![MetadataRequestTopic { name: Some(name.into()), ..MetadataRequestTopic::default() }]
    };
    let request = MetadataRequest {
        topics: topic.map(by_name),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    call(port, &request, METADATA_VERSION)
}

/// What a broker says of one partition.
pub fn partition(port: u16, topic: &str, index: i32) -> Result<MetadataResponsePartition> {
    let answer = metadata(port, Some(topic))?;
    let mut partitions = answer.topics.into_iter().flat_map(|topic| topic.partitions);
    partitions.find(|partition| partition.partition_index == index).context("the partition is not known")
}
