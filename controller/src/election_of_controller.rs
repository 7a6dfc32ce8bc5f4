//! The race for `/controller`, as in classic Kafka: whoever creates the key under its lease is the active controller, until
//! the lease ends. Each win raises `/controller_epoch` in the same transaction.
//!
//! The key's create revision is the fence: every write of the winner compares it, so a controller that lost its lease without
//! knowing cannot write (design §2).

use std::sync::Arc;
use std::time::Duration;

use metadata::keys::controller_key::{ActiveController, decode_epoch, encode_epoch};
use metadata::keys::{Key, KeyError};
use metadata::store::{
    Compare, Found, KeyRange, LeaseId, MetadataStore, Operation, Revision, StoreError, TxnOutcome,
    WatchEvent, WatchMessage,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How long the active controller may be silent towards the store before another one takes over.
pub const LEASE_TTL: Duration = Duration::from_secs(2);
/// Between two keepalives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(500);

/// A won race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Create revision of our `/controller`.
    pub fence: Revision,
    pub epoch: i32,
    pub lease: LeaseId,
}

/// How a race ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Race {
    Won(Claim),
    /// Another one is active, as of this revision.
    Lost(ActiveController, Revision),
    /// The key changed between the look and the write.
    Close,
}

/// Why there was no race.
#[derive(Debug, thiserror::Error)]
pub enum RaceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// One attempt to become active.
pub async fn race(
    store: &dyn MetadataStore,
    prefix: &str,
    id: i32,
    endpoint: &str,
) -> Result<Race, RaceError> {
    let found = store.range(both_keys(prefix)).await?;
    if let Some(active) = find(&found, &Key::Controller, prefix) {
        return Ok(Race::Lost(ActiveController::decode(&active.value)?, found.revision));
    }
    let earlier = find(&found, &Key::ControllerEpoch, prefix);
    let epoch = 1 + earlier.map(|entry| decode_epoch(&entry.value)).transpose()?.unwrap_or(0);
    let epoch_revision = earlier.map_or(0, |entry| entry.mod_revision);
    let (lease, _) = store.lease_grant(LEASE_TTL).await?;
    let active = ActiveController { id, endpoint: endpoint.to_owned(), epoch };
    let when = vec![
        Compare::CreateRevision(Key::Controller.path(prefix), 0),
        Compare::ModRevision(Key::ControllerEpoch.path(prefix), epoch_revision),
    ];
    let then = vec![
        Operation::Put { key: Key::Controller.path(prefix), value: active.encode(), lease },
        Operation::Put {
            key: Key::ControllerEpoch.path(prefix),
            value: encode_epoch(epoch),
            lease: LeaseId::NONE,
        },
    ];
    match store.txn(when, then).await? {
        TxnOutcome::Applied(fence) => Ok(Race::Won(Claim { fence, epoch, lease })),
        TxnOutcome::Refused(_) => {
            store.lease_revoke(lease).await?;
            Ok(Race::Close)
        }
    }
}

/// Whether the active one's key is gone; `false` if the watch was lost before.
pub async fn await_vacancy(
    store: &dyn MetadataStore,
    prefix: &str,
    from: Revision,
) -> Result<bool, StoreError> {
    let mut watch = store.watch(KeyRange::key(Key::Controller.path(prefix)), from).await?;
    while let Some(WatchMessage::Events { events, .. }) = watch.recv().await {
        if matches!(events.last(), Some(WatchEvent::Deleted { .. })) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Keeps the lease alive; returns once it is lost, or may be: no answer for as long as it lives.
pub async fn keep_alive(store: Arc<dyn MetadataStore>, lease: LeaseId) {
    let mut ticks = interval(KEEPALIVE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kept = Instant::now();
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        match tokio::time::timeout_at(kept + LEASE_TTL, store.lease_keepalive(lease)).await {
            Ok(Ok(())) => kept = asked,
            Ok(Err(StoreError::LeaseGone)) | Err(_) => return,
            Ok(Err(error)) => tracing::debug!(%error, "the controller's lease was not renewed, trying on"),
        }
        if kept.elapsed() >= LEASE_TTL {
            return;
        }
    }
}

/// `/controller` and `/controller_epoch`, and what may lie between.
fn both_keys(prefix: &str) -> KeyRange {
    let last = KeyRange::key(Key::ControllerEpoch.path(prefix));
    KeyRange { start: Key::Controller.path(prefix), end: last.end }
}

fn find<'a>(found: &'a Found, key: &Key, prefix: &str) -> Option<&'a metadata::store::KeyValue> {
    let path = key.path(prefix);
    found.entries.iter().find(|entry| entry.key == path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata::embedded::EmbeddedStore;

    #[tokio::test]
    async fn one_wins_and_the_next_wins_when_it_is_gone_under_a_higher_epoch() {
        let store = EmbeddedStore::ephemeral();
        let Race::Won(first) = race(&store, "/m", 1, "http://one").await.unwrap() else {
            panic!("a vacant key")
        };
        assert_eq!(first.epoch, 1);
        let lost = race(&store, "/m", 2, "http://two").await.unwrap();
        let active = ActiveController { id: 1, endpoint: "http://one".into(), epoch: 1 };
        let Race::Lost(seen, revision) = lost else { panic!("the key is held") };
        assert_eq!(seen, active);
        let (waiting, store_too) = (store.clone(), store.clone());
        let vacancy = tokio::spawn(async move { await_vacancy(&waiting, "/m", revision + 1).await });
        store_too.lease_revoke(first.lease).await.unwrap();
        assert!(vacancy.await.unwrap().unwrap());
        let Race::Won(second) = race(&store, "/m", 2, "http://two").await.unwrap() else {
            panic!("a vacant key")
        };
        assert_eq!(second.epoch, 2);
        assert!(second.fence > first.fence);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_lease_ends_the_keeping() {
        let store = EmbeddedStore::ephemeral();
        let (lease, _) = store.lease_grant(LEASE_TTL).await.unwrap();
        let keeping = tokio::spawn(keep_alive(Arc::new(store.clone()), lease));
        tokio::time::sleep(10 * LEASE_TTL).await;
        assert!(!keeping.is_finished(), "it is kept alive");
        store.lease_revoke(lease).await.unwrap();
        keeping.await.unwrap();
    }
}
