//! Producer ids at hand: a block that the controller gave to this broker alone, and the next one before the first runs out.
//!
//! Invariant: no id is given twice. What is left of a block when the broker stops is never given at all.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::backoff::Backoff;
use super::{ControllerLink, ProducerIdBlock};

/// A new block is fetched once less than one in so many ids of the present one is left.
const LOW_FRACTION: i64 = 10;
/// How long the controller may take to answer one request for a block.
const ALLOCATION_TIME_MAX: Duration = Duration::from_secs(5);

/// The ids at hand, and the signals around them.
#[derive(Debug, Default)]
pub(super) struct ProducerIds {
    blocks: Mutex<Blocks>,
    /// Raised when a block should be fetched.
    low: Notify,
    /// Raised when a block has come.
    refilled: Notify,
}

/// Blocks in the order in which they are used.
#[derive(Debug, Default)]
struct Blocks {
    left: VecDeque<Left>,
}

#[derive(Debug)]
struct Left {
    next: i64,
    end: i64,
    size: i64,
}

impl Blocks {
    fn add(&mut self, block: ProducerIdBlock) {
        let size = i64::from(block.count.max(0));
        self.left.push_back(Left { next: block.first, end: block.first.saturating_add(size), size });
    }

    fn take(&mut self) -> Option<i64> {
        while self.left.front().is_some_and(|block| block.next >= block.end) {
            self.left.pop_front();
        }
        let block = self.left.front_mut()?;
        block.next += 1;
        Some(block.next - 1)
    }

    fn is_low(&self) -> bool {
        match self.left.back() {
            Some(block) => (block.end - block.next) * LOW_FRACTION < block.size,
            None => true,
        }
    }
}

impl ControllerLink {
    /// An id that nobody else has or will have; none if no controller gave any in this time.
    pub async fn next_producer_id(&self, wait_max: Duration) -> Option<i64> {
        let deadline = Instant::now() + wait_max;
        loop {
            let refilled = self.producer_ids.refilled.notified();
            tokio::pin!(refilled);
            refilled.as_mut().enable();
            let (id, is_low) = {
                let mut blocks = self.producer_ids.blocks.lock();
                (blocks.take(), blocks.is_low())
            };
            if is_low {
                self.producer_ids.low.notify_one();
            }
            if id.is_some() {
                return id;
            }
            timeout_at(deadline, refilled).await.ok()?;
        }
    }

    /// Fetches a block whenever the ids run low.
    pub(super) async fn keep_producer_ids(&self) {
        loop {
            self.producer_ids.low.notified().await;
            let mut backoff = Backoff::new();
            while self.producer_ids.blocks.lock().is_low() {
                match self.allocate_producer_ids(ALLOCATION_TIME_MAX).await {
                    Ok(block) if block.count > 0 => self.refill(block),
                    Ok(_) => backoff.sleep().await,
                    Err(error) => {
                        tracing::warn!("no producer ids, trying on: {error}");
                        backoff.sleep().await;
                    }
                }
            }
        }
    }

    fn refill(&self, block: ProducerIdBlock) {
        self.producer_ids.blocks.lock().add(block);
        self.producer_ids.refilled.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(first: i64, count: i32) -> ProducerIdBlock {
        ProducerIdBlock { first, count }
    }

    #[test]
    fn ids_go_from_block_to_block_and_end_with_the_last() {
        let mut blocks = Blocks::default();
        blocks.add(block(100, 2));
        blocks.add(block(500, 1));
        let ids: Vec<_> = std::iter::from_fn(|| blocks.take()).collect();
        assert_eq!(ids, [100, 101, 500]);
    }

    #[test]
    fn a_block_runs_low_before_it_is_empty() {
        let mut blocks = Blocks::default();
        assert!(blocks.is_low());
        blocks.add(block(0, 100));
        for _ in 0..90 {
            blocks.take();
        }
        assert!(!blocks.is_low(), "ten of a hundred are left");
        blocks.take();
        assert!(blocks.is_low());
    }
}
