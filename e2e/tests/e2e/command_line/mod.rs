//! The command line: every command against a server, beside Apache Kafka's own tools, and what it says when it cannot.

mod commands;
mod configs;
mod connecting;
mod documented;
mod dump_log;
mod groups;
mod members;
mod page;
mod records;
mod resets;
mod topics;

use std::process::Command;

use anyhow::{Result, ensure};
use e2e::process::{self, Output};
use e2e::server::Server;
use e2e::{wait, workspace};
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

/// The records that `milena consume` prints, one a line.
fn consumed(server: &Server, arguments: &[&str]) -> Result<Vec<String>> {
    Ok(text(server, &[&["consume"], arguments].concat())?.lines().map(str::to_owned).collect())
}

/// That a command fails, and names all of this.
fn refused(server: &Server, arguments: &[&str], parts: &[&str]) -> Result<()> {
    let output = milena(server, arguments, b"")?;
    let named = parts.iter().all(|part| output.stderr.contains(part));
    ensure!(output.code != 0 && named, "{arguments:?}: {output:?}");
    Ok(())
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}
