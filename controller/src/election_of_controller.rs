//! The race for `/controller`, as in classic Kafka: whoever creates the key under its lease is the active controller, until
//! the lease ends. Each win raises `/controller_epoch` in the same transaction.
//!
//! The key's create revision is the fence: every write of the winner compares it, so a controller that lost its lease without
//! knowing cannot write (design §2). The lease, once won, is kept in `lease`.

use std::time::Duration;

use metadata::keys::controller_key::{ActiveController, decode_epoch, encode_epoch};
use metadata::keys::{Key, KeyError};
use metadata::store::{
    Compare, Found, KeyRange, KeyValue, LeaseId, MetadataStore, Operation, Revision, StoreError, TxnOutcome,
    WatchEvent, WatchMessage,
};
use tokio::time::Instant;

/// How long the active controller may be silent towards the store before another one takes over.
pub const LEASE_TTL: Duration = Duration::from_secs(2);

/// A won race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Create revision of our `/controller`.
    pub fence: Revision,
    pub epoch: i32,
    pub lease: LeaseId,
    /// Before this the lease was not granted.
    pub since: Instant,
}

/// Whose `/controller` is, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub active: ActiveController,
    pub create_revision: Revision,
    pub lease: LeaseId,
    /// The store's revision when it was read.
    pub revision: Revision,
}

/// How a race ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Race {
    Won(Claim),
    Lost(Standing),
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

/// One attempt to become active; `me` has the epoch of nobody yet.
pub async fn race(store: &dyn MetadataStore, prefix: &str, me: &ActiveController) -> Result<Race, RaceError> {
    let found = store.range(both_keys(prefix)).await?;
    if let Some(entry) = find(&found, &Key::Controller, prefix) {
        return Ok(Race::Lost(standing(entry, found.revision)?));
    }
    let earlier = find(&found, &Key::ControllerEpoch, prefix);
    let epoch = 1 + earlier.map(|entry| decode_epoch(&entry.value)).transpose()?.unwrap_or(0);
    let epoch_revision = earlier.map_or(0, |entry| entry.mod_revision);
    let since = Instant::now();
    let (lease, _) = store.lease_grant(LEASE_TTL).await?;
    let active = ActiveController { epoch, ..me.clone() };
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
        TxnOutcome::Applied(fence) => Ok(Race::Won(Claim { fence, epoch, lease, since })),
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

/// Takes the place from one that is gone: its key, as it was read, is deleted. Safe if it lives, for its fence is gone too.
/// Whether the key was still there.
pub async fn evict(store: &dyn MetadataStore, prefix: &str, gone: &Standing) -> Result<bool, StoreError> {
    let key = Key::Controller.path(prefix);
    let when = vec![Compare::CreateRevision(key.clone(), gone.create_revision)];
    let outcome = store.txn(when, vec![Operation::Delete { key }]).await?;
    Ok(matches!(outcome, TxnOutcome::Applied(_)))
}

fn standing(entry: &KeyValue, revision: Revision) -> Result<Standing, KeyError> {
    let active = ActiveController::decode(&entry.value)?;
    let KeyValue { create_revision, lease, .. } = *entry;
    Ok(Standing { active, create_revision, lease, revision })
}

/// `/controller` and `/controller_epoch`, and what may lie between.
pub(crate) fn both_keys(prefix: &str) -> KeyRange {
    let last = KeyRange::key(Key::ControllerEpoch.path(prefix));
    KeyRange { start: Key::Controller.path(prefix), end: last.end }
}

fn find<'a>(found: &'a Found, key: &Key, prefix: &str) -> Option<&'a KeyValue> {
    let path = key.path(prefix);
    found.entries.iter().find(|entry| entry.key == path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata::embedded::EmbeddedStore;
    use protocol::types::Uuid;

    fn controller(id: i32) -> ActiveController {
        let (endpoint, incarnation) = (format!("http://{id}"), Uuid([id as u8; 16]));
        ActiveController { id, endpoint, incarnation, epoch: 0 }
    }

    async fn won(store: &EmbeddedStore, id: i32) -> Claim {
        match race(store, "/m", &controller(id)).await.unwrap() {
            Race::Won(claim) => claim,
            other => panic!("a vacant key: {other:?}"),
        }
    }

    async fn lost(store: &EmbeddedStore, id: i32) -> Standing {
        match race(store, "/m", &controller(id)).await.unwrap() {
            Race::Lost(standing) => standing,
            other => panic!("the key is held: {other:?}"),
        }
    }

    #[tokio::test]
    async fn one_wins_and_the_next_wins_when_it_is_gone_under_a_higher_epoch() {
        let store = EmbeddedStore::ephemeral();
        let first = won(&store, 1).await;
        assert_eq!(first.epoch, 1);
        let standing = lost(&store, 2).await;
        assert_eq!(standing.active, ActiveController { epoch: 1, ..controller(1) });
        assert_eq!((standing.create_revision, standing.lease), (first.fence, first.lease));
        let (waiting, store_too) = (store.clone(), store.clone());
        let from = standing.revision + 1;
        let vacancy = tokio::spawn(async move { await_vacancy(&waiting, "/m", from).await });
        store_too.lease_revoke(first.lease).await.unwrap();
        assert!(vacancy.await.unwrap().unwrap());
        let second = won(&store, 2).await;
        assert_eq!(second.epoch, 2);
        assert!(second.fence > first.fence);
    }

    #[tokio::test]
    async fn only_who_was_found_gone_is_evicted() {
        let store = EmbeddedStore::ephemeral();
        won(&store, 1).await;
        let gone = lost(&store, 2).await;
        assert_eq!(evict(&store, "/m", &gone).await, Ok(true));
        let second = won(&store, 2).await;
        assert_eq!(evict(&store, "/m", &gone).await, Ok(false), "the place is another's by now");
        assert_eq!(lost(&store, 1).await.create_revision, second.fence);
    }
}
