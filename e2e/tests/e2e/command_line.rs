//! The command line: topics, produce, consume, dump-log, and what it says when it cannot.

use std::process::Command;

use anyhow::{Result, ensure};
use e2e::process::{self, Daemon, Output};
use e2e::server::Server;
use e2e::{java, kcat, wait, workspace};
use serde_json::Value;

/// `milena` against this server.
fn milena(server: &Server, arguments: &[&str], stdin: &[u8]) -> Result<Output> {
    let mut command = Command::new(workspace::binary("milena")?);
    command.args(arguments).args(["--bootstrap-server", &server.bootstrap()]);
    process::run(&mut command, stdin, wait::PATIENCE)
}

fn text(server: &Server, arguments: &[&str]) -> Result<String> {
    milena(server, arguments, b"")?.success()
}

fn json(server: &Server, arguments: &[&str]) -> Result<Value> {
    Ok(serde_json::from_str(&text(server, &[arguments, &["--output", "json"]].concat())?)?)
}

fn lines(server: &Server, arguments: &[&str]) -> Result<Vec<String>> {
    Ok(text(server, &[&["consume"], arguments].concat())?.lines().map(str::to_owned).collect())
}

/// Apache Kafka answers before every broker knows of a change.
fn await_topics(server: &Server, expected: &str) -> Result<()> {
    wait::until("the list of topics", wait::PATIENCE, || {
        Ok((text(server, &["topics", "list"])? == expected).then_some(()))
    })
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
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
    text(&server, &["topics", "delete", "made"])?;
    await_topics(&server, "")?;
    server.done()
}

#[test]
fn refusals_name_the_cause_and_the_remedy() -> Result<()> {
    let server = Server::start("cli-refusals")?;
    text(&server, &["topics", "create", "there", "--partitions", "1"])?;
    text(&server, &["topics", "create", "there", "--if-not-exists"])?;
    let refused = |arguments: &[&str], parts: &[&str]| -> Result<()> {
        let output = milena(&server, arguments, b"")?;
        let named = parts.iter().all(|part| output.stderr.contains(part));
        ensure!(output.code == 1 && named, "{arguments:?}: {output:?}");
        Ok(())
    };
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

#[test]
fn what_is_produced_is_consumed_with_every_codec() -> Result<()> {
    let server = Server::start("cli-codecs")?;
    let written: Vec<_> =
        (0..3000).map(|number| format!("record {number} {}", "word ".repeat(number % 9))).collect();
    let stdin = written.join("\n").into_bytes();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        text(&server, &["topics", "create", codec, "--partitions", "1"])?;
        let produce = ["produce", codec, "--compression", codec, "--output", "json"];
        let tally: Value = serde_json::from_str(&milena(&server, &produce, &stdin)?.success()?)?;
        assert_eq!((&tally[0]["records"], &tally[0]["last_offset"]), (&3000.into(), &2999.into()), "{tally}");
        assert!(lines(&server, &[codec])? == written, "{codec}");
        assert!(kcat::consume(&server.bootstrap(), codec, "beginning", &[])? == written, "{codec}");
    }
    server.done()
}

#[test]
fn keys_headers_and_nulls_come_back() -> Result<()> {
    let server = Server::start("cli-keys")?;
    text(&server, &["topics", "create", "keyed", "--partitions", "1"])?;
    let produce = ["produce", "keyed", "-K", ":", "-H", "a=1", "--null-marker", "NULL"];
    milena(&server, &produce, b"k:v\nk:NULL\n:\n")?.success()?;
    let printed =
        lines(&server, &["keyed", "--property", "print.key=true", "--property", "print.headers=true"])?;
    assert_eq!(printed, ["a:1\tk\tv", "a:1\tk\tnull", "a:1\t\t"]);
    let records = lines(&server, &["keyed", "--output", "json"])?;
    let tombstone: Value = serde_json::from_str(&records[1])?;
    assert_eq!((&tombstone["key"], &tombstone["value"]), (&"k".into(), &Value::Null));
    server.done()
}

#[test]
fn reading_begins_and_ends_where_one_likes() -> Result<()> {
    let server = Server::start("cli-places")?;
    text(&server, &["topics", "create", "places", "--partitions", "1"])?;
    kcat::produce(&server.bootstrap(), "places", &["-p", "0"], &numbers(0..50))?;
    assert_eq!(lines(&server, &["places"])?, numbers(0..50));
    assert_eq!(lines(&server, &["places", "--from", "40"])?, numbers(40..50));
    assert_eq!(lines(&server, &["places", "--from", "40", "--max-messages", "3"])?, numbers(40..43));
    assert!(lines(&server, &["places", "--from", "latest"])?.is_empty());
    assert_eq!(lines(&server, &["places", "--from", "2001-01-01T00:00:00Z"])?.len(), 50);
    assert!(lines(&server, &["places", "--from", "2200-01-01"])?.is_empty());
    let beyond = milena(&server, &["consume", "places", "--from", "1000"], b"")?;
    ensure!(beyond.code == 1 && beyond.stderr.contains("OFFSET_OUT_OF_RANGE"), "{beyond:?}");
    server.done()
}

#[test]
fn a_group_goes_on_where_it_stopped_even_within_a_batch() -> Result<()> {
    let server = Server::start("cli-group")?;
    text(&server, &["topics", "create", "grouped", "--partitions", "1"])?;
    kcat::produce(&server.bootstrap(), "grouped", &["-p", "0"], &numbers(0..100))?;
    let group = |more: &[&str]| lines(&server, &[&["grouped", "--group", "readers"], more].concat());
    assert_eq!(group(&["--max-messages", "30"])?, numbers(0..30));
    assert_eq!(group(&[])?, numbers(30..100));
    assert!(group(&[])?.is_empty());
    server.done()
}

#[test]
fn two_followers_of_a_group_share_what_comes_and_leave_in_order() -> Result<()> {
    let server = Server::start("cli-follow")?;
    text(&server, &["topics", "create", "shared", "--partitions", "2"])?;
    let follow = |name: &str| -> Result<Daemon> {
        let mut command = Command::new(workspace::binary("milena")?);
        command.args(["consume", "shared", "--follow", "--group", "followers", "--from", "earliest"]);
        command.args(["--property", "print.partition=true", "--bootstrap-server", &server.bootstrap()]);
        Daemon::start(name, &mut command, &server.scratch().join(name))
    };
    let mut first = follow("first")?;
    kcat::produce(&server.bootstrap(), "shared", &["-p", "0"], &["one".to_owned()])?;
    kcat::produce(&server.bootstrap(), "shared", &["-p", "1"], &["two".to_owned()])?;
    // It may come to read after both were written, in any order.
    wait::until("the first records", wait::PATIENCE, || {
        let seen = first.log();
        Ok((seen.contains("Partition:0\tone") && seen.contains("Partition:1\ttwo")).then_some(()))
    })?;
    let mut second = follow("second")?;
    // The members are ordered by ids of chance: whoever has partition 1 now, both partitions are read by somebody.
    kcat::produce(&server.bootstrap(), "shared", &["-p", "0"], &["three".to_owned()])?;
    kcat::produce(&server.bootstrap(), "shared", &["-p", "1"], &["four".to_owned()])?;
    wait::until("both records", wait::PATIENCE, || {
        let seen = first.log() + &second.log();
        Ok((seen.contains("three") && seen.contains("four")).then_some(()))
    })?;
    assert_eq!(first.terminate(wait::PATIENCE)?, 0);
    kcat::produce(&server.bootstrap(), "shared", &["-p", "0"], &["five".to_owned()])?;
    second.await_line("Partition:0\tfive", wait::PATIENCE)?;
    assert_eq!(second.terminate(wait::PATIENCE)?, 0);
    server.done()
}

#[test]
fn dump_log_shows_what_kafkas_own_tool_shows() -> Result<()> {
    let mut server = Server::start("cli-dump")?;
    text(&server, &["topics", "create", "dumped", "--partitions", "1"])?;
    kcat::produce(&server.bootstrap(), "dumped", &["-p", "0", "-z", "lz4", "-K:"], &["k:v".to_owned()])?;
    kcat::produce(&server.bootstrap(), "dumped", &["-p", "0"], &numbers(0..20))?;
    server.terminate()?;
    let log = e2e::scratch::files_below(&server.data(), "dumped-0/00000000000000000000.log")?;
    let log = log[0].to_string_lossy().into_owned();
    let arguments = ["--deep-iteration", "--print-data-log", "--files", &log];
    let by_kafka = java::run(java::DUMP_LOG, &arguments)?.success()?;
    let mut command = Command::new(workspace::binary("milena")?);
    command.args(["dump-log", "--deep", "--print-data-log", &log]);
    let by_us = process::run(&mut command, b"", wait::PATIENCE)?.success()?;
    assert_eq!(by_us.replace("deleteHorizonMs: null", "deleteHorizonMs: OptionalLong.empty"), by_kafka);
    server.done()
}
