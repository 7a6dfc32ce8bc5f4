//! A store that fails as it is told to.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use metadata::store::{
    Compare, Found, KeyRange, LeaseId, MetadataStore, Operation, Revision, StoreError, TxnOutcome,
    WatchMessage,
};
use std::sync::Mutex;
use tokio::sync::{mpsc, watch};

use super::Store;

/// What the next transactions do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Txns {
    Work,
    /// They are applied, and their answers are lost.
    LoseTheAnswer,
    /// The next one is lost for now, and arrives when it is let through.
    Delay,
    /// Nothing is written, for there is no space.
    FindNoSpace,
}

type Transaction = (Vec<Compare>, Vec<Operation>);

/// Everything between a controller and its store.
pub struct Faults {
    store: Store,
    pub txns: Mutex<Txns>,
    delayed: Mutex<Option<Transaction>>,
    /// While this is true nothing is answered; keepalives alone arrive.
    pub frozen: watch::Sender<bool>,
    /// What ends every watch, and with what.
    watches: watch::Sender<Option<WatchMessage>>,
}

impl Faults {
    pub fn new(store: &Store) -> Arc<Faults> {
        let (frozen, watches) = (watch::Sender::new(false), watch::Sender::new(None));
        let (txns, delayed) = (Mutex::new(Txns::Work), Mutex::new(None));
        Arc::new(Faults { store: Arc::clone(store), txns, delayed, frozen, watches })
    }

    /// The delayed transaction arrives at last.
    pub async fn let_through(&self) -> TxnOutcome {
        let (when, then) = self.delayed.lock().unwrap().take().expect("one was delayed");
        self.store.txn(when, then).await.unwrap()
    }

    /// Ends every watch that stands.
    pub fn lose_watches(&self) {
        self.watches.send_replace(None);
    }

    /// Tells every watch that it came too late.
    pub fn compact(&self) {
        self.watches.send_replace(Some(WatchMessage::Compacted { before: 1 }));
    }

    async fn thawed(&self) {
        let _ = self.frozen.subscribe().wait_for(|frozen| !frozen).await;
    }
}

#[async_trait]
impl MetadataStore for Faults {
    async fn range(&self, range: KeyRange) -> Result<Found, StoreError> {
        self.thawed().await;
        self.store.range(range).await
    }

    async fn txn(&self, when: Vec<Compare>, then: Vec<Operation>) -> Result<TxnOutcome, StoreError> {
        self.thawed().await;
        let behaviour = *self.txns.lock().unwrap();
        match behaviour {
            Txns::Work => self.store.txn(when, then).await,
            Txns::LoseTheAnswer => {
                self.store.txn(when, then).await?;
                *self.txns.lock().unwrap() = Txns::Work;
                Err(StoreError::Unavailable { reason: "the answer was lost".into() })
            }
            Txns::Delay => {
                *self.delayed.lock().unwrap() = Some((when, then));
                *self.txns.lock().unwrap() = Txns::Work;
                Err(StoreError::Unavailable { reason: "the request was lost".into() })
            }
            Txns::FindNoSpace => Err(StoreError::NoSpace { reason: "full".into() }),
        }
    }

    async fn lease_grant(&self, ttl: Duration) -> Result<(LeaseId, Duration), StoreError> {
        self.thawed().await;
        self.store.lease_grant(ttl).await
    }

    async fn lease_keepalive(&self, lease: LeaseId) -> Result<(), StoreError> {
        let kept = self.store.lease_keepalive(lease).await;
        self.thawed().await;
        kept
    }

    async fn lease_revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.thawed().await;
        self.store.lease_revoke(lease).await
    }

    async fn watch(
        &self,
        range: KeyRange,
        from: Revision,
    ) -> Result<mpsc::Receiver<WatchMessage>, StoreError> {
        self.thawed().await;
        let mut watch = self.store.watch(range, from).await?;
        let mut ends = self.watches.subscribe();
        let (to, messages) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    message = watch.recv() => {
                        let Some(message) = message else { return };
                        if to.send(message).await.is_err() {
                            return;
                        }
                    }
                    _ = ends.changed() => {
                        let last = ends.borrow_and_update().clone();
                        if let Some(last) = last {
                            let _ = to.send(last).await;
                        }
                        return;
                    }
                }
            }
        });
        Ok(messages)
    }
}
