//! One term of one controller: from a won race to the loss of its lease.
//!
//! Within a term the state may be read several times. Whatever leaves it in doubt (a transaction of unknown outcome, a lost
//! watch, a store that was restarted, frozen or compacted, a lease that was not renewed in time) is a [`Doubt`], and mended
//! here, in one place: wait until the lease is certainly held, read everything, put it in order, go on. Streams and what
//! waits in them outlive a doubt; brokers hear what changed meanwhile.

use std::sync::Arc;
use std::time::Duration;

use metadata::keys::Key;
use metadata::store::{
    Compare, Found, KeyRange, KeyValue, LeaseId, MetadataStore, Operation, Revision, StoreError, TxnOutcome,
    WatchMessage,
};
use node::shutdown::Shutdown;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::active::{Active, Ended, Sources};
use crate::commit::CommitError;
use crate::election_of_controller::{Claim, both_keys};
use crate::event_queue::EventReceiver;
use crate::lease::HeldLease;
use crate::metrics;
use crate::params::ControllerConfig;
use crate::state::{LoadError, Loaded, load};

/// Between two readings of the state: at first, and at most where one doubt follows the other.
const READ_BACKOFF_MIN: Duration = Duration::from_millis(10);
const READ_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// What stays the same for a whole term.
#[derive(Clone)]
pub struct Term {
    pub id: i32,
    pub store: Arc<dyn MetadataStore>,
    pub prefix: String,
    pub config: ControllerConfig,
    pub claim: Claim,
}

/// Why the state as it is known may not be the truth, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Doubt {
    #[error("the controller's lease was not renewed in time")]
    Lease,
    #[error("the watch on registrations was lost")]
    WatchLost,
    #[error("the watch on registrations fell behind what the metadata store remembers")]
    Compacted,
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("no cluster id could be made: the kernel gave no randomness")]
    Randomness,
    #[error("the election key is another's")]
    Deposed,
}

impl Doubt {
    /// Its name in metrics.
    fn cause(&self) -> &'static str {
        match self {
            Doubt::Lease => "lease",
            Doubt::WatchLost => "watch_lost",
            Doubt::Compacted => "compacted",
            Doubt::Commit(CommitError::Refused { .. }) => "refused",
            Doubt::Commit(CommitError::Store(_)) | Doubt::Store(_) => "store",
            Doubt::Commit(CommitError::Partly(_)) => "partly",
            Doubt::Commit(CommitError::State(_)) | Doubt::Load(_) => "content",
            Doubt::Randomness => "randomness",
            Doubt::Deposed => "deposed",
        }
    }
}

impl Term {
    /// Serves until the lease is lost, it resigns, or shutdown is asked for. `settled` hears whether the state is certain.
    pub async fn serve(
        self,
        received: EventReceiver,
        lease: HeldLease,
        shutdown: &Shutdown,
        settled: impl Fn(bool),
    ) -> Ended {
        let mut active = Active::new(self.clone());
        let (mut received, mut lease) = (received, lease);
        let mut backoff = READ_BACKOFF_MIN;
        loop {
            let registrations = tokio::select! {
                read = self.read_until_certain(&mut active, &mut lease) => match read {
                    Some(registrations) => registrations,
                    None => return Ended::Deposed,
                },
                () = shutdown.requested() => return Ended::Shutdown,
            };
            settled(true);
            let began = Instant::now();
            let sources = Sources { registrations, received: &mut received, lease: &mut lease, shutdown };
            let doubt = match active.run(sources).await {
                Ok(ended) => return ended,
                Err(doubt) => doubt,
            };
            settled(false);
            metrics::observe_doubt(doubt.cause());
            tracing::warn!(cause = doubt.cause(), "the cluster's state is in doubt, reading anew: {doubt}");
            // One doubt after the other would have us read without end.
            backoff = if began.elapsed() > READ_BACKOFF_MAX { READ_BACKOFF_MIN } else { longer(backoff) };
            tokio::time::sleep(backoff).await;
        }
    }

    /// Tries until the state is read and in order; `None`: the place is lost.
    async fn read_until_certain(
        &self,
        active: &mut Active,
        lease: &mut HeldLease,
    ) -> Option<mpsc::Receiver<WatchMessage>> {
        let (mut backoff, mut failing) = (READ_BACKOFF_MIN, false);
        while lease.is_held().await {
            match self.read(active).await {
                Ok(registrations) => return Some(registrations),
                Err(Doubt::Deposed) => break,
                Err(doubt) if !std::mem::replace(&mut failing, true) => {
                    tracing::warn!("the cluster's state cannot be read, trying on: {doubt}");
                }
                Err(doubt) => tracing::debug!("the cluster's state cannot be read yet: {doubt}"),
            }
            tokio::time::sleep(backoff).await;
            backoff = longer(backoff);
        }
        tracing::warn!(epoch = self.claim.epoch, "this controller's lease is lost, or its place another's");
        None
    }

    /// Reads everything into `active`, mends what an interruption left behind, and watches registrations from there.
    pub async fn read(&self, active: &mut Active) -> Result<mpsc::Receiver<WatchMessage>, Doubt> {
        let began = Instant::now();
        if active.has_read() {
            self.shut_out_late_transactions().await?;
        }
        let found = self.store.range(KeyRange::prefix(format!("{}/", self.prefix))).await?;
        self.check_fence(&found)?;
        let (claim, statics) = (&self.claim, Arc::clone(&self.config.statics));
        let revision = found.revision;
        let Loaded { state, orphans } = load(&self.prefix, found, self.id, claim.epoch, statics)?;
        let watched = KeyRange::prefix(format!("{}/brokers/ids/", self.prefix));
        let registrations = self.store.watch(watched, revision + 1).await?;
        active.begin(state, orphans).await?;
        tracing::info!(
            epoch = claim.epoch,
            revision,
            brokers = active.state.registrations.len(),
            topics = active.state.image.topics.len(),
            took = ?began.elapsed(),
            "active controller"
        );
        Ok(registrations)
    }

    /// A transaction whose outcome is unknown may still be on its way, and be applied after all was read. Every transaction
    /// compares the revision of `/controller_epoch`: written again, it refuses those of earlier readings (safety rule 4).
    async fn shut_out_late_transactions(&self) -> Result<(), Doubt> {
        let mut found = self.store.range(both_keys(&self.prefix)).await?;
        self.check_fence(&found)?;
        let path = Key::ControllerEpoch.path(&self.prefix);
        found.entries.retain(|entry| entry.key == path);
        let KeyValue { key, value, mod_revision, .. } = found.entries.pop().ok_or(Doubt::Deposed)?;
        let fence = Compare::CreateRevision(Key::Controller.path(&self.prefix), self.claim.fence);
        let when = vec![fence, Compare::ModRevision(key.to_vec(), mod_revision)];
        let put = Operation::Put { key: key.to_vec(), value: value.to_vec(), lease: LeaseId::NONE };
        match self.store.txn(when, vec![put]).await? {
            TxnOutcome::Applied(_) => Ok(()),
            TxnOutcome::Refused(_) => {
                Err(CommitError::Refused { keys: Key::ControllerEpoch.to_string() }.into())
            }
        }
    }

    fn check_fence(&self, found: &Found) -> Result<(), Doubt> {
        let path = Key::Controller.path(&self.prefix);
        let entry = found.entries.iter().find(|entry| entry.key == path);
        let fence: Revision = entry.map_or(0, |entry| entry.create_revision);
        if fence == self.claim.fence { Ok(()) } else { Err(Doubt::Deposed) }
    }
}

fn longer(backoff: Duration) -> Duration {
    (backoff * 2).min(READ_BACKOFF_MAX)
}
