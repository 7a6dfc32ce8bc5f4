//! A connection against brokers that behave and brokers that do not.

mod support;

use std::time::Duration;

use bytes::Bytes;
use client::{Cluster, Connection, ConnectionConfig, ConnectionError, Disconnected};
use protocol::messages::api_versions_response::ApiVersion;
use protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, FindCoordinatorRequest, HeartbeatRequest, HeartbeatResponse,
    MetadataRequest,
};
use protocol::wire::{Message, Str, Writer};
use protocol::{ApiKey, ErrorCode};
use support::{Reply, answer, broker, impatient, metadata, read_frame};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

async fn connect(port: u16) -> Connection {
    let config = ConnectionConfig { frame_bytes_max: 1 << 20, ..impatient(port).connection };
    Connection::connect(&format!("127.0.0.1:{port}"), &config).await.expect("it connects")
}

fn heartbeat(generation_id: i32) -> HeartbeatRequest {
    HeartbeatRequest { group_id: "g".into(), generation_id, ..Default::default() }
}

/// Echoes a heartbeat's generation as the throttle time.
async fn echo(mut request: support::RequestFrame, _: u16) -> Reply {
    let asked: HeartbeatRequest = request.decode().expect("a heartbeat");
    let throttle_time_ms = asked.generation_id;
    answer(&request, &HeartbeatResponse { throttle_time_ms, ..Default::default() })
}

#[tokio::test]
async fn many_requests_in_flight_get_their_own_answers() {
    let connection = connect(broker(echo).await).await;
    let calls = (0..1000).map(|generation| {
        let connection = connection.clone();
        tokio::spawn(async move { (generation, connection.send(&heartbeat(generation)).await) })
    });
    for call in calls.collect::<Vec<_>>() {
        let (generation, answer) = call.await.expect("no panic");
        assert_eq!(answer.expect("it is answered").throttle_time_ms, generation);
    }
}

#[tokio::test]
async fn a_broker_that_does_not_know_our_version_is_asked_at_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let old = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let versions = |max_version| ApiVersion { api_key: 18, min_version: 0, max_version };
        let fetch = ApiVersion { api_key: 1, min_version: 4, max_version: 11 };
        let refusal =
            ApiVersionsResponse { error_code: 35, api_keys: vec![versions(2)], ..Default::default() };
        let body = ApiVersionsResponse { api_keys: vec![versions(2), fetch], ..Default::default() };
        for (version, body) in [(0, refusal), (2, body)] {
            let request = read_frame(&mut stream).await.expect("a request");
            let mut writer = Writer::new();
            body.encode(&mut writer, version).expect("it encodes");
            let body = writer.finish().bytes;
            let length = (4 + body.len() as i32).to_be_bytes();
            let frame = [&length[..], &request[4..8], &body].concat();
            stream.write_all(&frame).await.expect("the client reads");
        }
        read_frame(&mut stream).await
    });
    let connection = connect(port).await;
    assert_eq!(connection.version_of::<ApiVersionsRequest>().ok(), Some(2));
    assert_eq!(connection.version_of::<protocol::messages::FetchRequest>().ok(), Some(11));
    let absent = connection.send(&FindCoordinatorRequest::default()).await;
    assert!(matches!(absent, Err(ConnectionError::ApiNotServed { .. })), "{absent:?}");
    drop(connection);
    assert_eq!(old.await.expect("no panic"), None, "a dropped connection closes its socket");
}

#[tokio::test]
async fn a_broker_that_hangs_up_fails_every_call_that_waits() {
    let connection = connect(broker(|_, _| async { Reply::Close }).await).await;
    let (one, two) = (heartbeat(1), heartbeat(2));
    let (first, second) = tokio::join!(connection.send(&one), connection.send(&two));
    for failed in [first, second] {
        let error = failed.expect_err("nobody answers");
        assert!(error.is_retriable() && matches!(error, ConnectionError::Disconnected { .. }), "{error}");
    }
    assert!(connection.is_closed());
}

#[tokio::test]
async fn silence_ends_the_connection_after_its_time() {
    let connection = connect(broker(|_, _| async { Reply::Nothing }).await).await;
    let error = connection.send(&heartbeat(1)).await.expect_err("nobody answers");
    assert!(matches!(error, ConnectionError::Timeout { .. }), "{error}");
    let error = connection.send(&heartbeat(2)).await.expect_err("it is closed");
    let ConnectionError::Disconnected { reason, .. } = error else { panic!("{error}") };
    assert!(matches!(reason, Disconnected::TimedOut));
}

#[tokio::test]
async fn frames_that_cannot_be_answers_end_the_connection() {
    let oversized = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    let negative = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff]);
    let to_another = Bytes::from_static(&[0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
    for frame in [oversized, negative, to_another] {
        let connection =
            connect(broker(move |_, _| std::future::ready(Reply::Frame(frame.clone()))).await).await;
        let error = connection.send(&heartbeat(1)).await.expect_err("no answer");
        let ConnectionError::Disconnected { reason, .. } = &error else { panic!("{error}") };
        let expected = matches!(reason, Disconnected::FrameLength { .. } | Disconnected::OutOfOrder { .. });
        assert!(expected, "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_decode_is_an_error_that_is_not_repeated() {
    let garbled = |request: support::RequestFrame, _| async move {
        let id = request.header.correlation_id.to_be_bytes();
        Reply::Frame([&[0, 0, 0, 5][..], &id, &[1]].concat().into())
    };
    let connection = connect(broker(garbled).await).await;
    let error = connection.send(&heartbeat(1)).await.expect_err("one byte is no heartbeat");
    assert!(matches!(error, ConnectionError::Decode { .. }) && !error.is_retriable(), "{error}");
}

#[tokio::test]
async fn a_cluster_is_found_past_a_bootstrap_server_that_is_down() {
    let script = |request: support::RequestFrame, port| async move {
        assert_eq!(request.key, ApiKey::Metadata);
        answer(&request, &metadata(port, &[]))
    };
    let mut config = impatient(broker(script).await);
    config.bootstrap_servers.insert(0, "127.0.0.1:1".to_owned());
    let cluster = Cluster::connect(config).await.expect("the second one answers");
    assert_eq!(cluster.metadata().brokers().count(), 1);
    let refused =
        Cluster::connect(client::ClusterConfig::new("127.0.0.1:1")).await.expect_err("nobody is there");
    assert!(refused.to_string().contains("127.0.0.1:1"), "{refused}");
}

#[tokio::test]
async fn a_topic_that_nobody_knows_is_asked_for_some_times_and_then_missing() {
    let script = |mut request: support::RequestFrame, port| async move {
        let asked: MetadataRequest = request.decode().expect("metadata");
        let names: Vec<_> = asked.topics.iter().flatten().filter_map(|topic| topic.name.clone()).collect();
        let names: Vec<_> = names.iter().map(Str::as_str).collect();
        let mut metadata = metadata(port, &names);
        for topic in &mut metadata.topics {
            topic.error_code = ErrorCode::UnknownTopicOrPartition.code();
        }
        answer(&request, &metadata)
    };
    let cluster = Cluster::connect(impatient(broker(script).await)).await.expect("it connects");
    let asked = tokio::time::timeout(Duration::from_secs(5), cluster.topic("nope")).await;
    let error = asked.expect("it does not wait for ever").expect_err("no such topic");
    assert_eq!(error.code(), Some(ErrorCode::UnknownTopicOrPartition));
}
