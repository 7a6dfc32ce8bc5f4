//! The broker's tie to store and controllers, in the place of `broker::link`: its registration, who is active, and the stream.

use std::sync::Arc;
use std::time::Duration;

use broker::link::Identity;
use broker::link::claim::{Claim, claim};
use metadata::image::Endpoint;
use metadata::keys::Key;
use metadata::keys::broker_registration::{BrokerRegistration, NO_CLEAN_SHUTDOWN};
use metadata::keys::controller_key::ActiveController;
use metadata::store::{
    Compare, KeyRange, LeaseId, MetadataStore, Operation, StoreError, TxnOutcome, WatchEvent, WatchMessage,
    get,
};
use parking_lot::Mutex;
use proto::controller::Hello;
use protocol::types::{BrokerId, Uuid};
use tokio::time::sleep;

use super::Process;
use crate::event::ConnectionId;
use crate::job::{Job, job};
use crate::store::{PREFIX, StoreClient};

/// The lease of a registration, how often it is renewed, and how often anything that failed is tried again.
pub const SESSION_TIMEOUT: Duration = Duration::from_secs(2);
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(600);
const BACKOFF: Duration = Duration::from_millis(100);

/// The one listener that a broker has.
const LISTENER: &str = "PLAINTEXT";

/// Who registers.
pub(super) struct Seat {
    pub broker: BrokerId,
    pub incarnation: Uuid,
    pub log_dirs: Vec<Uuid>,
    pub clean_shutdown_epoch: Option<i64>,
    pub boot_id: String,
    pub store: Arc<StoreClient>,
}

/// How the tie stands.
#[derive(Default)]
pub(super) struct Tie {
    /// The broker epoch, and the lease of the registration.
    pub registration: Option<(i64, LeaseId)>,
    pub active: Option<ActiveController>,
    /// There is reason to look whether the registration still stands.
    pub is_doubted: bool,
    pub leaves: bool,
}

/// A stream to a controller, or one that is being opened.
#[derive(Clone, Debug)]
pub struct Stream {
    pub connection: ConnectionId,
    pub broker_epoch: i64,
    pub active: ActiveController,
}

/// What a process does about its tie all its life.
pub(super) fn jobs(seat: Seat, tie: &Arc<Mutex<Tie>>) -> Vec<Job<()>> {
    let store = Arc::clone(&seat.store);
    vec![job(stay_registered(seat, Arc::clone(tie))), job(follow_election(store, Arc::clone(tie)))]
}

async fn stay_registered(seat: Seat, tie: Arc<Mutex<Tie>>) {
    loop {
        if let Ok(Some((epoch, lease))) = seat.register().await {
            tie.lock().registration = Some((epoch, lease));
            seat.keep(epoch, lease, &tie).await;
            tie.lock().registration = None;
        }
        if tie.lock().leaves {
            return;
        }
        sleep(BACKOFF).await;
    }
}

impl Seat {
    fn key(&self) -> Vec<u8> {
        Key::Broker(self.broker).path(PREFIX)
    }

    /// One attempt; `None` where the key is another's, or changed meanwhile.
    async fn register(&self) -> Result<Option<(i64, LeaseId)>, StoreError> {
        if let Some(standing) = get(&*self.store, self.key()).await? {
            let theirs = BrokerRegistration::decode(self.broker, &standing.value).unwrap_or_default();
            if matches!(claim(&self.identity(), Some(&theirs)), Claim::Held { .. }) {
                return Ok(None);
            }
            let unchanged = vec![Compare::ModRevision(self.key(), standing.mod_revision)];
            let deletion = vec![Operation::Delete { key: self.key() }];
            if let TxnOutcome::Refused(_) = self.store.txn(unchanged, deletion).await? {
                return Ok(None);
            }
        }
        let (lease, _) = self.store.lease_grant(SESSION_TIMEOUT).await?;
        let vacant = vec![Compare::CreateRevision(self.key(), 0)];
        let put = vec![Operation::Put { key: self.key(), value: self.record().encode(), lease }];
        match self.store.txn(vacant, put).await? {
            TxnOutcome::Applied(epoch) => Ok(Some((epoch, lease))),
            TxnOutcome::Refused(_) => Ok(None),
        }
    }

    fn identity(&self) -> Identity {
        Identity {
            broker_id: self.broker,
            incarnation: self.incarnation,
            endpoints: vec![self.endpoint()],
            inter_broker_listener: LISTENER.to_owned(),
            rack: None,
            log_dirs: self.log_dirs.clone(),
            clean_shutdown_epoch: self.clean_shutdown_epoch,
        }
    }

    fn endpoint(&self) -> Endpoint {
        let (listener, host) = (LISTENER.to_owned(), format!("broker-{}", self.broker));
        Endpoint { security_protocol: listener.clone(), listener, host, port: 9092 }
    }

    fn record(&self) -> BrokerRegistration {
        BrokerRegistration {
            inter_broker_listener: LISTENER.to_owned(),
            incarnation: self.incarnation,
            clean_shutdown_epoch: self.clean_shutdown_epoch.unwrap_or(NO_CLEAN_SHUTDOWN),
            boot_id: self.boot_id.clone(),
            log_dirs: self.log_dirs.clone(),
            ..BrokerRegistration::new(&[self.endpoint()], 0)
        }
    }

    /// Keeps the lease alive; returns once the registration is lost or given up.
    async fn keep(&self, epoch: i64, lease: LeaseId, tie: &Mutex<Tie>) {
        let mut idle = Duration::ZERO;
        loop {
            sleep(BACKOFF).await;
            idle += BACKOFF;
            if tie.lock().leaves {
                // Where this fails the lease ends by itself.
                let _ = self.store.lease_revoke(lease).await;
                return;
            }
            if std::mem::take(&mut tie.lock().is_doubted)
                && let Ok(standing) = get(&*self.store, self.key()).await
                && standing.is_none_or(|standing| standing.create_revision != epoch)
            {
                return;
            }
            if idle >= HEARTBEAT_INTERVAL {
                idle = Duration::ZERO;
                if self.store.lease_keepalive(lease).await == Err(StoreError::LeaseGone) {
                    return;
                }
            }
        }
    }
}

/// Learns who is active; whatever ends the watch, it is read again.
async fn follow_election(store: Arc<StoreClient>, tie: Arc<Mutex<Tie>>) {
    loop {
        let key = KeyRange::key(Key::Controller.path(PREFIX));
        if let Ok(found) = store.range(key.clone()).await {
            set_active(&tie, found.entries.first().map(|entry| &*entry.value));
            if let Ok(mut watch) = store.watch(key, found.revision + 1).await {
                while let Some(WatchMessage::Events { events, .. }) = watch.recv().await {
                    match events.last() {
                        Some(WatchEvent::Put(entry)) => set_active(&tie, Some(&entry.value)),
                        Some(WatchEvent::Deleted { .. }) => set_active(&tie, None),
                        None => {}
                    }
                }
            }
        }
        sleep(BACKOFF).await;
    }
}

fn set_active(tie: &Mutex<Tie>, value: Option<&[u8]>) {
    tie.lock().active = value.and_then(|value| ActiveController::decode(value).ok());
}

impl Process {
    /// Whom to open a stream to, if the one that there is speaks of a registration or a controller of the past.
    pub fn wants_stream(&self) -> Option<(i64, ActiveController)> {
        let tie = self.tie.lock();
        let ((epoch, _), active) = (tie.registration?, tie.active.clone()?);
        let stands =
            self.stream.as_ref().is_some_and(|now| now.broker_epoch == epoch && now.active == active);
        (!stands && !self.leaves).then_some((epoch, active))
    }

    pub fn hello(&self, broker_epoch: i64) -> Hello {
        Hello {
            broker_id: self.broker.0,
            incarnation: metadata::convert::uuid_to_proto(super::incarnation(self.broker, self.id)),
            broker_epoch,
            cluster_id: self.newest.cluster_id.clone(),
            metadata_revision: if self.resumes { self.image.revision } else { 0 },
            controller_epoch: self.newest.controller_epoch,
            highest_metadata_revision: self.newest.metadata_revision,
            controller_fence: self.newest.controller_fence,
            timeline: self.newest.timeline,
            ..Hello::default()
        }
    }

    /// Gives the registration up for good.
    pub fn leave(&mut self) {
        self.tie.lock().leaves = true;
    }

    /// There is reason to look whether the registration still stands.
    pub fn doubt_registration(&self) {
        self.tie.lock().is_doubted = true;
    }
}
