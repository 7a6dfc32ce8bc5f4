//! A controller from start to end: it serves its listener all the time, races for `/controller`, and is active or stands by.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use metadata::keys::controller_key::ActiveController;
use metadata::store::{LeaseId, MetadataStore, StoreError};
use node::metrics_listener::Ready;
use node::shutdown::{self, Shutdown};
use protocol::types::Uuid;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::active::Ended;
use crate::election_of_controller::{Claim, Race, Standing, await_vacancy, evict, race};
use crate::event_queue;
use crate::lease::HeldLease;
use crate::metrics;
use crate::params::{ControllerConfig, ControllerParams};
use crate::server::{Process, Role, serve};
use crate::standby::gone;
use crate::term::Term;

/// Between two races, while another one was quicker.
const RACE_BACKOFF: Duration = Duration::from_millis(20);
/// The same while the store cannot be asked.
const UNREACHED_BACKOFF: Duration = Duration::from_millis(100);
/// For so long one that resigned leaves the place to others; if there are none it takes it again.
const RESIGNED_REST: Duration = Duration::from_secs(1);
/// Events that may wait for the active controller.
const EVENTS_MAX: usize = 1024;
/// How long the streams of a stopping controller may take to end.
const STREAMS_END_WITHIN: Duration = Duration::from_secs(2);

/// One controller of a cluster, active or standing by.
pub struct Controller {
    candidate: Candidate,
    listener: tokio::net::TcpListener,
    role: watch::Sender<Role>,
}

struct Candidate {
    /// As it would stand in `/controller`, but for the epoch.
    me: ActiveController,
    store: Arc<dyn MetadataStore>,
    prefix: String,
    config: ControllerConfig,
}

impl Controller {
    pub fn new(params: ControllerParams) -> Controller {
        let ControllerParams { id, store, prefix, listener, endpoint, config } = params;
        let me = ActiveController { id, endpoint, ..ActiveController::default() };
        let candidate = Candidate { me, store, prefix, config };
        Controller { candidate, listener, role: watch::Sender::new(Role::Unconnected) }
    }

    /// Ready when it is active, or stands by with the store in reach.
    pub fn readiness(&self) -> Ready {
        let role = self.role.subscribe();
        Arc::new(move || match &*role.borrow() {
            Role::Unconnected => Err("the metadata store is not reached".to_owned()),
            Role::Reading(_) => Err("active, but the metadata store has yet to be read".to_owned()),
            Role::Standby(_) | Role::Active(_) => Ok(()),
        })
    }

    /// Runs until shutdown is asked for.
    pub async fn run(self, shutdown: Shutdown) -> anyhow::Result<()> {
        metrics::begin();
        let Controller { mut candidate, listener, role } = self;
        let incarnation = Uuid::random().context("the kernel gave no randomness for the incarnation")?;
        candidate.me.incarnation = incarnation;
        let process = Process { controller_id: candidate.me.id, incarnation };
        let (stop_serving, stopped) = shutdown::channel();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, process, role.subscribe(), stopped));
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
            let ended = tokio::select! {
                claim = self.win(role) => self.be_active(claim, role, shutdown).await,
                () = shutdown.requested() => return,
            };
            if ended == Ended::Resigned {
                metrics::observe_resignation();
                tokio::select! {
                    () = tokio::time::sleep(RESIGNED_REST) => {}
                    () = shutdown.requested() => {}
                }
            }
        }
    }

    /// Stands by until the race is won.
    async fn win(&self, role: &watch::Sender<Role>) -> Claim {
        let mut failing = false;
        loop {
            let failure = match race(&*self.store, &self.prefix, &self.me).await {
                Ok(Race::Won(claim)) => return claim,
                Ok(Race::Lost(standing)) => {
                    failing = false;
                    role.send_replace(Role::Standby(Some(standing.active.clone())));
                    match self.stand_by(&standing).await {
                        Ok(true) => continue,
                        Ok(false) => "the watch on the active controller was lost".to_owned(),
                        Err(error) => error.to_string(),
                    }
                }
                Ok(Race::Close) => {
                    tokio::time::sleep(RACE_BACKOFF).await;
                    continue;
                }
                Err(error) => {
                    role.send_replace(Role::Unconnected);
                    error.to_string()
                }
            };
            if !std::mem::replace(&mut failing, true) {
                tracing::warn!("cannot race for the controller's place, trying on: {failure}");
            }
            tokio::time::sleep(UNREACHED_BACKOFF).await;
        }
    }

    /// Returns when the place is free: whether that is certain.
    async fn stand_by(&self, standing: &Standing) -> Result<bool, StoreError> {
        let Standing { active, revision, .. } = standing;
        tracing::info!(active = active.id, epoch = active.epoch, endpoint = %active.endpoint, "standing by");
        tokio::select! {
            vacant = await_vacancy(&*self.store, &self.prefix, revision + 1) => vacant,
            () = gone(active, &self.me) => self.evict(standing).await.map(|()| true),
        }
    }

    async fn evict(&self, standing: &Standing) -> Result<(), StoreError> {
        let Standing { active, .. } = standing;
        if evict(&*self.store, &self.prefix, standing).await? {
            tracing::warn!(
                active = active.id,
                epoch = active.epoch,
                "the active controller is gone: evicted"
            );
            metrics::observe_eviction("controller");
            self.revoke_aside(standing.lease);
        }
        Ok(())
    }

    /// The key is gone already; nobody need wait for its lease.
    fn revoke_aside(&self, lease: LeaseId) {
        let store = Arc::clone(&self.store);
        // Where this fails the lease ends by itself.
        tokio::spawn(async move { store.lease_revoke(lease).await });
    }

    async fn be_active(&self, claim: Claim, role: &watch::Sender<Role>, shutdown: &Shutdown) -> Ended {
        let term = Term {
            id: self.me.id,
            store: Arc::clone(&self.store),
            prefix: self.prefix.clone(),
            config: self.config.clone(),
            claim,
        };
        let lease = HeldLease::keep(Arc::clone(&self.store), claim.lease, claim.since);
        let (events, received) = event_queue::channel(EVENTS_MAX);
        // From now on streams and calls wait for the state to be read, rather than try again.
        role.send_replace(Role::Reading(events.clone()));
        let settled = |settled| {
            metrics::observe_active(Some(claim.epoch).filter(|_| settled));
            let role_of = if settled { Role::Active } else { Role::Reading };
            role.send_replace(role_of(events.clone()));
        };
        let ended = term.serve(received, lease, shutdown, settled).await;
        metrics::observe_active(None);
        role.send_replace(Role::Standby(None));
        // The next one need not wait for the lease to end; where it has ended there is nothing to revoke.
        let _ = self.store.lease_revoke(claim.lease).await;
        tracing::info!(epoch = claim.epoch, ?ended, "no longer the active controller");
        ended
    }
}
