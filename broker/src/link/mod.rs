//! The broker's tie to the cluster: its registration in the metadata store, and the stream to the active controller.
//!
//! Three loops run side by side under [`ControllerLink::run`]: `registration` holds the lease and the key of this broker,
//! `election` watches `/controller`, `stream` takes pushes from whoever is active. Whatever breaks is tried again; only a
//! refusal that no retry mends ends the link. A broker never fences itself for want of a controller: it goes on with the
//! image it has.

mod alter_isr;
mod backoff;
mod calls;
pub mod claim;
mod election;
pub mod intake;
mod producer_ids;
mod registration;
mod seen;
mod stream;
mod unusable;

use std::sync::Arc;
use std::time::Duration;

use metadata::image::{ClusterImage, Endpoint};
use metadata::keys::controller_key::ActiveController;
use metadata::store::MetadataStore;
use node::shutdown::Shutdown;
use proto::controller::SeenEpochs;
use protocol::types::{BrokerId, Uuid};
use tokio::sync::{Notify, watch};

pub use self::alter_isr::{IsrOutcome, IsrProposal};
pub use self::calls::{Caller, ForwardError, ProducerIdBlock};
use self::producer_ids::ProducerIds;
pub use self::registration::{Registration, RegistrationRefused};
pub use self::seen::{Newest, Seen, SeenError};
use self::stream::Session;
pub use self::stream::StreamError;
pub use self::unusable::UnusableReplicas;
use crate::config::SessionConfig;

/// Who this broker is, as it registers.
#[derive(Debug, Clone)]
pub struct Identity {
    pub broker_id: BrokerId,
    /// 16 random bytes that name this process.
    pub incarnation: Uuid,
    /// The listeners as advertised, with the ports that they are bound to.
    pub endpoints: Vec<Endpoint>,
    /// The name of the listener by which other brokers come.
    pub inter_broker_listener: String,
    pub rack: Option<String>,
    /// The id of each log directory, whose exclusive locks this process holds.
    pub log_dirs: Vec<Uuid>,
    /// The broker epoch that every log directory's clean-shutdown marker carried.
    pub clean_shutdown_epoch: Option<i64>,
}

/// Hears of each image before anybody else can see it: replicas are opened before Metadata names their topic.
///
/// It may block: it runs on a thread of its own, one image after the other.
pub trait ImageObserver: Send + Sync + 'static {
    fn before_publish(&self, old: &Arc<ClusterImage>, new: &Arc<ClusterImage>);
}

impl<F> ImageObserver for F
where
    F: Fn(&Arc<ClusterImage>, &Arc<ClusterImage>) + Send + Sync + 'static,
{
    fn before_publish(&self, old: &Arc<ClusterImage>, new: &Arc<ClusterImage>) {
        self(old, new);
    }
}

/// Tells with each hello what this broker's replicas hold, by topic.
pub trait Reporter: Send + Sync + 'static {
    fn report(&self) -> Vec<SeenEpochs>;
}

impl<F> Reporter for F
where
    F: Fn() -> Vec<SeenEpochs> + Send + Sync + 'static,
{
    fn report(&self) -> Vec<SeenEpochs> {
        self()
    }
}

/// What a link is made of.
pub struct LinkParams {
    pub identity: Identity,
    pub session: SessionConfig,
    pub store: Arc<dyn MetadataStore>,
    /// What every key begins with.
    pub prefix: String,
    /// Where each image is published.
    pub image: watch::Sender<Arc<ClusterImage>>,
    pub observer: Arc<dyn ImageObserver>,
    pub reporter: Arc<dyn Reporter>,
    pub seen: Seen,
}

/// The tie of one broker to its cluster.
pub struct ControllerLink {
    identity: Identity,
    lease: SessionConfig,
    store: Arc<dyn MetadataStore>,
    prefix: String,
    boot_id: String,
    image: watch::Sender<Arc<ClusterImage>>,
    observer: Arc<dyn ImageObserver>,
    reporter: Arc<dyn Reporter>,
    seen: Seen,
    /// Raised when a newer revision was seen, to be saved soon.
    seen_more: Notify,
    /// The registration that stands, none while there is none.
    registration: watch::Sender<Option<Registration>>,
    /// Whether the registration is being given up for good.
    leaving: watch::Sender<bool>,
    /// Raised when there is reason to think that the registration is gone.
    registration_doubted: Notify,
    /// Who holds `/controller`.
    controller: watch::Sender<Option<ActiveController>>,
    /// The connection to the active controller, while its stream stands.
    connection: watch::Sender<Option<Session>>,
    producer_ids: ProducerIds,
}

/// Why a link ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error(transparent)]
    Refused(#[from] RegistrationRefused),
    #[error(transparent)]
    Stream(#[from] StreamError),
}

/// Why a broker does not serve yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("not registered yet")]
    Unregistered,
    #[error("no metadata from a controller yet")]
    NoImage,
    #[error("registered, but no controller has admitted this registration yet")]
    Fenced,
}

impl ControllerLink {
    /// A link that does nothing before it runs.
    pub fn new(params: LinkParams) -> ControllerLink {
        ControllerLink {
            identity: params.identity,
            lease: params.session,
            store: params.store,
            prefix: params.prefix,
            boot_id: registration::boot_id(),
            image: params.image,
            observer: params.observer,
            reporter: params.reporter,
            seen: params.seen,
            seen_more: Notify::new(),
            registration: watch::Sender::new(None),
            leaving: watch::Sender::new(false),
            registration_doubted: Notify::new(),
            controller: watch::Sender::new(None),
            connection: watch::Sender::new(None),
            producer_ids: ProducerIds::default(),
        }
    }

    /// Keeps the broker registered and its image new until shutdown; an error says why it never can be.
    pub async fn run(&self, shutdown: &Shutdown) -> Result<(), LinkError> {
        let outcome = tokio::select! {
            refused = self.stay_registered_until_left() => Err(refused.into()),
            outcome = self.stay_connected(shutdown) => outcome.map_err(LinkError::from),
            () = self.follow_election() => Ok(()),
            () = self.keep_producer_ids() => Ok(()),
            () = self.keep_seen() => Ok(()),
            () = shutdown.requested() => Ok(()),
        };
        self.connection.send_replace(None);
        self.seen.save().await;
        outcome
    }

    /// The epoch of the registration that stands.
    pub fn broker_epoch(&self) -> Option<i64> {
        self.registration.borrow().as_ref().map(|registration| registration.epoch)
    }

    /// The stream that stands, and each that is opened.
    pub(crate) fn streams(&self) -> watch::Receiver<Option<Session>> {
        self.connection.subscribe()
    }

    /// Whether this broker is registered, has its metadata, and was admitted.
    pub fn readiness(&self) -> Result<(), NotReady> {
        let epoch = self.broker_epoch().ok_or(NotReady::Unregistered)?;
        let image = self.image.borrow();
        if image.revision == 0 {
            return Err(NotReady::NoImage);
        }
        match image.brokers.get(&self.identity.broker_id) {
            Some(broker) if broker.epoch == epoch && !broker.fenced => Ok(()),
            _ => Err(NotReady::Fenced),
        }
    }

    async fn stay_registered_until_left(&self) -> RegistrationRefused {
        tokio::select! {
            refused = self.stay_registered() => refused,
            () = self.left() => std::future::pending().await,
        }
    }

    async fn left(&self) {
        // The sender lives as long as the link; an error cannot come.
        let _ = self.leaving.subscribe().wait_for(|leaving| *leaving).await;
    }

    /// Gives the registration up for good, at once rather than when its lease ends: the last act of a clean stop.
    pub async fn leave(&self, wait_max: Duration) {
        self.leaving.send_replace(true);
        let registration = self.registration.send_replace(None);
        let Some(registration) = registration else { return };
        match tokio::time::timeout(wait_max, self.store.lease_revoke(registration.lease)).await {
            Ok(Ok(())) => tracing::info!(broker = %self.identity.broker_id, "registration given up"),
            Ok(Err(error)) => tracing::warn!("the registration stays until its lease ends: {error}"),
            Err(_) => {
                tracing::warn!("the registration stays until its lease ends: no answer in {wait_max:?}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
