//! The programs that a run needs: built or fetched before the first figure is taken.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::options::Options;
use crate::subject::Subject;

/// Where everything lies.
#[derive(Debug)]
pub struct Parts {
    /// The workspace.
    pub root: PathBuf,
    /// The program that drives librdkafka.
    pub load: PathBuf,
    /// Apache Kafka's jars; empty if it is no subject.
    pub kafka_jars: PathBuf,
    /// The folder of Milena's programs; empty if it is no subject.
    pub binaries: PathBuf,
}

impl Parts {
    /// Where data and logs of the brokers go.
    pub fn work(&self) -> PathBuf {
        self.root.join("target/bench")
    }
}

/// Builds what the options name and nothing else.
pub fn build(options: &Options) -> Result<Parts> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("bench lies in the workspace")?;
    let has = |subject| options.subjects.contains(&subject);
    let load = build_load(root, options)?;
    let kafka_jars = if has(Subject::Kafka) { fetch_kafka(root)? } else { PathBuf::new() };
    let binaries = if has(Subject::Milena) { build_milena(root, options)? } else { PathBuf::new() };
    Ok(Parts { root: root.to_owned(), load, kafka_jars, binaries })
}

fn build_load(root: &Path, options: &Options) -> Result<PathBuf> {
    let target = root.join("target/librdkafka");
    let mut build = cargo(root);
    build.arg("--manifest-path").arg(root.join("bench/librdkafka/Cargo.toml"));
    build.arg("--locked").arg("--target-dir").arg(&target);
    run(&mut build, options)?;
    Ok(target.join("release/bench-librdkafka"))
}

/// A profile wants frame pointers and line tables, so it has a target folder of its own.
fn build_milena(root: &Path, options: &Options) -> Result<PathBuf> {
    if let Some(folder) = &options.binaries {
        return folder.canonicalize().with_context(|| format!("--binaries {}", folder.display()));
    }
    let target = root.join(if options.profile { "target/profile" } else { "target" });
    let mut build = cargo(root);
    for (package, program) in programs(options) {
        build.args(["--package", package, "--bin", program]);
    }
    build.arg("--target-dir").arg(&target);
    if options.profile {
        build.env("RUSTFLAGS", "-Cforce-frame-pointers=yes");
        build.env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only");
    }
    run(&mut build, options)?;
    Ok(target.join("release"))
}

/// Package and name of each program of Milena's that the measures run.
fn programs(options: &Options) -> Vec<(&'static str, &'static str)> {
    let mut programs = Vec::new();
    if options.alone() {
        programs.push(("cli", "milena"));
    }
    if options.clustered() {
        programs.extend([("broker", "milena-broker"), ("controller", "milena-controller")]);
    }
    programs
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release"]).current_dir(root);
    cargo
}

fn fetch_kafka(root: &Path) -> Result<PathBuf> {
    let printed = output(&mut Command::new(root.join("tools/fetch-kafka")))?;
    Ok(PathBuf::from(printed))
}

fn run(command: &mut Command, options: &Options) -> Result<()> {
    if options.no_build {
        return Ok(());
    }
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

/// What a program prints, without the white space around it.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
