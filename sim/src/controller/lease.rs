//! The lease of an active controller, kept by work of its own, as `controller::lease` keeps it in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use controller::election_of_controller::{Claim, LEASE_TTL};
use metadata::store::{MetadataStore, StoreError};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::job::{Job, job, poll};

/// Between two keepalives, and how long one may take.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(500);
const KEEPALIVE_TIME_MAX: Duration = Duration::from_secs(1);

/// A lease that is kept while this value is polled.
pub(super) struct HeldLease {
    renewed_at: Arc<Mutex<Instant>>,
    keeping: Job<()>,
    is_gone: bool,
}

impl HeldLease {
    pub(super) fn keep(store: Arc<dyn MetadataStore>, claim: &Claim) -> HeldLease {
        let renewed_at = Arc::new(Mutex::new(claim.since));
        let keeping = job(keep(store, claim.lease, Arc::clone(&renewed_at)));
        HeldLease { renewed_at, keeping, is_gone: false }
    }

    /// Goes on keeping. Whether the lease may still be there.
    pub(super) fn go_on(&mut self) -> bool {
        self.is_gone = self.is_gone || poll(&mut self.keeping).is_some();
        !self.is_gone
    }

    /// Whether it was not renewed for as long as it lives.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_gone || self.renewed_at.lock().elapsed() >= LEASE_TTL
    }
}

/// Returns when the lease is gone.
async fn keep(
    store: Arc<dyn MetadataStore>,
    lease: metadata::store::LeaseId,
    renewed_at: Arc<Mutex<Instant>>,
) {
    loop {
        sleep(KEEPALIVE_INTERVAL).await;
        let asked = Instant::now();
        match timeout(KEEPALIVE_TIME_MAX, store.lease_keepalive(lease)).await {
            Ok(Ok(())) => *renewed_at.lock() = asked,
            Ok(Err(StoreError::LeaseGone)) => return,
            Ok(Err(_)) | Err(_) => {}
        }
    }
}
