//! How a command reaches its cluster: the brokers to begin with, and what a file of a Java client says of them.
//!
//! * `command_config`: such a file. Pure but for its reading.

mod command_config;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use client::{Admin, Cluster, ClusterConfig};
use node::properties::Properties;

use crate::output::say;

/// Where a cluster is that nobody said anything of.
const LOCAL: &str = "localhost:9092";

/// Where the cluster is.
#[derive(Args, Clone, Debug)]
pub struct Connect {
    /// Brokers to begin with, comma-separated; if not given, bootstrap.servers of --command-config, else localhost:9092.
    #[arg(
        short = 'b',
        long = "bootstrap-server",
        visible_alias = "bootstrap-servers",
        value_name = "HOST:PORT,…",
        value_parser = servers
    )]
    bootstrap_server: Option<String>,
    /// A properties file of a Java client: bootstrap.servers, client.id, time-outs and retries are taken from it.
    #[arg(long, value_name = "FILE")]
    command_config: Option<PathBuf>,
}

impl Connect {
    /// Finds the cluster.
    pub async fn cluster(&self) -> anyhow::Result<Cluster> {
        Ok(Cluster::connect(self.config()?).await?)
    }

    /// Finds the cluster, to look after it.
    pub async fn admin(&self) -> anyhow::Result<Admin> {
        Ok(Admin::new(self.cluster().await?))
    }

    fn config(&self) -> anyhow::Result<ClusterConfig> {
        let mut properties = Properties::default();
        if let Some(path) = &self.command_config {
            properties.read_file(path)?;
        }
        let from_file = properties.get("bootstrap.servers").filter(|servers| !servers.is_empty());
        if let Some(listed) = from_file {
            servers(listed).map_err(anyhow::Error::msg).context("bootstrap.servers")?;
        }
        let servers = self.bootstrap_server.as_deref().or(from_file).unwrap_or(LOCAL);
        let mut config = ClusterConfig::new(servers);
        for warning in command_config::apply(&properties, &mut config)? {
            say(format!("warning: {warning}"));
        }
        Ok(config)
    }
}

fn servers(text: &str) -> Result<String, String> {
    let wrong = text.split(',').map(str::trim).find(|server| !is_server(server));
    match wrong {
        Some(server) => Err(format!("'{server}' is not HOST:PORT, as in {LOCAL}")),
        None => Ok(text.to_owned()),
    }
}

fn is_server(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_a_host_and_a_port() {
        assert!(servers("localhost:9092, [::1]:19092").is_ok());
        for wrong in ["localhost", "localhost:", ":9092", "localhost:99999", "a:1,,b:2"] {
            assert!(servers(wrong).is_err(), "{wrong}");
        }
    }
}
