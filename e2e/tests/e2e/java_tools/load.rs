//! ProducerPerformance, ConsumerPerformance, EndToEndLatency, VerifiableProducer and VerifiableConsumer: the tools that send much
//! and count what comes.

use anyhow::{Context, Result, ensure};
use e2e::server::Server;
use e2e::{java, process, wait};
use serde_json::Value;

use super::{line, tool};

const PRODUCER_PERFORMANCE: &str = "org.apache.kafka.tools.ProducerPerformance";
const CONSUMER_PERFORMANCE: &str = "org.apache.kafka.tools.ConsumerPerformance";
const LATENCY: &str = "org.apache.kafka.tools.EndToEndLatency";

#[test]
fn tools_that_measure_send_all_and_read_all() -> Result<()> {
    let server = Server::start("performance")?;
    tool(&server, java::TOPICS, &["--create", "--topic", "measured", "--partitions", "3"])?;
    let sent =
        ["--topic", "measured", "--num-records", "20000", "--record-size", "200", "--throughput", "-1"];
    let sent =
        tool(&server, PRODUCER_PERFORMANCE, &[&sent[..], &["--command-property", "acks=all"]].concat())?;
    ensure!(line(&sent, "20000 records sent")?.contains("99.9th"), "{sent}");
    let read = ["--topic", "measured", "--num-records", "20000", "--timeout", "60000", "--hide-header"];
    let read = tool(&server, CONSUMER_PERFORMANCE, &read)?;
    let read: Vec<&str> = read.trim().split(", ").collect();
    ensure!(read.get(4) == Some(&"20000"), "{read:?}");
    let latency =
        ["--topic", "timed", "--num-records", "200", "--producer-acks", "all", "--record-size", "100"];
    let latency = tool(&server, LATENCY, &latency)?;
    ensure!(line(&latency, "Avg latency:").is_ok() && line(&latency, "Percentiles:").is_ok(), "{latency}");
    server.done()
}

#[test]
fn what_the_verifiable_producer_was_told_the_verifiable_consumer_reads() -> Result<()> {
    let server = Server::start("verifiable")?;
    tool(&server, java::TOPICS, &["--create", "--topic", "verified", "--partitions", "2"])?;
    let sent = ["--topic", "verified", "--max-messages", "500", "--acks", "-1", "--throughput", "-1"];
    let sent = verifiable_producer(&server, &sent)?;
    let told = events(&sent, "producer_send_success")?;
    ensure!(told.len() == 500, "{} were acknowledged", told.len());
    ensure!(events(&sent, "producer_send_error")?.is_empty(), "{sent}");
    let summary = events(&sent, "tool_data")?;
    ensure!(summary[0]["acked"] == 500 && summary[0]["sent"] == 500, "{summary:?}");
    let read = ["--topic", "verified", "--group-id", "verifying", "--max-messages", "500", "--verbose"];
    let read = tool(&server, java::VERIFIABLE_CONSUMER, &read)?;
    let mut values: Vec<i64> = events(&read, "record_data")?.iter().map(value).collect::<Result<_>>()?;
    values.sort_unstable();
    ensure!(values.into_iter().eq(0..500), "{read}");
    ensure!(!events(&read, "offsets_committed")?.is_empty(), "{read}");
    server.done()
}

/// It sends the last of its records, and says how many they were, while its JVM ends: it has one of its own.
fn verifiable_producer(server: &Server, arguments: &[&str]) -> Result<String> {
    let mut command = java::command()?;
    command.args([java::VERIFIABLE_PRODUCER, "--bootstrap-server", &server.bootstrap()]).args(arguments);
    process::run(&mut command, b"", wait::PATIENCE)?.success()
}

/// The lines of JSON with this name.
fn events(said: &str, name: &str) -> Result<Vec<Value>> {
    let events = said.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    Ok(events.into_iter().filter(|event| event["name"] == name).collect())
}

fn value(event: &Value) -> Result<i64> {
    Ok(event["value"].as_str().context("no value")?.parse()?)
}
