//! Clients that nobody here wrote: what each of them writes, all of them read; they share groups; transactions are refused
//! at once; and Java's admin client gets its answers.

mod admin;
mod groups;
mod matrix;
mod samples;
mod transactions;

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::server::{Server, Subject, subject};
use e2e::{kcat, wait, wire};
use protocol::ErrorCode;

const CREATE_TIME_MAX: Duration = Duration::from_secs(20);

/// Three brokers; one, where Apache Kafka stands in.
fn start(name: &str, properties: &[(&str, &str)]) -> Result<Server> {
    let brokers = if subject()? == Subject::Milena { 3 } else { 1 };
    Server::cluster(name, brokers, properties)
}

/// Creates a topic with as many replicas as there are brokers. Apache Kafka answers before it knows of the topic itself.
fn create(server: &Server, topic: &str, partitions: i64) -> Result<()> {
    let replicas = if server.is_milena() { 3 } else { 1 };
    let error =
        wire::create_topic(server.port(), topic, i32::try_from(partitions)?, replicas, CREATE_TIME_MAX)?;
    ensure!(error == ErrorCode::None, "{topic}: {error:?}");
    wait::until(&format!("{topic} to be known"), wait::PATIENCE, || {
        let metadata = kcat::metadata(&server.bootstrap(), Some(topic))?;
        Ok(metadata["topics"][0]["error"].is_null().then_some(()))
    })
}
