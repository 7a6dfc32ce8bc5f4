//! `cargo xtask release`: the archive that is installed from, `milena-VERSION-ARCH-linux.tar.gz`, with its checksum beside it.
//!
//! The same programs and the same commit give the same bytes: names are sorted, and owner and times do not depend on who
//! packs, where and when.

mod archive;
mod contents;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Parser;

/// The crates whose programs are installed.
const PACKAGES: [&str; 3] = ["cli", "broker", "controller"];

#[derive(Parser)]
#[command(
    name = "cargo xtask release",
    about = "Build the programs and pack them with all that belongs to them"
)]
struct Arguments {
    /// Pack the programs that lie in this folder, instead of building them
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
    /// Where the archive goes; target/dist if nothing else is said
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Builds, packs, and prints where the archive is.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let words = std::iter::once("release").chain(arguments.iter().map(String::as_str));
    let arguments = Arguments::parse_from(words);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let binaries = match arguments.binaries {
        Some(folder) => folder,
        None => build(root)?,
    };
    let name = format!("milena-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let staged = arguments.out.unwrap_or_else(|| root.join("target/dist")).join(&name);
    contents::stage(root, &binaries, &staged)?;
    let archive = archive::pack(&staged, archive::time_of(root)?)?;
    std::fs::remove_dir_all(&staged)?;
    println!("{}", archive.display());
    Ok(())
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--release", "--locked", "--bins"]).current_dir(root);
    PACKAGES.iter().for_each(|package| {
        build.args(["--package", package]);
    });
    succeed(&mut build)?;
    Ok(root.join("target/release"))
}

/// Runs a command to its end; what it writes to stdout is the result.
fn succeed(command: &mut Command) -> anyhow::Result<String> {
    command.stderr(std::process::Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{}: {}", command.get_program().to_string_lossy(), output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
