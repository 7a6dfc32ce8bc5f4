//! `cargo xtask configuration`: writes `docs/configuration.md` anew from the table of configuration keys. A test of the
//! crate `metadata` sees to it that the page is the one that this would write.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

const PAGE: &str = "docs/configuration.md";

/// Lets the crate of the table print the page.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut printer = Command::new(cargo);
    printer.args(["run", "--quiet", "--package", "metadata", "--example", "configuration_page"]);
    let printed = printer.current_dir(root).stderr(std::process::Stdio::inherit()).output()?;
    ensure!(printed.status.success(), "the page is not printed: {}", printed.status);
    std::fs::write(root.join(PAGE), printed.stdout).with_context(|| format!("cannot write {PAGE}"))
}
