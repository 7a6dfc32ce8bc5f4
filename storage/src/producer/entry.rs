//! One producer as a log knows it.

use std::collections::VecDeque;

use protocol::records::{BatchHeader, NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP};
use protocol::types::Offset;

/// How many batches of a producer are remembered, as many as a Java producer may have in flight.
pub const BATCHES_REMEMBERED: usize = 5;

/// The last batches of one producer, and its transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerEntry {
    /// −1 while nothing is known.
    pub producer_epoch: i16,
    /// Of the last marker; −1 before the first.
    pub coordinator_epoch: i32,
    pub last_timestamp: i64,
    /// Set while a transaction is open.
    pub current_txn_first_offset: Option<Offset>,
    /// All of `producer_epoch`, oldest first, [`BATCHES_REMEMBERED`] at most.
    pub batches: VecDeque<BatchMetadata>,
}

/// One batch that a producer wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchMetadata {
    pub last_sequence: i32,
    pub last_offset: Offset,
    pub offset_delta: i32,
    pub timestamp: i64,
}

impl BatchMetadata {
    pub(super) fn of(header: &BatchHeader) -> BatchMetadata {
        BatchMetadata {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        }
    }

    pub fn first_offset(&self) -> Offset {
        self.last_offset - i64::from(self.offset_delta)
    }

    /// Sequences wrap to 0 after 2³¹ − 1, backwards too.
    pub fn first_sequence(&self) -> i32 {
        self.last_sequence.wrapping_sub(self.offset_delta) & i32::MAX
    }
}

impl Default for ProducerEntry {
    fn default() -> ProducerEntry {
        ProducerEntry {
            producer_epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: NO_TIMESTAMP,
            current_txn_first_offset: None,
            batches: VecDeque::new(),
        }
    }
}

impl ProducerEntry {
    /// The sequence of the producer's last record; −1 where none is known.
    pub fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// The remembered batch that `header` is a retry of.
    pub(super) fn duplicate_of(&self, header: &BatchHeader) -> Option<BatchMetadata> {
        let wanted = (header.base_sequence, header.last_sequence());
        let same_epoch = header.producer_epoch == self.producer_epoch;
        let is_same = |batch: &&BatchMetadata| (batch.first_sequence(), batch.last_sequence) == wanted;
        self.batches.iter().filter(|_| same_epoch).find(is_same).copied()
    }

    /// Remembers a batch. A new epoch forgets the batches of the old one.
    pub(super) fn add_batch(&mut self, producer_epoch: i16, batch: BatchMetadata) {
        self.move_to_epoch(producer_epoch);
        if self.batches.len() == BATCHES_REMEMBERED {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
        self.last_timestamp = batch.timestamp;
    }

    pub(super) fn move_to_epoch(&mut self, producer_epoch: i16) {
        if self.producer_epoch != producer_epoch {
            self.batches.clear();
            self.producer_epoch = producer_epoch;
        }
    }
}
