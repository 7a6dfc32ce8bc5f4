//! Several members of etcd, of which some are away: nobody who asks should feel it.

mod support;

use std::time::Duration;

use metadata::etcd::EtcdStore;
use metadata::store::{Compare, KeyRange, LeaseId, MetadataStore, Operation, StoreError, TxnOutcome};
use support::EtcdServer;

/// Nobody listens there.
const AWAY: &str = "http://127.0.0.1:9";
const CALLS: usize = 100;

fn write(number: usize) -> (Vec<Compare>, Vec<Operation>) {
    let key = format!("key-{number}").into_bytes();
    let put = Operation::Put { key: key.clone(), value: b"value".to_vec(), lease: LeaseId::NONE };
    (vec![Compare::CreateRevision(key, 0)], vec![put])
}

#[tokio::test]
async fn members_that_are_away_are_not_felt() {
    let mut etcd = EtcdServer::start().await;
    let members = [AWAY.to_owned(), etcd.endpoint(), "http://no-such-host.invalid:2379".to_owned()];
    let store = EtcdStore::connect(&members).await.expect("the endpoints can be read");
    let (lease, _) = store.lease_grant(Duration::from_secs(10)).await.expect("a lease");
    for number in 0..CALLS {
        let (when, then) = write(number);
        let written = store.txn(when, then).await.expect("is written");
        assert!(matches!(written, TxnOutcome::Applied(_)), "written once, {number} times in all");
        store.range(KeyRange::key("key-0")).await.expect("is read");
        store.lease_keepalive(lease).await.expect("is kept");
        store.watch(KeyRange::key("key-0"), 1).await.expect("is watched");
    }
    etcd.restart().await;
    store.lease_revoke(lease).await.expect("is revoked by whoever is back");
}

#[tokio::test]
async fn with_every_member_away_a_call_fails_soon() {
    let store = EtcdStore::connect(&[AWAY.to_owned()]).await.expect("the endpoint can be read");
    let asked = tokio::time::timeout(Duration::from_secs(1), store.range(KeyRange::key("key-0"))).await;
    assert!(matches!(asked, Ok(Err(StoreError::Unavailable { .. }))), "{asked:?}");
}
