//! A controller from start to end: it serves its listener all the time, races for `/controller`, and is active or stands by.

use std::sync::Arc;
use std::time::Duration;

use metadata::store::MetadataStore;
use node::metrics_listener::Ready;
use node::shutdown::{self, Shutdown};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::election_of_controller::{Claim, Race, await_vacancy, keep_alive, race};
use crate::metrics;
use crate::params::{ControllerConfig, ControllerParams};
use crate::server::{Role, serve};
use crate::term::Term;

/// Between two races, while the store cannot be asked or another one was quicker.
const RACE_BACKOFF: Duration = Duration::from_millis(100);
/// How long the streams of a stopping controller may take to end.
const STREAMS_END_WITHIN: Duration = Duration::from_secs(2);

/// One controller of a cluster, active or standing by.
pub struct Controller {
    candidate: Candidate,
    listener: tokio::net::TcpListener,
    role: watch::Sender<Role>,
}

struct Candidate {
    id: i32,
    store: Arc<dyn MetadataStore>,
    prefix: String,
    endpoint: String,
    config: ControllerConfig,
}

impl Controller {
    pub fn new(params: ControllerParams) -> Controller {
        let ControllerParams { id, store, prefix, listener, endpoint, config } = params;
        let candidate = Candidate { id, store, prefix, endpoint, config };
        Controller { candidate, listener, role: watch::Sender::new(Role::Unconnected) }
    }

    /// Ready when it is active, or stands by with the store in reach.
    pub fn readiness(&self) -> Ready {
        let role = self.role.subscribe();
        Arc::new(move || match &*role.borrow() {
            Role::Unconnected => Err("the metadata store is not reached".to_owned()),
            Role::Standby(_) | Role::Active(_) => Ok(()),
        })
    }

    /// Runs until shutdown is asked for.
    pub async fn run(self, shutdown: Shutdown) -> anyhow::Result<()> {
        let Controller { candidate, listener, role } = self;
        let (stop_serving, stopped) = shutdown::channel();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, role.subscribe(), async move { stopped.requested().await }));
        candidate.run(&role, &shutdown).await;
        role.send_replace(Role::Unconnected);
        stop_serving.fire();
        match tokio::time::timeout(STREAMS_END_WITHIN, serving.join_next()).await {
            Ok(Some(served)) => Ok(served??),
            // Some stream outlives its broker; it ends with its task.
            Ok(None) | Err(_) => Ok(()),
        }
    }
}

impl Candidate {
    async fn run(&self, role: &watch::Sender<Role>, shutdown: &Shutdown) {
        while !shutdown.is_requested() {
            tokio::select! {
                claim = self.win(role) => self.be_active(claim, role, shutdown).await,
                () = shutdown.requested() => {}
            }
        }
    }

    /// Stands by until the race is won.
    async fn win(&self, role: &watch::Sender<Role>) -> Claim {
        loop {
            match race(&*self.store, &self.prefix, self.id, &self.endpoint).await {
                Ok(Race::Won(claim)) => return claim,
                Ok(Race::Lost(active, revision)) => {
                    tracing::debug!(active = active.id, epoch = active.epoch, "standing by");
                    role.send_replace(Role::Standby(Some(active)));
                    match await_vacancy(&*self.store, &self.prefix, revision + 1).await {
                        Ok(true) => continue,
                        Ok(false) => tracing::info!("the watch on the active controller was lost"),
                        Err(error) => tracing::warn!(%error, "cannot watch the active controller"),
                    }
                }
                Ok(Race::Close) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot race for the controller's place, trying on");
                    role.send_replace(Role::Unconnected);
                }
            }
            tokio::time::sleep(RACE_BACKOFF).await;
        }
    }

    async fn be_active(&self, claim: Claim, role: &watch::Sender<Role>, shutdown: &Shutdown) {
        let term = Term {
            id: self.id,
            store: Arc::clone(&self.store),
            prefix: self.prefix.clone(),
            config: self.config.clone(),
            claim,
        };
        // A task of its own: a slow transaction must not hold up the keepalives.
        let mut keeper = JoinSet::new();
        keeper.spawn(keep_alive(Arc::clone(&self.store), claim.lease));
        let lease_lost = async {
            // An error says that keeping failed, which loses the lease as well.
            let _ = keeper.join_next().await;
        };
        let serving = |events| {
            role.send_replace(Role::Active(events));
        };
        term.serve(lease_lost, shutdown, serving).await;
        drop(keeper);
        metrics::observe_active(false);
        role.send_replace(Role::Standby(None));
        // The next one need not wait for the lease to end; where it has ended there is nothing to revoke.
        let _ = self.store.lease_revoke(claim.lease).await;
    }
}
