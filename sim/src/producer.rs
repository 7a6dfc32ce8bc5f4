//! Producers as librdkafka is one: idempotent ones number their batches, have up to five in the air, and after whatever went
//! wrong send all that is not acknowledged again, in order, under the same numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use protocol::records::{BatchBuilder, Compression};
use protocol::types::LeaderEpoch;

/// Batches in the air at once.
const IN_FLIGHT_MAX: usize = 5;
/// How long an answer is waited for.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(1500);

/// One batch.
#[derive(Clone, Debug)]
pub struct Batch {
    pub values: Vec<u64>,
    base_sequence: i32,
    pub is_acknowledged: bool,
}

/// A producer that writes to one partition.
pub struct Producer {
    pub id: usize,
    pub partition: i32,
    pub is_idempotent: bool,
    producer_id: i64,
    next_sequence: i32,
    pub batches: Vec<Batch>,
    /// The connection of now, counted; the broker at its other end, and that one's process.
    pub connection: u64,
    pub broker: Option<(usize, u64)>,
    /// Sent on this connection and not answered: until when an answer is waited for.
    in_flight: BTreeMap<usize, Duration>,
    /// Batches from here on are yet to be sent on this connection.
    next: usize,
    pub backs_off_until: Duration,
    /// The newest leader epoch that it was told of: it never goes back to an older leader.
    pub leader_epoch: LeaderEpoch,
    /// When the last request or answer arrives: no later one overtakes it.
    pub last_at: Duration,
}

impl Producer {
    pub fn new(id: usize, partition: i32, is_idempotent: bool) -> Producer {
        Producer {
            id,
            partition,
            is_idempotent,
            producer_id: id as i64 + 1,
            next_sequence: 0,
            batches: Vec::new(),
            connection: 0,
            broker: None,
            in_flight: BTreeMap::new(),
            next: 0,
            backs_off_until: Duration::ZERO,
            leader_epoch: LeaderEpoch::UNKNOWN,
            last_at: Duration::ZERO,
        }
    }

    pub fn producer_id(&self) -> i64 {
        self.producer_id
    }

    /// A new batch of records with these values.
    pub fn add(&mut self, values: Vec<u64>) {
        let base_sequence = self.next_sequence;
        self.next_sequence += values.len() as i32;
        self.batches.push(Batch { values, base_sequence, is_acknowledged: false });
    }

    /// What can be sent now: its number and its records. The first batch of all goes alone: before it is acknowledged no
    /// leader knows this producer, and would take any other for its first.
    pub fn next_to_send(&mut self, now: Duration) -> Option<(usize, Bytes)> {
        let alone = self.batches.first().is_some_and(|first| !first.is_acknowledged);
        let in_flight_max = if alone || !self.is_idempotent { 1 } else { IN_FLIGHT_MAX };
        if self.backs_off_until > now || self.in_flight.len() >= in_flight_max {
            return None;
        }
        let at = (self.next..self.batches.len()).find(|at| !self.batches[*at].is_acknowledged)?;
        self.next = at + 1;
        self.in_flight.insert(at, now + REQUEST_TIMEOUT);
        Some((at, self.records(at)))
    }

    fn records(&self, at: usize) -> Bytes {
        let batch = &self.batches[at];
        let mut builder = BatchBuilder::new(Compression::None);
        if self.is_idempotent {
            builder = builder.producer(self.producer_id, 0, batch.base_sequence);
        }
        for value in &batch.values {
            builder.append(0, None, Some(&value.to_be_bytes()), &[]);
        }
        builder.build().expect("a small batch")
    }

    /// A batch is acknowledged.
    pub fn acknowledged(&mut self, at: usize) {
        if let Some(batch) = self.batches.get_mut(at) {
            batch.is_acknowledged = true;
        }
        self.in_flight.remove(&at);
    }

    /// Whether it is the first that is not acknowledged: only then is a gap in front of it more than a matter of order.
    pub fn is_head(&self, at: usize) -> bool {
        self.batches.iter().position(|batch| !batch.is_acknowledged) == Some(at)
    }

    pub fn is_overdue(&self, now: Duration) -> bool {
        self.in_flight.values().any(|until| *until <= now)
    }

    /// Gives the connection up: all that is not acknowledged goes again. Without idempotence it is given up.
    pub fn reconnect(&mut self, until: Duration) {
        self.connection += 1;
        self.broker = None;
        self.in_flight.clear();
        self.backs_off_until = until;
        self.next = 0;
        if !self.is_idempotent {
            self.batches.clear();
        }
    }

    /// Acknowledged records were lost by an unclean election: it goes on as another producer.
    pub fn begin_anew(&mut self, rng: &mut Rng) {
        self.producer_id = rng.i64(1_000..1_000_000);
        self.next_sequence = 0;
        self.batches.clear();
        self.reconnect(self.backs_off_until);
    }

    /// Whether all that it has is acknowledged.
    pub fn is_done(&self) -> bool {
        self.batches.iter().all(|batch| batch.is_acknowledged)
    }
}
