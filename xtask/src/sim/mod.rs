//! `cargo xtask sim`: the crate `sim`, built with optimisation and with every assertion, in this command's place.

use std::process::Command;

use anyhow::ensure;

/// Hands on all arguments.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut sim = Command::new(cargo);
    sim.args(["run", "--quiet", "--profile", "sim", "--package", "sim", "--"]).args(arguments);
    let status = sim.status()?;
    ensure!(status.success(), "sim: {status}");
    Ok(())
}
