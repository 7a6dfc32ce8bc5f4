//! Apache Kafka's own command-line tools, all of which are run as they are.
//!
//! LeaderElectionCommand, DumpLogSegments and MirrorMaker have files of their own beside this folder.

mod cluster;
mod configs;
mod console;
mod groups;
mod load;
mod partitions;
mod topics;

use anyhow::{Context, Result};
use e2e::java;
use e2e::server::Server;

/// A tool's stdout against this server.
fn tool(server: &Server, tool: &str, arguments: &[&str]) -> Result<String> {
    let bootstrap = server.bootstrap();
    let arguments = [&["--bootstrap-server", &bootstrap], arguments].concat();
    java::run(tool, &arguments)?.success()
}

/// The first line that begins so.
fn line<'a>(text: &'a str, start: &str) -> Result<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with(start)).with_context(|| format!("no line '{start}…' in\n{text}"))
}

/// The words of the first line that begins so.
fn words<'a>(text: &'a str, start: &str) -> Result<Vec<&'a str>> {
    Ok(line(text, start)?.split_whitespace().collect())
}

/// A topic of one replica, with records from kcat in its first partition.
fn topic_with_records(server: &Server, topic: &str, partitions: usize, records: usize) -> Result<()> {
    let count = partitions.to_string();
    tool(server, java::TOPICS, &["--create", "--topic", topic, "--partitions", &count])?;
    let lines: Vec<String> = (0..records).map(|number| format!("record {number}")).collect();
    e2e::kcat::produce(&server.bootstrap(), topic, &["-p", "0"], &lines)
}
