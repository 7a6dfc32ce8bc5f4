//! `milena-controller [--config FILE] [--override key=value]…`: one controller of a cluster whose metadata is in etcd.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Parser;
use controller::{Controller, ControllerConfig, ControllerParams};
use metadata::configs;
use metadata::etcd::EtcdStore;
use node::logging::{self, LoggingConfig};
use node::metrics_listener::MetricsListener;
use node::properties::Properties;
use node::shutdown;
use node::{limits, process_metrics};
use tokio::net::TcpListener;

/// One controller of a Milena cluster; of several, one is active and the others stand by.
#[derive(Parser)]
#[command(name = "milena-controller", version)]
struct Arguments {
    /// The properties file, with Apache Kafka's keys and Milena's own. Without one, the environment says all.
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
            eprintln!("milena-controller: {}", node::causes::one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let properties = Properties::load(&[], arguments.config.as_deref(), &arguments.overrides)?;
    logging::begin(&LoggingConfig::from_properties(&properties)?)?;
    warn_of_unknown_keys(&properties);
    if text(&properties, "metadata.store") == "embedded" {
        bail!("metadata.store=embedded is for one process alone: use `milena dev`, or metadata.store=etcd");
    }
    limits::raise_open_files().context("cannot raise the limit of open files")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&properties))
}

async fn serve(properties: &Properties) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signals()?;
    let controller = Controller::new(params(properties).await?);
    let registry = prometheus::default_registry();
    process_metrics::register(registry)?;
    let metrics = MetricsListener::bind(&text(properties, "metrics.listener")).await?;
    tracing::info!(address = %metrics.address(), "metrics listener");
    tokio::spawn(metrics.serve(registry.clone(), controller.readiness(), shutdown.clone()));
    controller.run(shutdown).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn params(properties: &Properties) -> anyhow::Result<ControllerParams> {
    let id = properties.get("node.id").and_then(|id| id.trim().parse().ok()).filter(|id: &i32| *id >= 0);
    let id = id.ok_or_else(|| properties.refuse("node.id", "a number from 0"))?;
    let endpoints = text(properties, "metadata.endpoints");
    let endpoints: Vec<String> = endpoints.split(',').map(|endpoint| endpoint.trim().to_owned()).collect();
    let address = text(properties, "controller.listener");
    let listener = TcpListener::bind(&address).await;
    let listener = listener.with_context(|| format!("cannot listen on controller.listener {address}"))?;
    let advertised = advertised(properties, listener.local_addr()?)?;
    tracing::info!(controller = id, listener = %listener.local_addr()?, %advertised, "starting");
    Ok(ControllerParams {
        id,
        store: Arc::new(EtcdStore::connect(&endpoints).await?),
        prefix: text(properties, "metadata.prefix"),
        listener,
        endpoint: format!("http://{advertised}"),
        config: ControllerConfig::resolve(properties)?,
    })
}

/// Where brokers are told to connect.
fn advertised(properties: &Properties, bound: SocketAddr) -> anyhow::Result<String> {
    const KEY: &str = "controller.advertised.listener";
    match properties.get(KEY) {
        Some(advertised) => Ok(advertised.trim().to_owned()),
        None if bound.ip().is_unspecified() => Err(properties
            .refuse(KEY, "an address that brokers reach: controller.listener is every address")
            .into()),
        None => Ok(bound.to_string()),
    }
}

fn warn_of_unknown_keys(properties: &Properties) {
    for (key, value) in properties.iter().filter(|(key, _)| !configs::is_broker_key(key)) {
        tracing::warn!(key, "is not known, and has no effect (from {})", value.origin);
    }
}

/// What a key is set to, or its default.
fn text(properties: &Properties, key: &str) -> String {
    let set = properties.get(key).map(|value| value.trim().to_owned());
    set.or_else(|| configs::broker_default(key)).unwrap_or_default()
}
