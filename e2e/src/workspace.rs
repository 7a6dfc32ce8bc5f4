//! Where things are: the workspace, what cargo built of it, and what `make test` installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// A folder with our binaries that are to be used as they are, without a build.
const BINARIES_VARIABLE: &str = "E2E_BINARIES";

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A program of ours, built as this test was.
pub fn binary(name: &str) -> Result<PathBuf> {
    let path = binaries()?.join(name);
    ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}

/// What a script under `tools/` made; the error names the script.
pub fn tool(path: &str, script: &str) -> Result<PathBuf> {
    let found = root().join("target/tools").join(path);
    ensure!(found.exists(), "{} is not there: run {script}, or `make test`, which does", found.display());
    Ok(found)
}

fn binaries() -> Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| find_binaries().map_err(|error| format!("{error:#}")));
    folder.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

fn find_binaries() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os(BINARIES_VARIABLE) {
        return Ok(folder.into());
    }
    let this = std::env::current_exe()?;
    let folder = this.parent().context("a program lies in a folder")?;
    // A program of the workspace takes its neighbours as they are; a test sees to it that they are fresh.
    if folder.file_name().is_none_or(|name| name != "deps") {
        return Ok(folder.to_owned());
    }
    let folder = folder.parent().context("a test lies in target/PROFILE/deps")?;
    build(folder)?;
    Ok(folder.to_owned())
}

/// Cargo does not build other crates' programs for a test, and a stale one would prove nothing. The whole workspace is
/// named, so that its dependencies have the features that `cargo test --workspace` gave them.
fn build(folder: &Path) -> Result<()> {
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--workspace", "--bins", "--profile", profile])
        .current_dir(root())
        .status()?;
    ensure!(built.success(), "the workspace's programs do not build");
    Ok(())
}
