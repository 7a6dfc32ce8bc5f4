//! Appends whose high watermark is still to come, in the order of the log.

use std::collections::VecDeque;

use protocol::ErrorCode;
use protocol::types::Offset;
use tokio::time::Instant;

use super::log::BoxFuture;
use super::machine::{Write, Written};

/// The most batches that may wait at once; the log takes no more until the high watermark moves.
pub const BATCHES_MAX: usize = 1_000;

/// Batches that stand in the log and are not committed, oldest first.
#[derive(Default)]
pub struct InFlight {
    batches: VecDeque<Batch>,
}

/// One batch and the writes in it.
pub struct Batch {
    pub committed: BoxFuture<Result<(), ErrorCode>>,
    /// Each with the offset of its first record.
    pub writes: Vec<(Offset, Write)>,
    /// When those who wait are told that it takes too long; none once they were.
    pub deadline: Option<Instant>,
}

impl InFlight {
    pub fn is_full(&self) -> bool {
        self.batches.len() >= BATCHES_MAX
    }

    pub fn push(&mut self, batch: Batch) {
        self.batches.push_back(batch);
    }

    /// Joins a write without records to the newest batch; gives it back if there is none.
    pub fn join(&mut self, write: Write) -> Option<Write> {
        let Some(batch) = self.batches.back_mut() else { return Some(write) };
        batch.writes.push((Offset::UNKNOWN, write));
        None
    }

    /// The oldest batch's end, and what it means to each of its writes. Waits for ever while there is none.
    pub async fn next(&mut self) -> Vec<(Write, Written)> {
        let Some(oldest) = self.batches.front_mut() else { return std::future::pending().await };
        let committed = oldest.committed.as_mut().await;
        let writes = self.batches.pop_front().map(|batch| batch.writes).unwrap_or_default();
        writes.into_iter().map(|(base, write)| (write, committed.map(|()| base))).collect()
    }

    /// When the first batch that was not given up yet will be.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.batches.iter().find_map(|batch| batch.deadline)
    }

    /// Writes that take too long by now, once each. Their batches go on waiting.
    pub fn overdue(&mut self, now: Instant) -> impl Iterator<Item = &mut Write> {
        let due = self
            .batches
            .iter_mut()
            .filter(move |batch| batch.deadline.is_some_and(|deadline| deadline <= now));
        due.flat_map(|batch| {
            batch.deadline = None;
            batch.writes.iter_mut().map(|(_, write)| write)
        })
    }
}
