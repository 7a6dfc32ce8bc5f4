//! `milena-broker [--config FILE] [--override key=value]…`: one broker of a cluster whose metadata is in etcd.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use broker::config::{BrokerConfig, StoreKind};
use broker::readiness::readiness;
use broker::server::Server;
use clap::Parser;
use metadata::etcd::EtcdStore;
use node::logging::{self, LoggingConfig};
use node::metrics_listener::MetricsListener;
use node::properties::Properties;
use node::shutdown::{self, Shutdown};
use node::{causes, limits, process_metrics};

/// One broker of a Milena cluster.
#[derive(Parser)]
#[command(name = "milena-broker", version)]
struct Arguments {
    /// The properties file, with Apache Kafka's keys. Without one, the environment says all.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets a key over the file and the environment; may be given again.
    #[arg(long = "override", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("milena-broker: {}", causes::one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let properties = Properties::load(&[], arguments.config.as_deref(), &arguments.overrides)?;
    logging::begin(&LoggingConfig::from_properties(&properties)?)?;
    let config = BrokerConfig::resolve(&properties)?;
    if config.metadata.store == StoreKind::Embedded {
        bail!("metadata.store=embedded is for one process alone: use `milena dev`, or metadata.store=etcd");
    }
    let open_files = limits::raise_open_files()
        .map_err(|error| anyhow!("cannot raise the limit of open files: {error}"))?;
    tracing::info!(broker = %config.broker_id, open_files, "starting");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: BrokerConfig) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signals()?;
    let store = EtcdStore::connect(&config.metadata.endpoints).await?;
    let metrics_listener = config.metrics_listener.clone();
    let server = Server::start(config, Arc::new(store)).await?;
    // Operators watch the stop as well.
    let (_stop_metrics, metrics_stop) = shutdown::channel();
    if let Some(address) = metrics_listener {
        serve_metrics(&address, &server, metrics_stop).await?;
    }
    server.run(shutdown).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn serve_metrics(address: &str, server: &Server, shutdown: Shutdown) -> anyhow::Result<()> {
    let registry = prometheus::default_registry();
    process_metrics::register(registry)?;
    let listener = MetricsListener::bind(address).await?;
    tracing::info!(address = %listener.address(), "metrics listener");
    tokio::spawn(listener.serve(registry.clone(), readiness(server.broker().clone()), shutdown));
    Ok(())
}
