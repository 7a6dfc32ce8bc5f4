//! What waits for each partition, when it is due, and under which sequence it goes.
//!
//! Invariants: at most one batch of a partition is in flight, and while it is, none of that partition is due;
//! sequences of one identity grow without gaps in the order of the queue.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use protocol::records::Compression;
use tokio::time::Instant;

use super::batch::{Batch, Identity, Outgoing};
use crate::TopicPartition;

/// What batches are made by.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub compression: Compression,
    pub batch_bytes: usize,
    pub linger: Duration,
    pub delivery_timeout: Duration,
}

pub struct Queues {
    limits: Limits,
    partitions: HashMap<TopicPartition, Queue>,
}

#[derive(Default)]
struct Queue {
    /// Oldest first; the last may still be filling.
    batches: VecDeque<Batch>,
    in_flight: bool,
    /// Not before, after a failure.
    retry_at: Option<Instant>,
    /// The identity of the last batch that was stamped, and the sequence of the next.
    sequence: Option<(Identity, i32)>,
}

impl Queues {
    pub fn new(limits: Limits) -> Queues {
        Queues { limits, partitions: HashMap::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.partitions.values().all(|queue| queue.batches.is_empty() && !queue.in_flight)
    }

    pub fn push(&mut self, partition: TopicPartition, record: Outgoing, now: Instant) {
        let Limits { compression, batch_bytes, .. } = self.limits;
        let queue = self.partitions.entry(partition.clone()).or_default();
        let refused = match queue.batches.back_mut() {
            Some(last) => last.push(record, batch_bytes),
            None => Some(record),
        };
        let begin = |record| Batch::begin(partition, compression, record, now);
        queue.batches.extend(refused.map(begin));
    }

    /// The batches to send now; they count as in flight. In a hurry nothing lingers.
    pub fn take_due(&mut self, now: Instant, identity: Option<Identity>, hurry: bool) -> Vec<Batch> {
        let limits = self.limits;
        let queues = self.partitions.values_mut();
        let due = queues.filter(|queue| queue.due_at(&limits, now, hurry).is_some_and(|at| at <= now));
        due.filter_map(|queue| queue.take(identity)).collect()
    }

    /// When the next batch is due, or too old to be sent.
    pub fn next_due(&self, now: Instant, hurry: bool) -> Option<Instant> {
        let due = |queue: &Queue| queue.due_at(&self.limits, now, hurry);
        self.partitions.values().filter_map(due).min()
    }

    /// The batches whose time is up before they could be sent.
    pub fn take_expired(&mut self, now: Instant) -> Vec<Batch> {
        let limit = self.limits.delivery_timeout;
        let mut expired = Vec::new();
        for queue in self.partitions.values_mut().filter(|queue| !queue.in_flight) {
            while queue.batches.front().is_some_and(|batch| now >= batch.created_at + limit) {
                expired.extend(queue.batches.pop_front());
            }
        }
        expired
    }

    /// Takes everything that is not in flight.
    pub fn take_all(&mut self) -> Vec<Batch> {
        self.partitions.values_mut().flat_map(|queue| queue.batches.drain(..)).collect()
    }

    /// A batch came back for another attempt.
    pub fn put_back(&mut self, batch: Batch, retry_at: Instant) {
        let queue = self.partitions.entry(batch.partition.clone()).or_default();
        queue.in_flight = false;
        queue.retry_at = Some(retry_at);
        queue.batches.push_front(batch);
    }

    /// A batch is done with, acknowledged or lost.
    pub fn landed(&mut self, partition: &TopicPartition) {
        if let Some(queue) = self.partitions.get_mut(partition) {
            queue.in_flight = false;
            queue.retry_at = None;
        }
    }
}

impl Queue {
    fn due_at(&self, limits: &Limits, now: Instant, hurry: bool) -> Option<Instant> {
        let first = self.batches.front().filter(|_| !self.in_flight)?;
        let full = self.batches.len() > 1 || first.was_taken();
        let lingered = if full || hurry { now } else { first.created_at + limits.linger };
        Some(
            self.retry_at
                .map_or(lingered, |at| at.max(lingered))
                .min(first.created_at + limits.delivery_timeout),
        )
    }

    fn take(&mut self, identity: Option<Identity>) -> Option<Batch> {
        let mut batch = self.batches.pop_front()?;
        self.in_flight = true;
        if !batch.was_taken() {
            let stamp = identity.map(|identity| (identity, self.next_sequence(identity)));
            let taken = batch.take(stamp);
            self.sequence = stamp.map(|(identity, base)| (identity, base.wrapping_add(taken) & i32::MAX));
        }
        Some(batch)
    }

    fn next_sequence(&self, identity: Identity) -> i32 {
        match self.sequence {
            Some((last, next)) if last == identity => next,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::records::RecordBatch;
    use std::sync::{Arc, LazyLock};
    use tokio::sync::{Semaphore, oneshot};

    const LIMITS: Limits = Limits {
        compression: Compression::None,
        batch_bytes: 150,
        linger: Duration::from_millis(5),
        delivery_timeout: Duration::from_secs(9),
    };
    const IDENTITY: Identity = Identity { producer_id: 7, producer_epoch: 0 };

    fn record(bytes: usize) -> Outgoing {
        static ROOM: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(100)));
        let room = Arc::clone(&ROOM).try_acquire_owned().expect("room for every test");
        let (acknowledge, _) = oneshot::channel();
        let value = Some(vec![b'v'; bytes].into());
        Outgoing { timestamp: 0, key: None, value, headers: Vec::new(), acknowledge, room }
    }

    fn partition() -> TopicPartition {
        TopicPartition::new("t", 0)
    }

    fn sequence_of(batch: &mut Batch) -> (i64, i32) {
        let bytes = batch.bytes().expect("it builds");
        let header = RecordBatch::parse(&bytes).expect("a batch").header;
        (header.producer_id, header.base_sequence)
    }

    #[test]
    fn a_batch_waits_until_it_lingered_and_no_longer() {
        let now = Instant::now();
        let mut queues = Queues::new(LIMITS);
        queues.push(partition(), record(1), now);
        assert!(queues.take_due(now, None, false).is_empty());
        assert_eq!(queues.next_due(now, false), Some(now + LIMITS.linger));
        assert_eq!(queues.take_due(now + LIMITS.linger, None, false).len(), 1);
        assert_eq!(queues.next_due(now, false), None);
        assert!(!queues.is_empty());
    }

    #[test]
    fn a_full_batch_goes_at_once_and_the_next_one_after_it() {
        let now = Instant::now();
        let mut queues = Queues::new(LIMITS);
        queues.push(partition(), record(60), now);
        queues.push(partition(), record(60), now);
        assert_eq!(queues.take_due(now, None, false).len(), 1);
        assert!(queues.take_due(now, None, true).is_empty(), "one is in flight");
        queues.landed(&partition());
        assert_eq!(queues.take_due(now, None, true).len(), 1);
    }

    #[test]
    fn sequences_follow_each_other_and_begin_anew_with_an_identity() {
        let now = Instant::now();
        let mut queues = Queues::new(LIMITS);
        let other = Identity { producer_id: 8, ..IDENTITY };
        let mut seen = Vec::new();
        for identity in [IDENTITY, IDENTITY, other] {
            queues.push(partition(), record(1), now);
            queues.push(partition(), record(1), now);
            let mut batch = queues.take_due(now, Some(identity), true).pop().expect("one is due");
            seen.push(sequence_of(&mut batch));
            queues.landed(&partition());
        }
        assert_eq!(seen, [(7, 0), (7, 2), (8, 0)]);
    }

    #[test]
    fn a_batch_that_comes_back_goes_first_and_unchanged() {
        let now = Instant::now();
        let mut queues = Queues::new(LIMITS);
        queues.push(partition(), record(1), now);
        let batch = queues.take_due(now, Some(IDENTITY), true).pop().expect("one is due");
        queues.push(partition(), record(1), now);
        let later = now + Duration::from_millis(50);
        queues.put_back(batch, later);
        assert!(queues.take_due(now, Some(IDENTITY), true).is_empty());
        let other = Identity { producer_id: 8, ..IDENTITY };
        let mut again = queues.take_due(later, Some(other), true).pop().expect("its wait is over");
        assert_eq!(sequence_of(&mut again), (7, 0));
        assert!(!queues.is_empty(), "the second record did not slip into the first one's batch");
    }

    #[test]
    fn what_nobody_could_send_expires() {
        let now = Instant::now();
        let mut queues = Queues::new(LIMITS);
        queues.push(partition(), record(1), now);
        assert!(queues.take_expired(now).is_empty());
        assert_eq!(queues.take_expired(now + LIMITS.delivery_timeout).len(), 1);
        assert!(queues.is_empty());
    }
}
