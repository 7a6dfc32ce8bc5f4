//! `cargo xtask bench`: the crate `bench`, built with optimisation, in this command's place.

use std::process::Command;

use anyhow::ensure;

/// Hands on all arguments; `bench` builds or fetches what they name.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut bench = Command::new(cargo);
    bench.args(["run", "--quiet", "--release", "--package", "bench", "--"]).args(arguments);
    let status = bench.status()?;
    ensure!(status.success(), "bench: {status}");
    Ok(())
}
