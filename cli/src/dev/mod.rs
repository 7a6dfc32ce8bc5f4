//! `milena dev`: a whole cluster in one process. One controller and N brokers run the code of the daemons; only the metadata
//! store is embedded.
//!
//! Broker i (from 1) listens on port + i − 1 of 127.0.0.1. Once all serve, `ready HOST:PORT,…` goes to stdout.

mod arguments;
mod cluster;

use anyhow::Context;
use metadata::embedded::EmbeddedStore;
use node::logging::{self, LoggingConfig};
use node::properties::Properties;
use node::shutdown;
use node::{limits, process_metrics};

pub use self::arguments::DevArguments;
use self::cluster::Cluster;

/// What `dev` sets where neither the environment nor `--override` does: a group forms at once, as in Kafka's own quick start.
const DEFAULTS: [(&str, &str); 3] = [
    ("group.initial.rebalance.delay.ms", "0"),
    ("metadata.store", "embedded"),
    ("metadata.prefix", "/milena"),
];

/// Runs the cluster until SIGTERM or Ctrl-C.
pub fn run(arguments: &DevArguments) -> anyhow::Result<()> {
    let properties = Properties::load(&DEFAULTS, None, &arguments.overrides)?;
    logging::begin(&LoggingConfig::from_properties(&properties)?)?;
    limits::raise_open_files().context("the limit of open files can't be raised")?;
    let data = arguments.data()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(arguments, &properties, &data));
    if arguments.ephemeral {
        std::fs::remove_dir_all(&data).with_context(|| format!("{} can't be removed", data.display()))?;
    }
    outcome
}

async fn serve(
    arguments: &DevArguments,
    properties: &Properties,
    data: &std::path::Path,
) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signals()?;
    let store = if arguments.ephemeral {
        EmbeddedStore::ephemeral()
    } else {
        EmbeddedStore::open(&data.join("metadata"))?
    };
    process_metrics::register(prometheus::default_registry())?;
    let cluster = Cluster::start(arguments, properties, data, store, &shutdown).await?;
    tokio::select! {
        ready = cluster.ready() => {
            ready?;
            println!("ready {}", cluster.bootstrap());
        }
        () = shutdown.requested() => {}
    }
    cluster.run().await
}
