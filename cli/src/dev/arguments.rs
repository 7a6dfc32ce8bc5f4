//! The arguments of `milena dev`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

/// The most brokers that one process runs.
const BROKERS_MAX: u16 = 100;

/// A whole cluster in one process: a controller and brokers, with embedded metadata.
#[derive(Args, Debug)]
pub struct DevArguments {
    /// How many brokers.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=i64::from(BROKERS_MAX)))]
    pub brokers: u16,
    /// The port of the first broker; the others follow.
    #[arg(long, default_value_t = 9092, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Where the cluster keeps its data.
    #[arg(long, default_value = "./milena-data", conflicts_with = "ephemeral")]
    pub data: PathBuf,
    /// Keeps nothing: the data lies in a temporary directory and goes with the process.
    #[arg(long)]
    pub ephemeral: bool,
    /// The port of /metrics, /healthz and /readyz.
    #[arg(long, default_value_t = 9404)]
    pub metrics_port: u16,
    /// Sets a broker's key, over the environment; may be given again.
    #[arg(long = "override", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

impl DevArguments {
    /// The port of broker `index`, from 0.
    pub fn port_of(&self, index: u16) -> anyhow::Result<u16> {
        self.port.checked_add(index).context("--port leaves no room for so many --brokers below 65536")
    }

    /// The data directory, made if need be.
    pub fn data(&self) -> anyhow::Result<PathBuf> {
        let path = if self.ephemeral {
            std::env::temp_dir().join(format!("milena-dev-{}", std::process::id()))
        } else {
            self.data.clone()
        };
        if path.is_file() {
            bail!("--data {}: a directory is expected", path.display());
        }
        std::fs::create_dir_all(&path)
            .with_context(|| format!("--data {} can't be created", path.display()))?;
        Ok(path)
    }
}
