//! Produce requests that wait for replication (`acks=all`): an entry per partition in a queue that the high watermark empties.
//!
//! A request with many partitions appends to all of them first and then waits for all together, under one time-out. A high watermark
//! may stand still for longer than many of them wait: whoever has given up is forgotten, so that a queue is no longer than twice
//! those who wait.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::types::Offset;
use tokio::sync::Notify;

/// A queue so short is not looked through for those who have given up.
const SHORT: usize = 64;

/// One request's wait, seen by the partitions it waits for as long as the request holds it.
pub struct AckWait {
    pending: Mutex<Pending>,
    settled: Notify,
}

struct Pending {
    count: usize,
    /// By the place that the request gave each partition; `None` while it waits.
    outcomes: Vec<Option<ErrorCode>>,
}

/// The waits of one partition, by rising offset.
#[derive(Default)]
pub struct AckWaits {
    queue: VecDeque<Entry>,
    /// How many of them were still waited for when that was last looked at.
    awaited: usize,
}

struct Entry {
    /// Acknowledged once the high watermark is here or past it.
    required: Offset,
    place: usize,
    wait: Weak<AckWait>,
}

impl Entry {
    fn settle(self, outcome: ErrorCode) {
        if let Some(wait) = self.wait.upgrade() {
            wait.settle(self.place, outcome);
        }
    }
}

impl AckWait {
    /// A wait for nothing yet.
    pub fn new() -> Arc<AckWait> {
        Arc::new(AckWait {
            pending: Mutex::new(Pending { count: 0, outcomes: Vec::new() }),
            settled: Notify::new(),
        })
    }

    /// Waits until every partition has answered.
    pub async fn settled(&self) {
        while self.pending.lock().count > 0 {
            self.settled.notified().await;
        }
    }

    /// The outcome at each place; a place that still waits has timed out.
    pub fn outcomes(&self) -> Vec<ErrorCode> {
        let pending = self.pending.lock();
        pending.outcomes.iter().map(|outcome| outcome.unwrap_or(ErrorCode::RequestTimedOut)).collect()
    }

    fn reserve(&self) -> usize {
        let mut pending = self.pending.lock();
        pending.count += 1;
        pending.outcomes.push(None);
        pending.outcomes.len() - 1
    }

    fn settle(&self, place: usize, outcome: ErrorCode) {
        let mut pending = self.pending.lock();
        pending.outcomes[place] = Some(outcome);
        pending.count -= 1;
        if pending.count == 0 {
            self.settled.notify_one();
        }
    }
}

impl AckWaits {
    /// Queues a wait and returns its place among the request's outcomes. Appends come in order, so offsets rise; only a
    /// duplicate waits for an offset that others are past, and goes before them.
    pub fn add(&mut self, required: Offset, wait: &Arc<AckWait>) -> usize {
        if self.queue.len() >= SHORT.max(self.awaited * 2) {
            self.queue.retain(|entry| entry.wait.strong_count() > 0);
            self.awaited = self.queue.len();
        }
        let place = wait.reserve();
        let at = self.queue.partition_point(|entry| entry.required <= required);
        self.queue.insert(at, Entry { required, place, wait: Arc::downgrade(wait) });
        place
    }

    /// Acknowledges all that the high watermark has passed.
    pub fn high_watermark_moved(&mut self, high_watermark: Offset) {
        while self.queue.front().is_some_and(|entry| entry.required <= high_watermark) {
            let Some(entry) = self.queue.pop_front() else { return };
            entry.settle(ErrorCode::None);
        }
    }

    /// Fails all of them: the broker leads the partition no more, or too few replicas are in sync.
    pub fn fail(&mut self, error: ErrorCode) {
        for entry in self.queue.drain(..) {
            entry.settle(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_settled_when_its_last_partition_is() {
        let (mut one, mut two) = (AckWaits::default(), AckWaits::default());
        let wait = AckWait::new();
        one.add(Offset(5), &wait);
        two.add(Offset(9), &wait);
        one.high_watermark_moved(Offset(5));
        two.high_watermark_moved(Offset(8));
        assert_eq!(wait.outcomes(), [ErrorCode::None, ErrorCode::RequestTimedOut]);
        two.fail(ErrorCode::NotLeaderOrFollower);
        wait.settled().await;
        assert_eq!(wait.outcomes(), [ErrorCode::None, ErrorCode::NotLeaderOrFollower]);
    }

    #[test]
    fn a_duplicate_is_acknowledged_with_its_original_and_not_with_those_behind() {
        let mut waits = AckWaits::default();
        let [first, second, duplicate] = [5, 9, 5].map(|required| {
            let wait = AckWait::new();
            waits.add(Offset(required), &wait);
            wait
        });
        waits.high_watermark_moved(Offset(5));
        let outcomes = [first, second, duplicate].map(|wait| wait.outcomes()[0]);
        assert_eq!(outcomes, [ErrorCode::None, ErrorCode::RequestTimedOut, ErrorCode::None]);
    }

    #[test]
    fn who_has_given_up_is_forgotten_though_the_high_watermark_stands_still() {
        let mut waits = AckWaits::default();
        let patient: Vec<_> = (0..100)
            .map(|offset| {
                let wait = AckWait::new();
                waits.add(Offset(offset), &wait);
                wait
            })
            .collect();
        for offset in 100..10_000 {
            waits.add(Offset(offset), &AckWait::new());
        }
        assert!(waits.queue.len() <= 200, "{}", waits.queue.len());
        waits.high_watermark_moved(Offset(10_000));
        assert!(patient.iter().all(|wait| wait.outcomes() == [ErrorCode::None]));
    }
}
