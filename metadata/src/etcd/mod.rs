//! The metadata store on etcd 3.4 and later.
//!
//! The client reconnects by itself, and looks up the member's name each time; a watch does not survive its connection, and its channel then ends. HTTP/2 keepalives
//! come every 6 s, for etcd hangs up on a client that pings more often than every 5 s.

mod error;
mod metrics;
mod read;
mod watch;

use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{Client, CompareOp, ConnectOptions, PutOptions, Txn, TxnOp};
use tokio::sync::mpsc;

use crate::store::{
    Compare, Found, KeyRange, LeaseId, MetadataStore, Operation, Revision, StoreError, TxnOutcome,
    WatchMessage,
};
use error::{from_client, within};
use metrics::observed;

/// A call that takes longer has an unknown outcome.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(6);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest answer that is taken: many revisions may come in one message of a watch.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A handle to an etcd cluster.
#[derive(Clone)]
pub struct EtcdStore {
    client: Client,
}

impl EtcdStore {
    /// A store on the etcd members at these endpoints, `http://host:port`. Connections are made on demand, so this fails
    /// only for endpoints that cannot be read.
    pub async fn connect(endpoints: &[String]) -> Result<EtcdStore, StoreError> {
        let options = ConnectOptions::new()
            .with_keep_alive(KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT)
            .with_keep_alive_while_idle(true)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_timeout(CALL_TIMEOUT)
            // A member cut off from its leader says so, rather than fall silent.
            .with_require_leader(true);
        let client = Client::connect(endpoints, Some(options)).await.map_err(from_client)?;
        Ok(EtcdStore { client })
    }
}

#[async_trait]
impl MetadataStore for EtcdStore {
    async fn range(&self, range: KeyRange) -> Result<Found, StoreError> {
        observed("range", read::range(self.client.kv_client(), range)).await
    }

    async fn txn(&self, when: Vec<Compare>, then: Vec<Operation>) -> Result<TxnOutcome, StoreError> {
        let compares: Vec<_> = when.into_iter().map(compare).collect();
        let operations: Vec<_> = then.into_iter().map(operation).collect();
        let txn = Txn::new().when(compares).and_then(operations);
        let call = || {
            let (mut kv, txn) = (self.client.kv_client(), txn.clone());
            async move { kv.txn(txn).await }
        };
        let response = observed("txn", within(CALL_TIMEOUT, call)).await?;
        let revision = response.header().map_or(0, |header| header.revision());
        Ok(match response.succeeded() {
            true => TxnOutcome::Applied(revision),
            false => TxnOutcome::Refused(revision),
        })
    }

    async fn lease_grant(&self, ttl: Duration) -> Result<(LeaseId, Duration), StoreError> {
        // etcd counts whole seconds, and grants no fewer than its election timeout allows.
        let seconds = ttl.as_secs_f64().ceil().max(1.0) as i64;
        let call = || {
            let mut leases = self.client.lease_client();
            async move { leases.grant(seconds, None).await }
        };
        let granted = observed("lease_grant", within(CALL_TIMEOUT, call)).await?;
        Ok((LeaseId(granted.id()), Duration::from_secs(granted.ttl().max(0) as u64)))
    }

    async fn lease_keepalive(&self, lease: LeaseId) -> Result<(), StoreError> {
        // On a stream of its own: streams do not survive a restart of etcd, and this one need not.
        let call = || {
            let mut leases = self.client.lease_client();
            async move { leases.keep_alive(lease.0).await }
        };
        observed("lease_keepalive", within(CALL_TIMEOUT, call)).await.map(|_| ())
    }

    async fn lease_revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        let call = || {
            let mut leases = self.client.lease_client();
            async move { leases.revoke(lease.0).await }
        };
        observed("lease_revoke", within(CALL_TIMEOUT, call)).await.map(|_| ())
    }

    async fn watch(
        &self,
        range: KeyRange,
        from: Revision,
    ) -> Result<mpsc::Receiver<WatchMessage>, StoreError> {
        observed("watch", watch::open(self.client.watch_client(), range, from)).await
    }
}

fn compare(compare: Compare) -> etcd_client::Compare {
    match compare {
        Compare::CreateRevision(key, revision) => {
            etcd_client::Compare::create_revision(key, CompareOp::Equal, revision)
        }
        Compare::ModRevision(key, revision) => {
            etcd_client::Compare::mod_revision(key, CompareOp::Equal, revision)
        }
    }
}

fn operation(operation: Operation) -> TxnOp {
    match operation {
        Operation::Put { key, value, lease: LeaseId::NONE } => TxnOp::put(key, value, None),
        Operation::Put { key, value, lease } => {
            TxnOp::put(key, value, Some(PutOptions::new().with_lease(lease.0)))
        }
        Operation::Delete { key } => TxnOp::delete(key, None),
    }
}
