//! Partitions whose leader saw a replica outside of the ISR reach what is committed.
//!
//! Fetches note them under the partition's lock; the proposer takes them out and decides.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use storage::TopicPartition;
use tokio::sync::Notify;

/// What was noted and not yet taken out: each partition once.
#[derive(Default)]
pub struct Returning {
    partitions: Mutex<BTreeSet<TopicPartition>>,
    noted: Notify,
}

impl Returning {
    /// Somebody may return here.
    pub fn note(&self, at: &TopicPartition) {
        self.partitions.lock().insert(at.clone());
        self.noted.notify_one();
    }

    /// Ends when something was noted since the last call.
    pub(super) async fn noted(&self) {
        self.noted.notified().await;
    }

    /// Takes out all that was noted.
    pub(super) fn take(&self) -> BTreeSet<TopicPartition> {
        std::mem::take(&mut *self.partitions.lock())
    }
}
