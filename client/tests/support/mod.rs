//! A broker that says what a test tells it to.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{ClusterConfig, ConnectionConfig, RetryPolicy};
use protocol::ApiKey;
pub use protocol::frame::RequestFrame;
use protocol::frame::encode_response;
use protocol::messages::api_versions_response::ApiVersion;
use protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::messages::{ApiVersionsResponse, MetadataResponse};
use protocol::types::Uuid;
use protocol::wire::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const TOPIC_ID: Uuid = Uuid([7; 16]);

/// What becomes of a request.
pub enum Reply {
    /// A whole frame.
    Frame(Bytes),
    Nothing,
    Close,
}

/// An answer of the version that was asked for.
pub fn answer<M: Message>(request: &RequestFrame, body: &M) -> Reply {
    let RequestFrame { key, version, header, .. } = request;
    let frame = encode_response(*key, *version, header.correlation_id, body).expect("it encodes");
    Reply::Frame(frame.bytes)
}

/// Starts a broker that answers ApiVersions with everything, and all else as `script` says. Returns its port.
pub async fn broker<F, R>(script: F) -> u16
where
    F: Fn(RequestFrame, u16) -> R + Send + Sync + 'static,
    R: Future<Output = Reply> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let script = Arc::new(script);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let script = Arc::clone(&script);
            tokio::spawn(async move { serve(stream, &*script, port).await });
        }
    });
    port
}

async fn serve<F, R>(mut stream: TcpStream, script: &F, port: u16)
where
    F: Fn(RequestFrame, u16) -> R,
    R: Future<Output = Reply>,
{
    while let Some(request) = read_request(&mut stream).await {
        let reply = match request.key {
            ApiKey::ApiVersions => answer(&request, &everything()),
            _ => script(request, port).await,
        };
        match reply {
            Reply::Frame(frame) => stream.write_all(&frame).await.expect("the client reads"),
            Reply::Nothing => {}
            Reply::Close => return,
        }
    }
}

/// The next request, without a look at its version.
pub async fn read_frame(stream: &mut TcpStream) -> Option<Bytes> {
    let length = stream.read_i32().await.ok()?;
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).await.ok()?;
    Some(frame.into())
}

async fn read_request(stream: &mut TcpStream) -> Option<RequestFrame> {
    Some(RequestFrame::parse(read_frame(stream).await?).expect("the client writes whole requests"))
}

fn everything() -> ApiVersionsResponse {
    let range = |key: &ApiKey| {
        let versions = key.served_versions()?;
        Some(ApiVersion {
            api_key: *key as i16,
            min_version: *versions.start(),
            max_version: *versions.end(),
        })
    };
    ApiVersionsResponse { api_keys: ApiKey::ALL.iter().filter_map(range).collect(), ..Default::default() }
}

/// Metadata of one broker, which leads the one partition of each topic.
pub fn metadata(port: u16, topics: &[&str]) -> MetadataResponse {
    let broker = MetadataResponseBroker {
        node_id: 1,
        host: "127.0.0.1".into(),
        port: port.into(),
        ..Default::default()
    };
    let topic = |name: &&str| MetadataResponseTopic {
        name: Some((*name).into()),
        topic_id: TOPIC_ID,
        partitions: vec![MetadataResponsePartition { leader_id: 1, leader_epoch: 0, ..Default::default() }],
        ..Default::default()
    };
    MetadataResponse {
        brokers: vec![broker],
        topics: topics.iter().map(topic).collect(),
        ..Default::default()
    }
}

/// A client that gives up sooner than others, and not as soon as a busy machine makes its broker wait.
pub fn impatient(port: u16) -> ClusterConfig {
    ClusterConfig {
        bootstrap_servers: vec![format!("127.0.0.1:{port}")],
        connection: ConnectionConfig {
            request_timeout: Duration::from_secs(2),
            ..ConnectionConfig::default()
        },
        retry: RetryPolicy { backoff: Duration::from_millis(1), ..RetryPolicy::default() },
    }
}
