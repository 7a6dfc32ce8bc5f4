//! One long poll's registration with its partitions, for as long as it lives.

use std::sync::Arc;

use tokio::sync::Notify;

use super::wait::Audience;
use crate::replica::partition::Partition;

/// Watches partitions until it is dropped.
pub struct LongPoll {
    audience: Audience,
    partitions: Vec<Arc<Partition>>,
    moved: Arc<Notify>,
}

impl LongPoll {
    /// Registers with every partition, once with each, however often a peer names it; from now on no move is missed.
    pub fn watching(audience: Audience, mut partitions: Vec<Arc<Partition>>) -> LongPoll {
        partitions.sort_unstable_by_key(Arc::as_ptr);
        partitions.dedup_by(|one, other| Arc::ptr_eq(one, other));
        let moved = Arc::new(Notify::new());
        for partition in &partitions {
            partition.watch(audience, &moved);
        }
        LongPoll { audience, partitions, moved }
    }

    /// Ends when a partition has moved since the last call, or since the registration.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }
}

impl Drop for LongPoll {
    fn drop(&mut self) {
        for partition in &self.partitions {
            partition.unwatch(self.audience, &self.moved);
        }
    }
}
