//! kcat (librdkafka) as the tests call it.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::clients::Record;
use crate::process::{self, Output};
use crate::wait;

/// How long kcat waits for metadata, a topic that is made on the way included. Its own five seconds are few for a debug
/// build that shares two cores with other tests.
const METADATA_SECONDS: &str = "30";

/// How [`records`] has a record printed: lengths before what may be anything.
const RECORD_FORMAT: &str = "%p %o %T %K %S\n%k%s%h\n";

/// Runs kcat against these brokers with this stdin.
pub fn run(bootstrap: &str, arguments: &[&str], stdin: &[u8]) -> Result<Output> {
    process::run(&mut command(bootstrap, arguments), stdin, wait::PATIENCE)
}

/// kcat with these brokers, for a process of its own.
pub fn command(bootstrap: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("kcat");
    command.args(["-b", bootstrap, "-m", METADATA_SECONDS]).args(arguments);
    command
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

/// Every record of a topic with its offset, byte by byte. Headers are told apart by commas and equal signs, which must not be in
/// them; nor may a value be "NULL".
pub fn records(bootstrap: &str, topic: &str) -> Result<Vec<(i64, Record)>> {
    // It is at the end when a fetch has waited in vain.
    let wait = ["-X", "fetch.wait.max.ms=10"];
    let arguments =
        [&["-C", "-q", "-e", "-t", topic, "-o", "beginning", "-f", RECORD_FORMAT], &wait[..]].concat();
    let ended = process::run_for_bytes(&mut command(bootstrap, &arguments), b"", wait::PATIENCE)?;
    let (code, stdout, stderr) = ended;
    ensure!(code == 0, "exit code {code}\n{stderr}");
    let (mut rest, mut records) = (&stdout[..], Vec::new());
    while !rest.is_empty() {
        records.push(record(&mut rest).with_context(|| format!("after {} records", records.len()))?);
    }
    Ok(records)
}

/// Takes one record off the front of what kcat printed.
fn record(rest: &mut &[u8]) -> Result<(i64, Record)> {
    let numbers: Vec<i64> = line(rest)?.split(|&byte| byte == b' ').map(number).collect::<Result<_>>()?;
    let [partition, offset, timestamp, key_length, value_length] = numbers[..] else {
        bail!("{} numbers", numbers.len())
    };
    let (key, value) = (bytes(rest, key_length)?, bytes(rest, value_length)?);
    let headers = line(rest)?.split(|&byte| byte == b',').filter(|header| !header.is_empty());
    let headers = headers.map(header).collect::<Result<_>>()?;
    Ok((offset, Record { partition, timestamp: Some(timestamp), key, value, headers }))
}

fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let end = rest.iter().position(|&byte| byte == b'\n').context("no end of a line")?;
    let (line, after) = rest.split_at(end);
    *rest = &after[1..];
    Ok(line)
}

fn number(text: &[u8]) -> Result<i64> {
    Ok(std::str::from_utf8(text)?.parse()?)
}

/// None for a length of −1.
fn bytes(rest: &mut &[u8], length: i64) -> Result<Option<Vec<u8>>> {
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    let (taken, after) = rest.split_at_checked(length).context("cut short")?;
    *rest = after;
    Ok(Some(taken.to_owned()))
}

fn header(text: &[u8]) -> Result<(String, Option<Vec<u8>>)> {
    let equals = text.iter().position(|&byte| byte == b'=').context("a header without a value")?;
    let name = String::from_utf8(text[..equals].to_owned())?;
    let value = &text[equals + 1..];
    Ok((name, (value != b"NULL").then(|| value.to_owned())))
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
