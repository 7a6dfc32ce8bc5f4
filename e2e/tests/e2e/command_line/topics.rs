//! `milena topics`, and refusals.

use std::process::Command;

use anyhow::{Result, ensure};
use e2e::server::Server;
use e2e::{java, process, wait, workspace};

use super::{json, milena, refused, text};

/// Apache Kafka answers before every broker knows of a change.
fn await_topics(server: &Server, expected: &str) -> Result<()> {
    wait::until("the list of topics", wait::PATIENCE, || {
        Ok((text(server, &["topics", "list"])? == expected).then_some(()))
    })
}

/// Topic `made` grows from 3 to 5 partitions, with a warning, and never shrinks.
fn check_growth(server: &Server) -> Result<()> {
    let grow = |more: &[&str]| milena(server, &[&["topics", "alter", "made"], more].concat(), b"");
    let tried = grow(&["--partitions", "5", "--validate-only"])?.success()?;
    assert_eq!(tried, "Topic made: could grow from 3 to 5 partitions.\n");
    let placed = ["--partitions", "4", "--replica-assignment", "1,1,1,1"];
    assert_eq!(grow(&placed)?.success()?, "Topic made: grown from 3 to 4 partitions.\n");
    let grown = grow(&["--partitions", "5"])?;
    assert!(grown.stderr.contains("another partition"), "{grown:?}");
    refused(
        server,
        &["topics", "alter", "made", "--partitions", "2"],
        &["INVALID_PARTITIONS", "only be more"],
    )?;
    let absent = ["topics", "alter", "absent", "--partitions", "2", "--if-exists"];
    assert_eq!(text(server, &absent)?, "Topic absent: does not exist.\n");
    let partitions = json(server, &["topics", "describe", "made"])?;
    assert_eq!(partitions[0]["partitions"].as_array().map(Vec::len), Some(5), "{partitions}");
    Ok(())
}

#[test]
fn topics_are_created_listed_described_and_deleted() -> Result<()> {
    let server = Server::start("cli-topics")?;
    text(&server, &["topics", "create", "made", "--partitions", "3", "--config", "retention.ms=60000"])?;
    await_topics(&server, "made\n")?;
    let described = json(&server, &["topics", "describe", "made"])?;
    assert_eq!(described[0]["partitions"].as_array().map(Vec::len), Some(3), "{described}");
    assert_eq!(described[0]["configs"]["retention.ms"], "60000");
    let arguments = ["--bootstrap-server", &server.bootstrap(), "--describe", "--topic", "made"];
    let by_kafka = java::run(java::TOPICS, &arguments)?.success()?;
    assert_eq!(text(&server, &["topics", "describe", "made"])?, by_kafka);
    assert_eq!(text(&server, &["topics", "describe", "--under-replicated-partitions"])?, "");
    check_growth(&server)?;
    text(&server, &["topics", "delete", "made"])?;
    await_topics(&server, "")?;
    server.done()
}

#[test]
fn refusals_name_the_cause_and_the_remedy() -> Result<()> {
    let server = Server::start("cli-refusals")?;
    text(&server, &["topics", "create", "there", "--partitions", "1"])?;
    text(&server, &["topics", "create", "there", "--if-not-exists"])?;
    let refused = |arguments: &[&str], parts: &[&str]| refused(&server, arguments, parts);
    refused(&["topics", "create", "there"], &["TOPIC_ALREADY_EXISTS", "there", "--if-not-exists"])?;
    let many = ["topics", "create", "many", "--replication-factor", "3"];
    refused(&many, &["INVALID_REPLICATION_FACTOR", "3", "1", "start more brokers"])?;
    refused(&["topics", "describe", "absent"], &["UNKNOWN_TOPIC_OR_PARTITION", "absent", "topics list"])?;
    refused(&["consume", "absent"], &["UNKNOWN_TOPIC_OR_PARTITION", "absent"])?;
    refused(&["consume", "there", "--partition", "9"], &["no partition 9"])?;
    refused(&["produce", "no/name"], &["'no/name'"])?;
    let mut nobody = Command::new(workspace::binary("milena")?);
    nobody.args(["topics", "list", "--bootstrap-server", "127.0.0.1:1"]);
    let output = process::run(&mut nobody, b"", wait::PATIENCE)?;
    ensure!(output.code == 1 && output.stderr.contains("milena dev"), "{output:?}");
    server.done()
}
