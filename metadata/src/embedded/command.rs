//! What the owner of the store is asked, and the answers that it holds back until they are durable.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::store::{
    Compare, Found, KeyRange, LeaseId, Operation, Revision, StoreError, TxnOutcome, WatchMessage,
};

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// One call of the store.
pub(super) enum Command {
    Range { range: KeyRange, reply: Reply<Found> },
    Txn { when: Vec<Compare>, then: Vec<Operation>, reply: Reply<TxnOutcome> },
    Grant { ttl: Duration, reply: Reply<(LeaseId, Duration)> },
    KeepAlive { lease: LeaseId, reply: Reply<()> },
    Revoke { lease: LeaseId, reply: Reply<()> },
    Watch { range: KeyRange, from: Revision, reply: Reply<mpsc::Receiver<WatchMessage>> },
}

/// An answer that waits for the disk: called with `Err` if what it rests on may not be durable.
pub(super) type HeldAnswer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Holds an answer back. A caller that has gone away wants none.
pub(super) fn hold<T: Send + 'static>(reply: Reply<T>, answer: Result<T, StoreError>) -> HeldAnswer {
    Box::new(move |durable| {
        let _ = reply.send(durable.and(answer));
    })
}
