//! What every metadata store must do, run against each: etcd, the embedded store, and the embedded store without files.

mod support;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use metadata::embedded::{EmbeddedStore, OpenError};
use metadata::store::{
    Compare, KeyRange, LeaseId, MetadataStore, Operation, Revision, StoreError, TxnOutcome, WatchEvent,
    WatchMessage, get,
};
use support::EtcdServer;
use tokio::sync::mpsc;

type Store = Arc<dyn MetadataStore>;

/// The whole suite; `forget` makes the store forget the changes that came before.
async fn conforms<F: Future<Output = ()>>(store: Store, forget: impl FnOnce(Store) -> F) {
    revisions_count_changes(&*store).await;
    a_txn_is_applied_whole_or_not_at_all(&*store).await;
    concurrent_compare_and_swap_loses_no_update(&store).await;
    a_request_that_can_never_succeed_is_invalid(&*store).await;
    a_range_holds_its_keys_in_order(&*store).await;
    a_large_range_is_whole_and_of_one_revision(&*store).await;
    a_watch_tells_the_past_and_the_future(&*store).await;
    the_changes_of_one_txn_are_told_together(&*store).await;
    keys_go_with_their_lease(&*store).await;
    a_lease_expires_unless_it_is_kept_alive(&*store).await;
    a_key_put_again_leaves_its_lease(&*store).await;
    forget(Arc::clone(&store)).await;
    let mut watch = store.watch(KeyRange::prefix("/"), 1).await.unwrap();
    assert!(matches!(next(&mut watch).await, WatchMessage::Compacted { before } if before > 1));
    assert_eq!(watch.recv().await, None, "a watch ends when what it wanted is forgotten");
}

#[tokio::test]
async fn the_embedded_store_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open_with_history(directory.path(), 20_000).unwrap();
    conforms(Arc::new(store), |store| async move { write_events(&*store, 21_000).await }).await;
}

#[tokio::test]
async fn the_ephemeral_store_conforms() {
    let store = Arc::new(EmbeddedStore::ephemeral());
    conforms(store, |store| async move { write_events(&*store, 11_000).await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn etcd_conforms() {
    let server = EtcdServer::start().await;
    let endpoint = server.endpoint();
    let store: Store = Arc::new(server.store().await);
    conforms(store, |store| async move {
        let revision = store.range(KeyRange::key("x")).await.unwrap().revision;
        let mut client = etcd_client::Client::connect([endpoint], None).await.unwrap();
        client.compact(revision, None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_embedded_store_comes_back_without_its_leases() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    let (lease, _) = store.lease_grant(Duration::from_secs(60)).await.unwrap();
    applied(&store, vec![put("/kept", "1"), put_leased("/leased", lease)]).await;
    let revision = applied(&store, vec![put("/kept", "2")]).await;
    drop(store);
    let store = reopened(directory.path()).await;
    assert_eq!(get(&store, b"/leased".to_vec()).await.unwrap(), None);
    let kept = get(&store, b"/kept".to_vec()).await.unwrap().unwrap();
    assert_eq!(
        (&kept.value[..], kept.mod_revision, kept.create_revision),
        (&b"2"[..], revision, revision - 1)
    );
    assert!(applied(&store, vec![put("/kept", "3")]).await > revision + 1);
    assert_eq!(store.lease_keepalive(lease).await, Err(StoreError::LeaseGone));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_etcd_ends_watches_and_nothing_else() {
    let mut server = EtcdServer::start().await;
    let store = server.store().await;
    let (lease, _) = store.lease_grant(Duration::from_secs(5)).await.unwrap();
    let revision = applied(&store, vec![put("/a", "1"), put_leased("/leased", lease)]).await;
    let mut watch = store.watch(KeyRange::prefix("/"), revision + 1).await.unwrap();
    server.kill();
    assert_eq!(watch.recv().await, None, "a lost watch ends");
    let unknown = store.txn(Vec::new(), vec![put("/a", "2")]).await;
    assert!(matches!(unknown, Err(StoreError::Unavailable { .. })), "{unknown:?}");
    server.restart().await;
    store.lease_keepalive(lease).await.unwrap();
    assert!(get(&store, b"/leased".to_vec()).await.unwrap().is_some());
    let mut watch = store.watch(KeyRange::prefix("/"), revision + 1).await.unwrap();
    applied(&store, vec![put("/b", "3")]).await;
    assert!(matches!(next(&mut watch).await, WatchMessage::Events { .. }));
}

/// The store, once the task of its last owner has let go of it.
async fn reopened(directory: &std::path::Path) -> EmbeddedStore {
    loop {
        match EmbeddedStore::open(directory) {
            Ok(store) => return store,
            Err(OpenError::Locked { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn revisions_count_changes(store: &dyn MetadataStore) {
    let first = applied(store, vec![put("/revisions/a", "1")]).await;
    let second = applied(store, vec![put("/revisions/a", "2"), put("/revisions/b", "1")]).await;
    assert_eq!(second, first + 1);
    let nothing = applied(store, vec![delete("/revisions/absent")]).await;
    assert_eq!(nothing, second, "a txn that changes nothing has no revision of its own");
    let found = store.range(KeyRange::prefix("/revisions/")).await.unwrap();
    let revisions = found.entries.iter().map(|entry| (entry.create_revision, entry.mod_revision));
    assert_eq!(revisions.collect::<Vec<_>>(), [(first, second), (second, second)]);
    assert_eq!(found.revision, second);
    applied(store, vec![delete("/revisions/a")]).await;
    let again = applied(store, vec![put("/revisions/a", "3")]).await;
    let entry = get(store, b"/revisions/a".to_vec()).await.unwrap().unwrap();
    assert_eq!(entry.create_revision, again, "a key that comes back is a new one");
}

async fn a_txn_is_applied_whole_or_not_at_all(store: &dyn MetadataStore) {
    let absent = |key: &str| Compare::CreateRevision(key.into(), 0);
    let revision = applied(store, vec![put("/txn/a", "1")]).await;
    let refused =
        store.txn(vec![absent("/txn/b"), absent("/txn/a")], vec![put("/txn/b", "1")]).await.unwrap();
    assert_eq!(refused, TxnOutcome::Refused(revision));
    assert_eq!(get(store, b"/txn/b".to_vec()).await.unwrap(), None);
    let when = vec![absent("/txn/b"), Compare::ModRevision(b"/txn/a".to_vec(), revision)];
    let outcome = store.txn(when.clone(), vec![put("/txn/b", "1"), delete("/txn/a")]).await.unwrap();
    assert_eq!(outcome, TxnOutcome::Applied(revision + 1));
    let outcome = store.txn(when, vec![put("/txn/b", "2")]).await.unwrap();
    assert_eq!(outcome, TxnOutcome::Refused(revision + 1));
}

async fn concurrent_compare_and_swap_loses_no_update(store: &Store) {
    applied(&**store, vec![put("/counter", "0")]).await;
    let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(count_up(Arc::clone(store), 25))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let counter = get(&**store, b"/counter".to_vec()).await.unwrap().unwrap();
    assert_eq!(&counter.value[..], b"100");
}

async fn count_up(store: Store, mut times: u32) {
    while times > 0 {
        let entry = get(&*store, b"/counter".to_vec()).await.unwrap().unwrap();
        let count: u32 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
        let when = vec![Compare::ModRevision(b"/counter".to_vec(), entry.mod_revision)];
        let outcome = store.txn(when, vec![put("/counter", &(count + 1).to_string())]).await.unwrap();
        times -= u32::from(matches!(outcome, TxnOutcome::Applied(_)));
    }
}

async fn a_request_that_can_never_succeed_is_invalid(store: &dyn MetadataStore) {
    let twice = store.txn(Vec::new(), vec![put("/twice", "1"), put("/twice", "2")]).await;
    assert!(matches!(twice, Err(StoreError::Invalid { .. })), "{twice:?}");
    let many = (0..129).map(|n| put(&format!("/many/{n}"), "1")).collect();
    let many = store.txn(Vec::new(), many).await;
    assert!(matches!(many, Err(StoreError::Invalid { .. })), "{many:?}");
    let leased = store.txn(Vec::new(), vec![put_leased("/leased", LeaseId(4711))]).await;
    assert_eq!(leased, Err(StoreError::LeaseGone));
}

async fn a_range_holds_its_keys_in_order(store: &dyn MetadataStore) {
    let keys = ["/range/b", "/range/a", "/range0", "/rangd", "/range/", "/range/a/1"];
    applied(store, keys.iter().map(|key| put(key, "1")).collect()).await;
    let keys_in = async |range| {
        let found = store.range(range).await.unwrap();
        found.entries.iter().map(|entry| String::from_utf8(entry.key.to_vec()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(keys_in(KeyRange::prefix("/range/")).await, ["/range/", "/range/a", "/range/a/1", "/range/b"]);
    assert_eq!(keys_in(KeyRange::key("/range/a")).await, ["/range/a"]);
    assert_eq!(keys_in(KeyRange::key("/range/absent")).await, [""; 0]);
}

async fn a_large_range_is_whole_and_of_one_revision(store: &dyn MetadataStore) {
    for hundred in 0..105 {
        let puts = (0..100).map(|n| put(&format!("/large/{:05}", hundred * 100 + n), "value")).collect();
        applied(store, puts).await;
    }
    let found = store.range(KeyRange::prefix("/large/")).await.unwrap();
    assert_eq!(found.entries.len(), 10_500);
    assert!(found.entries.is_sorted_by(|a, b| a.key < b.key));
    assert_eq!(found.revision, found.entries.last().unwrap().mod_revision);
}

async fn a_watch_tells_the_past_and_the_future(store: &dyn MetadataStore) {
    let first = applied(store, vec![put("/watch/a", "1")]).await;
    applied(store, vec![put("/elsewhere", "1")]).await;
    let second = applied(store, vec![delete("/watch/a")]).await;
    let mut watch = store.watch(KeyRange::prefix("/watch/"), first).await.unwrap();
    let mut ahead = store.watch(KeyRange::prefix("/watch/"), second + 2).await.unwrap();
    applied(store, vec![put("/watch/b", "1")]).await;
    let last = applied(store, vec![put("/watch/c", "1")]).await;
    let events = events_until(&mut watch, last).await;
    let told: Vec<_> = events.iter().map(|event| String::from_utf8_lossy(event.key()).into_owned()).collect();
    assert_eq!(told, ["/watch/a", "/watch/a", "/watch/b", "/watch/c"]);
    assert!(matches!(&events[0], WatchEvent::Put(entry) if entry.mod_revision == first));
    assert!(matches!(&events[1], WatchEvent::Deleted { revision, .. } if *revision == second));
    let events = events_until(&mut ahead, last).await;
    assert_eq!(events.len(), 1, "a watch says nothing of what came before it");
}

async fn the_changes_of_one_txn_are_told_together(store: &dyn MetadataStore) {
    let revision = applied(store, vec![put("/together/c", "1")]).await;
    let mut watch = store.watch(KeyRange::prefix("/together/"), revision + 1).await.unwrap();
    let changes = vec![put("/together/b", "1"), put("/together/a", "1"), delete("/together/c")];
    let revision = applied(store, changes).await;
    let WatchMessage::Events { revision: told, events } = next(&mut watch).await else {
        panic!("events are wanted");
    };
    assert_eq!((told, events.len()), (revision, 3));
}

async fn keys_go_with_their_lease(store: &dyn MetadataStore) {
    let (lease, granted) = store.lease_grant(Duration::from_secs(30)).await.unwrap();
    assert!(granted >= Duration::from_secs(30));
    let revision = applied(store, vec![put_leased("/lease/a", lease), put_leased("/lease/b", lease)]).await;
    let entry = get(store, b"/lease/a".to_vec()).await.unwrap().unwrap();
    assert_eq!(entry.lease, lease);
    let mut watch = store.watch(KeyRange::prefix("/lease/"), revision + 1).await.unwrap();
    store.lease_revoke(lease).await.unwrap();
    assert_eq!(store.range(KeyRange::prefix("/lease/")).await.unwrap().entries, []);
    let events = events_until(&mut watch, revision + 1).await;
    assert_eq!(events.len(), 2);
    assert_eq!(store.lease_revoke(lease).await, Err(StoreError::LeaseGone));
    assert_eq!(store.lease_keepalive(lease).await, Err(StoreError::LeaseGone));
}

async fn a_lease_expires_unless_it_is_kept_alive(store: &dyn MetadataStore) {
    let (kept, ttl) = store.lease_grant(Duration::from_secs(2)).await.unwrap();
    let (left, _) = store.lease_grant(Duration::from_secs(2)).await.unwrap();
    let revision =
        applied(store, vec![put_leased("/expiry/kept", kept), put_leased("/expiry/left", left)]).await;
    let mut watch = store.watch(KeyRange::prefix("/expiry/"), revision + 1).await.unwrap();
    let mut keepalive = tokio::time::interval(ttl / 4);
    let events = loop {
        tokio::select! {
            _ = keepalive.tick() => store.lease_keepalive(kept).await.unwrap(),
            message = watch.recv() => break message,
        }
    };
    let Some(WatchMessage::Events { events, .. }) = events else { panic!("{events:?}") };
    assert!(matches!(&events[..], [WatchEvent::Deleted { key, .. }] if key == "/expiry/left"), "{events:?}");
    assert!(get(store, b"/expiry/kept".to_vec()).await.unwrap().is_some());
    store.lease_revoke(kept).await.unwrap();
}

async fn a_key_put_again_leaves_its_lease(store: &dyn MetadataStore) {
    let (lease, _) = store.lease_grant(Duration::from_secs(30)).await.unwrap();
    applied(store, vec![put_leased("/free/a", lease)]).await;
    applied(store, vec![put("/free/a", "2")]).await;
    store.lease_revoke(lease).await.unwrap();
    assert!(get(store, b"/free/a".to_vec()).await.unwrap().is_some());
}

async fn applied(store: &dyn MetadataStore, then: Vec<Operation>) -> Revision {
    match store.txn(Vec::new(), then).await {
        Ok(TxnOutcome::Applied(revision)) => revision,
        other => panic!("the txn must be applied: {other:?}"),
    }
}

async fn write_events(store: &dyn MetadataStore, count: usize) {
    for _ in 0..count / 100 {
        applied(store, (0..100).map(|n| put(&format!("/event/{n}"), "1")).collect()).await;
    }
}

async fn next(watch: &mut mpsc::Receiver<WatchMessage>) -> WatchMessage {
    let message = tokio::time::timeout(Duration::from_secs(10), watch.recv()).await;
    message.expect("the watch tells within ten seconds").expect("the watch goes on")
}

async fn events_until(watch: &mut mpsc::Receiver<WatchMessage>, last: Revision) -> Vec<WatchEvent> {
    let mut all = Vec::new();
    loop {
        let WatchMessage::Events { revision, events } = next(watch).await else {
            panic!("events are wanted")
        };
        all.extend(events);
        if revision >= last {
            return all;
        }
    }
}

fn put(key: &str, value: &str) -> Operation {
    Operation::Put { key: key.into(), value: value.into(), lease: LeaseId::NONE }
}

fn put_leased(key: &str, lease: LeaseId) -> Operation {
    Operation::Put { key: key.into(), value: b"leased".to_vec(), lease }
}

fn delete(key: &str) -> Operation {
    Operation::Delete { key: key.into() }
}
