//! `cargo xtask torture`: the daemons and the crate `torture`, built with optimisation, and a run of it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// What `torture` can do; without one of these words it is the long run.
const WORDS: [&str; 5] = ["run", "cut", "faults", "check", "help"];
const PACKAGES: [&str; 3] = ["broker", "controller", "torture"];

/// Hands on all arguments. The exit code is the verdict.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    succeed(&mut Command::new(root.join("tools/install-system-packages")))?;
    succeed(&mut Command::new(root.join("tools/install-python-clients")))?;
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--release", "--bins"]).current_dir(root);
    PACKAGES.iter().for_each(|package| {
        build.args(["--package", package]);
    });
    succeed(&mut build)?;
    let mut torture = Command::new(root.join("target/release/torture"));
    let is_named = arguments.first().is_some_and(|first| WORDS.contains(&first.as_str()));
    torture.args((!is_named).then_some("run")).args(arguments);
    succeed(&mut torture)
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{}: {status}", command.get_program().to_string_lossy());
    Ok(())
}
