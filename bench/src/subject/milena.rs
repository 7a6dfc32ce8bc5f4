//! Milena as `milena dev`: controller and one broker in one process, as Kafka's node is both.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::server::free_port;
use crate::parts::{Parts, output};

/// The commit that it was built from; a `+` says that files were changed since.
pub fn version(parts: &Parts) -> Result<String> {
    let mut describe = Command::new("git");
    describe.args(["describe", "--always", "--dirty=+"]).current_dir(&parts.root);
    output(&mut describe)
}

pub fn settings() -> Vec<String> {
    vec!["milena dev".to_owned(), "defaults".to_owned()]
}

pub fn command(parts: &Parts, folder: &Path, port: u16) -> Result<Command> {
    let mut command = Command::new(parts.binaries.join("milena"));
    command.args(["dev", "--port", &port.to_string(), "--metrics-port", &free_port()?.to_string()]);
    command.arg("--data").arg(folder.join("data"));
    Ok(command)
}
