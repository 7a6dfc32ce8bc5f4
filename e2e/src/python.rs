//! The scripts under `e2e/python`, which drive confluent-kafka, and the clients under `e2e/clients/python`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{process, wait, workspace};

/// A script's command, for one that runs beside the test.
pub fn command(script: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = python(&format!("python/{script}"))?;
    command.args(arguments);
    Ok(command)
}

/// A client's command, with the bootstrap address to come.
pub fn client(script: &str) -> Result<Command> {
    python(&format!("clients/python/{script}"))
}

fn python(script: &str) -> Result<Command> {
    let python: PathBuf = workspace::tool("venv/bin/python", "tools/install-python-clients")?;
    let mut command = Command::new(python);
    command.arg(workspace::root().join("e2e").join(script));
    Ok(command)
}

/// Runs a script to its end; what it printed.
pub fn run(script: &str, arguments: &[&str]) -> Result<String> {
    process::run(&mut command(script, arguments)?, b"", 2 * wait::PATIENCE)?.success()
}
