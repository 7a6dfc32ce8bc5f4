//! kcat (librdkafka) as the tests call it.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::{self, Output};
use crate::wait;

/// How long kcat waits for metadata, a topic that is made on the way included. Its own five seconds are few for a debug
/// build that shares two cores with other tests.
const METADATA_SECONDS: &str = "30";

/// Runs kcat against these brokers with this stdin.
pub fn run(bootstrap: &str, arguments: &[&str], stdin: &[u8]) -> Result<Output> {
    let mut command = Command::new("kcat");
    command.args(["-b", bootstrap, "-m", METADATA_SECONDS]).args(arguments);
    process::run(&mut command, stdin, wait::PATIENCE)
}

/// Produces each line as a record.
pub fn produce(bootstrap: &str, topic: &str, arguments: &[&str], lines: &[String]) -> Result<()> {
    let arguments = [&["-P", "-t", topic], arguments].concat();
    run(bootstrap, &arguments, (lines.join("\n") + "\n").as_bytes())?.success()?;
    Ok(())
}

/// Consumes from `offset` (`beginning`, a number, −n, `s@timestamp`) to the end; each record as kcat prints it.
pub fn consume(bootstrap: &str, topic: &str, offset: &str, arguments: &[&str]) -> Result<Vec<String>> {
    let arguments = [&["-C", "-q", "-e", "-t", topic, "-o", offset], arguments].concat();
    let stdout = run(bootstrap, &arguments, b"")?.success()?;
    Ok(stdout.lines().map(str::to_owned).collect())
}

/// Consumes a partition from its beginning until these are its records. Who has just begun to lead knows of fewer committed
/// records than its predecessor, until its followers have fetched.
pub fn await_records(bootstrap: &str, topic: &str, partition: usize, expected: &[String]) -> Result<()> {
    wait::until(&format!("{} records of {topic}-{partition}", expected.len()), wait::PATIENCE, || {
        let read = consume(bootstrap, topic, "beginning", &["-p", &partition.to_string()])?;
        let differs = read.iter().zip(expected).position(|(read, expected)| read != expected);
        ensure!(read == expected, "{} records, different from {differs:?} on", read.len());
        Ok(Some(()))
    })
}

/// The answer to Metadata for one topic or all, as kcat's JSON.
pub fn metadata(bootstrap: &str, topic: Option<&str>) -> Result<Value> {
    let arguments: Vec<&str> =
        ["-L", "-J"].into_iter().chain(topic.into_iter().flat_map(|topic| ["-t", topic])).collect();
    let stdout = run(bootstrap, &arguments, b"")?.success()?;
    serde_json::from_str(&stdout).context("kcat prints JSON")
}
