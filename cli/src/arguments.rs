//! Arguments that several subcommands share.

use clap::{Args, ValueEnum};
use client::{Cluster, ClusterConfig};

/// Where the cluster is.
#[derive(Args, Clone, Debug)]
pub struct Connect {
    /// Brokers to begin with, comma-separated.
    #[arg(
        short = 'b',
        long = "bootstrap-server",
        visible_alias = "bootstrap-servers",
        value_name = "HOST:PORT,…",
        default_value = "localhost:9092",
        value_parser = servers
    )]
    bootstrap_server: String,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

impl Connect {
    /// Finds the cluster.
    pub async fn cluster(&self) -> Result<Cluster, client::Error> {
        Cluster::connect(ClusterConfig::new(&self.bootstrap_server)).await
    }
}

fn servers(text: &str) -> Result<String, String> {
    let wrong = text.split(',').map(str::trim).find(|server| !is_server(server));
    match wrong {
        Some(server) => Err(format!("'{server}' is not HOST:PORT, as in localhost:9092")),
        None => Ok(text.to_owned()),
    }
}

fn is_server(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Splits "name=value".
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(format!("'{text}' is not NAME=VALUE")),
    }
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

    #[test]
    fn a_value_may_hold_further_equals_signs() {
        assert_eq!(key_value("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(key_value("=b").is_err());
    }
}
