//! Starts a broker, serves, and stops it in order. The daemon and `milena dev` both come through here.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use metadata::image::ClusterImage;
use metadata::store::MetadataStore;
use node::shutdown::{self, Shutdown};
use protocol::types::Uuid;
use tokio::net::{TcpListener, lookup_host};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Broker;
use crate::api::Listener;
use crate::api::topic_names::GROUP_METADATA_TOPIC;
use crate::client_activity::ClientActivity;
use crate::config::{Binding, BrokerConfig};
use crate::departed_peers::DepartedPeers;
use crate::fetch::sessions::FetchSessions;
use crate::group::{GroupCoordinator, leadership};
use crate::hand_over::{hand_over, send_clients_on};
use crate::lag::{self, Lags};
use crate::link::{ControllerLink, Identity, LinkError, LinkParams, Seen, SeenError};
use crate::metrics::figures::{self, BrokerState};
use crate::metrics::{self, threads};
use crate::net::listener::{self, Limits};
use crate::net::quota::{self, ConnectionQuota};
use crate::net::request_memory::RequestMemory;
use crate::replica::coordinator_log::InternalTopic;
use crate::replica::log_dirs::{self, LogDirsError};
use crate::replica::{Replicas, follower, gauges, housekeeping, isr, offline_reports};
use crate::stage::Stage;
use crate::unreachable_peers::UnreachablePeers;

/// How long the last messages of a clean stop may take.
const LEAVE_WAIT_MAX: Duration = Duration::from_secs(2);

/// A fetch session may be evicted once it was idle for so long (`min.incremental.fetch.session.eviction.ms`).
const FETCH_SESSION_EVICTED_AFTER: Duration = Duration::from_secs(120);

/// A broker whose listeners are bound and whose logs are being opened.
pub struct Server {
    broker: Arc<Broker>,
    sockets: Vec<(Arc<Listener>, TcpListener)>,
}

/// Why a broker does not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    LogDirs(#[from] LogDirsError),
    #[error(transparent)]
    Seen(#[from] SeenError),
    #[error("listener {name}://{address} can't be bound")]
    Bind { name: String, address: String, source: std::io::Error },
    #[error("the kernel gave no randomness for the incarnation: {0}")]
    Randomness(String),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("every log directory has failed")]
    NoLogDir,
    #[error("the task of the link failed: {0}")]
    LinkTask(tokio::task::JoinError),
}

impl Server {
    /// Locks the log directories, begins to open the logs, and binds the listeners.
    pub async fn start(config: BrokerConfig, store: Arc<dyn MetadataStore>) -> Result<Server, ServerError> {
        let dirs = log_dirs::open_all(&config.logs.dirs, config.broker_id)?;
        let clean_shutdown_epoch = dirs.clean_shutdown_epoch();
        dirs.forget_clean_shutdown().map_err(LogDirsError::Io)?;
        let seen = Seen::open(dirs.online[0].path())?;
        let dir_ids = dirs.online.iter().map(|dir| dir.id).collect();
        let replicas = Replicas::new(&config, dirs);
        replicas.recover(config.logs.recovery_threads_per_dir)?;
        let sockets = bind_all(&config).await?;
        let identity = Identity {
            broker_id: config.broker_id,
            incarnation: Uuid::random().map_err(|error| ServerError::Randomness(error.to_string()))?,
            endpoints: config.listeners.advertised_at(|name| port_of(&sockets, name)),
            inter_broker_listener: config.listeners.inter_broker.clone(),
            rack: config.rack.clone(),
            log_dirs: dir_ids,
            clean_shutdown_epoch,
        };
        let broker = make_broker(config, store, identity, seen, replicas);
        watch(&broker);
        Ok(Server { broker, sockets })
    }

    /// The broker, for those who watch it.
    pub fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Where the listeners are bound.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|(_, socket)| socket.local_addr().ok()).collect()
    }

    /// Serves until shutdown, until the link is refused, or until the last log directory has failed. Then, in this order: leadership goes to others, duties end, the
    /// logs close, the registration is given up, and last the listeners close: a controller that finds them closed takes
    /// the broker for dead.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), ServerError> {
        let Server { broker, sockets } = self;
        let (stop_link, link_stops) = shutdown::channel();
        let (stop_duties, duties_stop) = shutdown::channel();
        let (stop_listening, listening_stops) = shutdown::channel();
        let mut link = tokio::spawn({
            let broker = broker.clone();
            async move { broker.link.run(&link_stops).await }
        });
        let mut duties = begin_duties(&broker, &duties_stop);
        let listening = tokio::spawn(listen(broker.clone(), sockets, listening_stops));
        let (mut refused, mut failed) = (None, Ok(()));
        tokio::select! {
            ended = &mut link => refused = Some(ended),
            () = broker.replicas.all_dirs_failed() => failed = Err(ServerError::NoLogDir),
            () = shutdown.requested() => {}
        }
        let hands_over = refused.is_none() && broker.config.controlled_shutdown;
        if hands_over {
            broker.stage.reached(BrokerState::PendingControlledShutdown);
            hand_over(&broker).await;
        }
        broker.stage.reached(BrokerState::ShuttingDown);
        stop_duties.fire();
        while duties.join_next().await.is_some() {}
        if hands_over {
            send_clients_on().await;
        }
        close_logs(&broker).await;
        broker.link.leave(LEAVE_WAIT_MAX).await;
        stop_link.fire();
        let ended = match refused {
            Some(refused) => refused,
            None => link.await,
        };
        stop_listening.fire();
        if let Err(error) = listening.await {
            tracing::error!("the task of the listeners failed: {error}");
        }
        match ended {
            Ok(ended) => failed.and(ended.map_err(ServerError::from)),
            Err(error) => Err(ServerError::LinkTask(error)),
        }
    }
}

fn make_broker(
    config: BrokerConfig,
    store: Arc<dyn MetadataStore>,
    identity: Identity,
    seen: Seen,
    replicas: Arc<Replicas>,
) -> Arc<Broker> {
    let image = watch::Sender::new(Arc::new(ClusterImage::default()));
    let log = InternalTopic { replicas: replicas.clone(), topic: GROUP_METADATA_TOPIC };
    let groups = Arc::new(GroupCoordinator::new(
        config.groups.clone(),
        config.offsets_topic.compression,
        config.offsets_topic.partitions,
        Arc::new(log),
    ));
    let departed_peers = Arc::new(DepartedPeers::default());
    let observer = {
        let (replicas, groups, this) = (replicas.clone(), groups.clone(), config.broker_id);
        let departed_peers = departed_peers.clone();
        Arc::new(move |old: &Arc<ClusterImage>, new: &Arc<ClusterImage>| {
            replicas.apply(old, new);
            leadership::follow(&groups, this, old, new);
            departed_peers.follow(old, new);
        })
    };
    let link = ControllerLink::new(LinkParams {
        identity,
        session: config.session.clone(),
        store,
        prefix: config.metadata.prefix.clone(),
        image: image.clone(),
        observer,
        reporter: {
            let replicas = replicas.clone();
            Arc::new(move || replicas.holdings())
        },
        seen,
    });
    let fetch_sessions =
        FetchSessions::new(config.replication.fetch_sessions_max, FETCH_SESSION_EVICTED_AFTER);
    let unreachable_peers = UnreachablePeers::default();
    Arc::new(Broker {
        config,
        image,
        link,
        replicas,
        fetch_sessions,
        groups,
        departed_peers,
        stage: Stage::default(),
        lags: Lags::default(),
        unreachable_peers,
        client_activity: ClientActivity::default(),
    })
}

/// Shows this broker to those who watch it.
fn watch(broker: &Arc<Broker>) {
    metrics::begin();
    threads::running();
    let observed: Weak<Broker> = Arc::downgrade(broker);
    figures::observe(observed);
}

/// What the broker does without being asked.
fn begin_duties(broker: &Arc<Broker>, shutdown: &Shutdown) -> JoinSet<()> {
    let (logs, replication) = (broker.config.logs.clone(), broker.config.replication.clone());
    let mut duties = JoinSet::new();
    duties.spawn(housekeeping::run(broker.replicas.clone(), logs, replication, shutdown.clone()));
    duties.spawn(follower::run(broker.clone(), shutdown.clone()));
    duties.spawn(isr::run(broker.clone(), shutdown.clone()));
    duties.spawn(offline_reports::run(broker.clone(), shutdown.clone()));
    duties.spawn(gauges::run(broker.clone(), shutdown.clone()));
    duties.spawn(lag::run(broker.clone(), shutdown.clone()));
    duties
}

/// Lets clients in once there is an image to answer from, until shutdown; then sees their connections off.
async fn listen(broker: Arc<Broker>, sockets: Vec<(Arc<Listener>, TcpListener)>, shutdown: Shutdown) {
    let mut images = broker.image.subscribe();
    tokio::select! {
        // An error says that the broker is gone, and with it everyone who could be served.
        _ = images.wait_for(|image| image.revision > 0) => {}
        () = shutdown.requested() => return,
    }
    let settings = &broker.config.sockets;
    let memory = RequestMemory::new(settings.queued_max_request_bytes);
    let quota = ConnectionQuota::new(broker.config.at_start.connections.clone(), Instant::now());
    let limits = Limits { quota: quota.clone(), memory };
    let mut listeners = JoinSet::new();
    listeners.spawn(quota::follow(broker.clone(), quota, shutdown.clone()));
    for (listener, socket) in sockets {
        listeners.spawn(listener::serve(broker.clone(), listener, socket, limits.clone(), shutdown.clone()));
    }
    while listeners.join_next().await.is_some() {}
}

/// From here on no image is applied any more.
async fn close_logs(broker: &Arc<Broker>) {
    let closing = broker.clone();
    let closed =
        tokio::task::spawn_blocking(move || closing.replicas.close(closing.link.broker_epoch())).await;
    if let Err(error) = closed {
        tracing::error!("closing the logs failed: {error}");
    }
}

async fn bind_all(config: &BrokerConfig) -> Result<Vec<(Arc<Listener>, TcpListener)>, ServerError> {
    let mut sockets = Vec::new();
    for binding in &config.listeners.bindings {
        let socket =
            bind(binding, config.sockets.listen_backlog).await.map_err(|source| ServerError::Bind {
                name: binding.listener.name.clone(),
                address: format!("{}:{}", binding.host, binding.port),
                source,
            })?;
        sockets.push((binding.listener.clone(), socket));
    }
    Ok(sockets)
}

/// An empty host is every interface, of both families where the kernel has IPv6.
async fn bind(binding: &Binding, backlog: u32) -> std::io::Result<TcpListener> {
    if binding.host.is_empty() {
        let everywhere = SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, binding.port));
        let ipv4 = SocketAddr::from((std::net::Ipv4Addr::UNSPECIFIED, binding.port));
        return listener::bind(everywhere, backlog).or_else(|_| listener::bind(ipv4, backlog));
    }
    let mut addresses = lookup_host((binding.host.as_str(), binding.port)).await?;
    let address = addresses.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    listener::bind(address, backlog)
}

fn port_of(sockets: &[(Arc<Listener>, TcpListener)], name: &str) -> Option<u16> {
    let (_, socket) = sockets.iter().find(|(listener, _)| listener.name == name)?;
    socket.local_addr().ok().map(|address| address.port())
}
