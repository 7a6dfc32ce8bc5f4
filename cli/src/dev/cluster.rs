//! The controller and the brokers of `milena dev`, from their start to their stop.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use broker::config::BrokerConfig;
use broker::readiness::readiness;
use broker::server::{Server, ServerError};
use controller::{Controller, ControllerConfig, ControllerParams};
use metadata::embedded::EmbeddedStore;
use node::metrics_listener::{MetricsListener, Ready};
use node::properties::{Origin, Properties};
use node::shutdown::{self, Shutdown};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::DevArguments;

/// The replicas of an internal topic, where there are brokers enough.
const INTERNAL_REPLICAS_MAX: u16 = 3;

/// Between two looks whether every broker is ready.
const READY_POLL: Duration = Duration::from_millis(5);

/// A cluster that runs.
pub struct Cluster {
    bootstrap: String,
    ready: Ready,
    brokers: JoinSet<Result<(), ServerError>>,
    controller: tokio::task::JoinHandle<anyhow::Result<()>>,
    /// Stops the controller, once the brokers are done with it.
    stop_controller: shutdown::Trigger,
}

impl Cluster {
    /// Starts everything; it serves some moments later.
    pub async fn start(
        arguments: &DevArguments,
        properties: &Properties,
        data: &Path,
        store: EmbeddedStore,
        shutdown: &Shutdown,
    ) -> anyhow::Result<Cluster> {
        let store = Arc::new(store);
        let (stop_controller, controller_shutdown) = shutdown::channel();
        let controller = start_controller(properties, store.clone(), controller_shutdown).await?;
        let (mut brokers, mut addresses, mut checks) = (JoinSet::new(), Vec::new(), Vec::new());
        for index in 0..arguments.brokers {
            let config = broker_config(arguments, properties, data, index)?;
            let server = Server::start(config, store.clone()).await?;
            addresses.extend(server.addresses().iter().map(ToString::to_string));
            checks.push(readiness(server.broker().clone()));
            brokers.spawn(server.run(shutdown.clone()));
        }
        let ready: Ready = Arc::new(move || checks.iter().try_for_each(|check| check()));
        let listener = MetricsListener::bind(&format!("127.0.0.1:{}", arguments.metrics_port)).await?;
        tokio::spawn(listener.serve(prometheus::default_registry().clone(), ready.clone(), shutdown.clone()));
        Ok(Cluster { bootstrap: addresses.join(","), ready, brokers, controller, stop_controller })
    }

    /// Every broker's first listener, comma-separated.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Ends once every broker is ready; an error if one of them ended instead.
    pub async fn ready(&self) -> anyhow::Result<()> {
        while let Err(reason) = (self.ready)() {
            if self.controller.is_finished() {
                anyhow::bail!("the controller ended before the brokers were ready: {reason}");
            }
            tokio::time::sleep(READY_POLL).await;
        }
        Ok(())
    }

    /// Waits for the brokers to stop, then stops the controller.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.brokers.join_next().await {
            let ended = ended.context("a broker's task failed")?.map_err(anyhow::Error::from);
            outcome = outcome.and(ended);
        }
        self.stop_controller.fire();
        outcome.and(self.controller.await.context("the controller's task failed")?)
    }
}

/// The controller of `milena dev`; its gRPC port is whatever the kernel gives.
const CONTROLLER_ID: i32 = 1;

async fn start_controller(
    properties: &Properties,
    store: Arc<EmbeddedStore>,
    shutdown: Shutdown,
) -> anyhow::Result<tokio::task::JoinHandle<anyhow::Result<()>>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for the controller")?;
    let params = ControllerParams {
        id: CONTROLLER_ID,
        store,
        prefix: properties.get("metadata.prefix").unwrap_or_default().to_owned(),
        endpoint: format!("http://{}", listener.local_addr()?),
        listener,
        config: ControllerConfig::resolve(properties)?,
    };
    Ok(tokio::spawn(Controller::new(params).run(shutdown)))
}

fn broker_config(
    arguments: &DevArguments,
    properties: &Properties,
    data: &Path,
    index: u16,
) -> anyhow::Result<BrokerConfig> {
    let mut properties = properties.clone();
    let mut set = |key: &str, value: String| properties.set(key, value, Origin::Default);
    set("node.id", (index + 1).to_string());
    set("listeners", format!("PLAINTEXT://127.0.0.1:{}", arguments.port_of(index)?));
    set("log.dirs", data.join(format!("broker-{}", index + 1)).display().to_string());
    let replicas = arguments.brokers.min(INTERNAL_REPLICAS_MAX).to_string();
    for key in ["offsets.topic.replication.factor", "transaction.state.log.replication.factor"] {
        if properties.get(key).is_none() {
            properties.set(key, replicas.clone(), Origin::Default);
        }
    }
    Ok(BrokerConfig::resolve(&properties)?)
}
