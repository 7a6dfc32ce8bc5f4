//! One host's way to the store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use metadata::store::{
    Compare, Found, KeyRange, LeaseId, MetadataStore, Operation, Revision, StoreError, TxnOutcome,
    WatchMessage,
};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::{Answer, Reply, Request};
use crate::host::Host;

/// Calls that were just made, and are not on their way yet.
pub type Outbox = Arc<Mutex<Vec<(Host, Request, oneshot::Sender<Answer>)>>>;

/// The store, as a host sees it.
pub struct StoreClient {
    pub host: Host,
    pub outbox: Outbox,
}

impl StoreClient {
    async fn ask(&self, request: Request) -> Answer {
        let (asker, answer) = oneshot::channel();
        self.outbox.lock().push((self.host, request, asker));
        answer.await.unwrap_or_else(|_| Err(out_of_turn()))
    }
}

/// An answer of another kind than was asked for, or none at all: the simulation is wrong.
fn out_of_turn() -> StoreError {
    StoreError::Invalid { reason: "the simulated store answered out of turn".to_owned() }
}

#[async_trait]
impl MetadataStore for StoreClient {
    async fn range(&self, range: KeyRange) -> Result<Found, StoreError> {
        match self.ask(Request::Range(range)).await? {
            Reply::Found(found) => Ok(found),
            _ => Err(out_of_turn()),
        }
    }

    async fn txn(&self, when: Vec<Compare>, then: Vec<Operation>) -> Result<TxnOutcome, StoreError> {
        match self.ask(Request::Txn(when, then)).await? {
            Reply::Outcome(outcome) => Ok(outcome),
            _ => Err(out_of_turn()),
        }
    }

    async fn lease_grant(&self, ttl: Duration) -> Result<(LeaseId, Duration), StoreError> {
        match self.ask(Request::Grant(ttl)).await? {
            Reply::Lease(lease, ttl) => Ok((lease, ttl)),
            _ => Err(out_of_turn()),
        }
    }

    async fn lease_keepalive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.ask(Request::KeepAlive(lease)).await.map(drop)
    }

    async fn lease_revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.ask(Request::Revoke(lease)).await.map(drop)
    }

    async fn watch(
        &self,
        range: KeyRange,
        from: Revision,
    ) -> Result<mpsc::Receiver<WatchMessage>, StoreError> {
        match self.ask(Request::Watch(range, from)).await? {
            Reply::Watch(messages) => Ok(messages),
            _ => Err(out_of_turn()),
        }
    }
}
