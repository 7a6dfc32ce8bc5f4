//! One term of one controller: from a won race to the loss of its lease.
//!
//! Within a term the state may be read several times: whatever leaves it in doubt (a transaction of unknown outcome, a lost
//! watch, a restart of the store) is mended by reading everything anew, in one place.

use std::sync::Arc;
use std::time::Duration;

use metadata::keys::Key;
use metadata::store::{Found, KeyRange, MetadataStore, Revision, StoreError, WatchMessage};
use node::shutdown::Shutdown;
use tokio::sync::mpsc;

use crate::active::{Active, Ended, Sources};
use crate::commit::CommitError;
use crate::election_of_controller::Claim;
use crate::event::Event;
use crate::metrics;
use crate::params::ControllerConfig;
use crate::state::{LoadError, Loaded, load};

/// Between two attempts to read the state, while it cannot be read.
const READ_BACKOFF: Duration = Duration::from_millis(100);
/// Events that may wait for the active controller.
const EVENTS_MAX: usize = 1024;

/// What stays the same for a whole term.
#[derive(Clone)]
pub struct Term {
    pub id: i32,
    pub store: Arc<dyn MetadataStore>,
    pub prefix: String,
    pub config: ControllerConfig,
    pub claim: Claim,
}

/// Why the state could not be read, or not be served for long.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error("the election key is another's")]
    Deposed,
    #[error("no cluster id could be made: the kernel gave no randomness")]
    Randomness,
}

impl Term {
    /// Serves until the lease is lost or shutdown is asked for. `serving` is told where events go, each time anew.
    pub async fn serve(
        self,
        lease_lost: impl Future<Output = ()> + Send,
        shutdown: &Shutdown,
        serving: impl Fn(mpsc::Sender<Event>),
    ) {
        tokio::pin!(lease_lost);
        loop {
            let read = tokio::select! {
                read = self.read() => read,
                () = &mut lease_lost => return,
                () = shutdown.requested() => return,
            };
            let outcome = match read {
                Ok((active, registrations)) => {
                    let (events, received) = mpsc::channel(EVENTS_MAX);
                    serving(events);
                    let sources =
                        Sources { registrations, received, lease_lost: lease_lost.as_mut(), shutdown };
                    active.run(sources).await
                }
                Err(error) => Err(error),
            };
            match outcome {
                Ok(Ended::LeaseLost) => return tracing::warn!("the controller's lease is lost"),
                Ok(Ended::Shutdown) => return,
                Ok(Ended::WatchLost) => tracing::info!("the watch on registrations was lost; reading anew"),
                Err(TermError::Deposed) => return tracing::warn!("this controller is deposed"),
                Err(error) => tracing::warn!(%error, "the cluster's state is in doubt; reading anew"),
            }
            tokio::time::sleep(READ_BACKOFF).await;
        }
    }

    /// Reads everything, mends what an interruption left behind, and watches registrations from there.
    pub async fn read(&self) -> Result<(Active, mpsc::Receiver<WatchMessage>), TermError> {
        let found = self.store.range(KeyRange::prefix(format!("{}/", self.prefix))).await?;
        self.check_fence(&found)?;
        let (claim, statics) = (&self.claim, Arc::clone(&self.config.statics));
        let revision = found.revision;
        let Loaded { state, orphans } = load(&self.prefix, found, self.id, claim.epoch, statics)?;
        let watched = KeyRange::prefix(format!("{}/brokers/ids/", self.prefix));
        let registrations = self.store.watch(watched, revision + 1).await?;
        let mut active = Active::new(self.clone(), state)?;
        active.mend(orphans).await?;
        metrics::observe_active(true);
        tracing::info!(
            epoch = claim.epoch,
            revision,
            brokers = active.state.registrations.len(),
            topics = active.state.image.topics.len(),
            "active controller"
        );
        Ok((active, registrations))
    }

    fn check_fence(&self, found: &Found) -> Result<(), TermError> {
        let path = Key::Controller.path(&self.prefix);
        let entry = found.entries.iter().find(|entry| entry.key == path);
        let fence: Revision = entry.map_or(0, |entry| entry.create_revision);
        if fence == self.claim.fence { Ok(()) } else { Err(TermError::Deposed) }
    }
}
