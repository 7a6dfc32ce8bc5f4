//! Resets of groups beside Apache's ConsumerGroupCommand: both say the same offsets, and read each other's plans.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::server::Server;
use e2e::{java, kcat, process, wait};
use serde_json::Value;

use super::{json, milena, numbers, text};

const CONSUMER_GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
const GROUP: &str = "readers";

/// Offsets by topic and partition.
type Offsets = BTreeMap<(String, i64), i64>;

#[test]
fn resets_are_those_of_kafkas_own_tool() -> Result<()> {
    let server = Server::start("cli-resets")?;
    let between = fill(&server)?;
    let ways: [&[&str]; 11] = [
        &["--to-earliest"],
        &["--to-latest"],
        &["--to-current"],
        &["--to-offset", "3"],
        &["--to-offset", "1000"],
        &["--shift-by", "2"],
        &["--shift-by", "-1000"],
        &["--by-duration", "PT1H"],
        &["--by-duration", "PT0S"],
        &["--to-datetime", &between],
        &["--to-datetime", "2001-01-01T00:00:00.000+01:00"],
    ];
    for scope in [&["--topic", "one:0,1"][..], &["--all-topics"]] {
        for way in ways {
            check_alike(&server, &[scope, way].concat())?;
        }
    }
    check_alike(&server, &["--topic", "one", "--topic", "two", "--to-current"])?;
    check_plans(&server)?;
    server.done()
}

/// Two topics, written before and after the time that is returned, and a group that has read some of both.
fn fill(server: &Server) -> Result<String> {
    text(server, &["topics", "create", "one", "--partitions", "3"])?;
    text(server, &["topics", "create", "two", "--partitions", "1"])?;
    let produce = |topic: &str, partition: &str, count| {
        kcat::produce(&server.bootstrap(), topic, &["-p", partition], &numbers(0..count))
    };
    produce("one", "0", 20)?;
    produce("two", "0", 7)?;
    let between = now_utc()?;
    produce("one", "0", 5)?;
    produce("one", "1", 9)?;
    for (topic, offset) in [("one:0,1", "5"), ("two", "6")] {
        let set = ["groups", "reset-offsets", GROUP, "--topic", topic, "--to-offset", offset, "--execute"];
        text(server, &set)?;
    }
    Ok(between)
}

/// The time of day, at least a millisecond away from whatever happened before and happens next.
fn now_utc() -> Result<String> {
    std::thread::sleep(Duration::from_millis(10));
    let mut date = Command::new("date");
    let time = process::run(date.args(["-u", "+%Y-%m-%dT%H:%M:%S.%3N"]), b"", wait::PATIENCE)?.success()?;
    std::thread::sleep(Duration::from_millis(10));
    Ok(time.trim().to_owned())
}

fn check_alike(server: &Server, arguments: &[&str]) -> Result<()> {
    let ours = by_us(server, arguments)?;
    let theirs = by_kafka(server, arguments)?;
    ensure!(!ours.is_empty() && ours == theirs, "{arguments:?}: {ours:?}, and Kafka's tool says {theirs:?}");
    Ok(())
}

/// What `milena` would set, or sets.
fn by_us(server: &Server, arguments: &[&str]) -> Result<Offsets> {
    let rows = json(server, &[&["groups", "reset-offsets", GROUP], arguments].concat())?;
    let row = |row: &Value| {
        let at = (row["topic"].as_str()?.to_owned(), row["partition"].as_i64()?);
        Some((at, row["new_offset"].as_i64()?))
    };
    rows.as_array().into_iter().flatten().map(|it| row(it).with_context(|| it.to_string())).collect()
}

/// What Kafka's tool says to the same arguments: the rows of its table.
fn by_kafka(server: &Server, arguments: &[&str]) -> Result<Offsets> {
    let printed = consumer_groups(server, &[&["--reset-offsets"], arguments].concat())?;
    let row = |line: &str| {
        let cells: Vec<_> = line.split_whitespace().collect();
        let [GROUP, topic, partition, offset] = cells[..] else { return None };
        Some(((topic.to_owned(), partition.parse().ok()?), offset.parse().ok()?))
    };
    Ok(printed.lines().filter_map(row).collect())
}

fn consumer_groups(server: &Server, arguments: &[&str]) -> Result<String> {
    let common = ["--bootstrap-server", &server.bootstrap(), "--group", GROUP];
    java::run(CONSUMER_GROUPS, &[&common, arguments].concat())?.success()
}

/// Each carries out a plan that the other exported, and the other sees it.
fn check_plans(server: &Server) -> Result<()> {
    let file = server.scratch().join("plan.csv").to_string_lossy().into_owned();
    let export = ["--reset-offsets", "--all-topics", "--to-earliest", "--export"];
    std::fs::write(&file, consumer_groups(server, &export)?)?;
    let set = by_us(server, &["--from-file", &file, "--execute"])?;
    assert!(set.len() == 3 && set.values().all(|offset| *offset == 0), "{set:?}");
    assert_eq!(by_kafka(server, &["--all-topics", "--to-current"])?, set);
    let ours = ["groups", "reset-offsets", GROUP, "--all-topics", "--to-latest", "--export"];
    std::fs::write(&file, milena(server, &ours, b"")?.success()?)?;
    let set = by_kafka(server, &["--from-file", &file, "--execute"])?;
    assert_eq!(set.values().copied().collect::<Vec<_>>(), [25, 9, 7]);
    assert_eq!(by_us(server, &["--all-topics", "--to-current"])?, set);
    Ok(())
}
