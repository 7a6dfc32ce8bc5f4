//! The lease of the active controller: one task keeps it alive, the loop looks how it stands.
//!
//! Invariant: who holds a [`HeldLease`] that is not renewed for as long as it lives decides nothing, answers nothing, and
//! reads the state anew before it goes on: another one may have been active meanwhile. Writes are fenced all the same.

use std::sync::Arc;
use std::time::Duration;

use metadata::store::{LeaseId, MetadataStore, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::election_of_controller::LEASE_TTL;

/// Between two keepalives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(500);
/// A keepalive that takes longer is given up, and another one tried.
const KEEPALIVE_TIME_MAX: Duration = Duration::from_secs(1);

/// How a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It was renewed by a keepalive that began then.
    RenewedAt(Instant),
    Gone,
}

/// A lease that is kept alive for as long as this value lives.
#[derive(Debug)]
pub struct HeldLease {
    standing: watch::Receiver<Standing>,
    keeper: tokio::task::JoinHandle<()>,
}

impl HeldLease {
    /// Begins to keep a lease that was granted not before `since`.
    pub fn keep(store: Arc<dyn MetadataStore>, lease: LeaseId, since: Instant) -> HeldLease {
        let (sender, standing) = watch::channel(Standing::RenewedAt(since));
        // A task of its own: a slow transaction must not hold up the keepalives.
        HeldLease { standing, keeper: tokio::spawn(keep_alive(store, lease, sender)) }
    }

    /// Returns once the lease is gone, or may be.
    pub async fn doubtful(&mut self) {
        loop {
            let standing = *self.standing.borrow_and_update();
            let Standing::RenewedAt(at) = standing else { return };
            let over = at + LEASE_TTL;
            if over <= Instant::now() {
                return;
            }
            tokio::select! {
                changed = self.standing.changed() => if changed.is_err() { return },
                () = sleep_until(over) => {}
            }
        }
    }

    /// Waits until it is certain how the lease stands: whether it is held.
    pub async fn is_held(&mut self) -> bool {
        let certain = self.standing.wait_for(|standing| match standing {
            Standing::RenewedAt(at) => at.elapsed() < LEASE_TTL,
            Standing::Gone => true,
        });
        // An error says that nobody keeps it any more.
        certain.await.is_ok_and(|standing| *standing != Standing::Gone)
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep_alive(store: Arc<dyn MetadataStore>, lease: LeaseId, standing: watch::Sender<Standing>) {
    let mut ticks = interval(KEEPALIVE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        let began = Instant::now();
        let failure = match timeout(KEEPALIVE_TIME_MAX, store.lease_keepalive(lease)).await {
            Ok(Ok(())) => {
                standing.send_replace(Standing::RenewedAt(began));
                if std::mem::replace(&mut failing, false) {
                    tracing::info!("the controller's lease is renewed again");
                }
                continue;
            }
            Ok(Err(StoreError::LeaseGone)) => {
                standing.send_replace(Standing::Gone);
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {KEEPALIVE_TIME_MAX:?}"),
        };
        if !std::mem::replace(&mut failing, true) {
            tracing::warn!("the controller's lease is not renewed, trying on: {failure}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata::embedded::EmbeddedStore;

    async fn held(store: &EmbeddedStore) -> (HeldLease, LeaseId) {
        let (lease, _) = store.lease_grant(LEASE_TTL).await.unwrap();
        (HeldLease::keep(Arc::new(store.clone()), lease, Instant::now()), lease)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_held_until_it_is_lost() {
        let store = EmbeddedStore::ephemeral();
        let (mut lease, id) = held(&store).await;
        let doubtful = tokio::time::timeout(10 * LEASE_TTL, lease.doubtful()).await;
        assert!(doubtful.is_err(), "it is kept alive");
        assert!(lease.is_held().await);
        store.lease_revoke(id).await.unwrap();
        lease.doubtful().await;
        assert!(!lease.is_held().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_not_renewed_is_doubtful_before_it_is_known_to_be_gone() {
        let store = EmbeddedStore::ephemeral();
        let (mut lease, _) = held(&store).await;
        lease.keeper.abort();
        let began = Instant::now();
        lease.doubtful().await;
        assert!(began.elapsed() <= LEASE_TTL);
    }
}
