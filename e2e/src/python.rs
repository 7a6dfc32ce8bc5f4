//! The scripts under `e2e/python`, which drive confluent-kafka.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{process, wait, workspace};

/// A script's command, for one that runs beside the test.
pub fn command(script: &str, arguments: &[&str]) -> Result<Command> {
    let python: PathBuf = workspace::tool("venv/bin/python", "tools/install-python-clients")?;
    let mut command = Command::new(python);
    command.arg(workspace::root().join("e2e/python").join(script)).args(arguments);
    Ok(command)
}

/// Runs a script to its end; what it printed.
pub fn run(script: &str, arguments: &[&str]) -> Result<String> {
    process::run(&mut command(script, arguments)?, b"", 2 * wait::PATIENCE)?.success()
}
