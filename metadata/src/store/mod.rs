//! Where metadata is kept: what a store can do, whichever it is. [`crate::etcd`] and [`crate::embedded`] pass one
//! conformance suite (`tests/store_conformance.rs`).
//!
//! Keys are ordered bytes. Every applied transaction that changes something raises the store's revision by one; a key
//! remembers the revisions at which it was created and last modified. A key put under a lease dies with it.

mod error;
mod watch;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

pub use error::StoreError;
pub use watch::{WatchEvent, WatchMessage};

use crate::keys::end_of_prefix;

/// Counts the changes of a store, from 1.
pub type Revision = i64;

/// The most operations, and the most compares, of one transaction (etcd's default).
pub const TXN_OPERATIONS_MAX: usize = 128;
/// The most bytes of one transaction's keys and values that a caller should ask for; etcd's own limit lies at 1.5 MiB.
pub const TXN_BYTES_MAX: usize = 1024 * 1024;

/// A lease, as the store numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub i64);

impl LeaseId {
    /// What a key is put under that stays until it is deleted.
    pub const NONE: LeaseId = LeaseId(0);
}

/// A key and all that the store knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    pub key: Bytes,
    pub value: Bytes,
    pub create_revision: Revision,
    pub mod_revision: Revision,
    pub lease: LeaseId,
}

/// The keys from `start` up to, but not with, `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    pub start: Vec<u8>,
    pub end: Vec<u8>,
}

impl KeyRange {
    /// This one key.
    pub fn key(key: impl Into<Vec<u8>>) -> KeyRange {
        let start = key.into();
        let mut end = start.clone();
        end.push(0);
        KeyRange { start, end }
    }

    /// Every key that begins with `prefix`, which is not empty.
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> KeyRange {
        let start = prefix.into();
        let end = end_of_prefix(&start);
        KeyRange { start, end }
    }

    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && key < self.end.as_slice()
    }
}

/// What was found in a range, all of it as of one revision, in the order of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub entries: Vec<KeyValue>,
    /// The store's revision; a watch goes on from the next one.
    pub revision: Revision,
}

/// What must hold for a transaction to be applied. Revision 0 is that of a key which does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compare {
    CreateRevision(Vec<u8>, Revision),
    ModRevision(Vec<u8>, Revision),
}

/// What a transaction does. It names no key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Put { key: Vec<u8>, value: Vec<u8>, lease: LeaseId },
    Delete { key: Vec<u8> },
}

impl Operation {
    pub fn key(&self) -> &[u8] {
        match self {
            Operation::Put { key, .. } | Operation::Delete { key } => key,
        }
    }
}

/// What became of a transaction whose outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxnOutcome {
    /// Every operation was carried out, at this revision.
    Applied(Revision),
    /// Some compare did not hold, and nothing was done; the store's revision then.
    Refused(Revision),
}

/// A metadata store.
#[async_trait]
pub trait MetadataStore: Send + Sync + 'static {
    /// Reads a range, linearizably: nothing that was committed before the call is missed.
    async fn range(&self, range: KeyRange) -> Result<Found, StoreError>;

    /// Carries out all operations at once if all compares hold. Durable when it returns. After
    /// [`StoreError::Unavailable`] it may or may not have been applied.
    async fn txn(&self, when: Vec<Compare>, then: Vec<Operation>) -> Result<TxnOutcome, StoreError>;

    /// A new lease and how long it lives without a keepalive, which may be longer than asked.
    async fn lease_grant(&self, ttl: Duration) -> Result<(LeaseId, Duration), StoreError>;

    /// Renews a lease: it lives its whole time again from now on.
    async fn lease_keepalive(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// Ends a lease and deletes its keys at once.
    async fn lease_revoke(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// Every change in the range at and after `from`, in order, those of one revision together. The channel ends when the
    /// watch is lost: re-read the range and watch again.
    async fn watch(
        &self,
        range: KeyRange,
        from: Revision,
    ) -> Result<mpsc::Receiver<WatchMessage>, StoreError>;
}

/// One key, or `None` where it does not exist.
pub async fn get(store: &dyn MetadataStore, key: Vec<u8>) -> Result<Option<KeyValue>, StoreError> {
    Ok(store.range(KeyRange::key(key)).await?.entries.pop())
}
