//! Whether a batch fits what is known of its producer, in the words of KIP-98 and KIP-890.

use super::entry::{BatchMetadata, ProducerEntry};
use super::transactions::CompletedTransaction;
use protocol::records::{BatchHeader, EndTransactionMarker, NO_PRODUCER_EPOCH};

/// Who appends, which says how far the producer's state is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A client: epoch and sequence must fit, a duplicate is recognised.
    Client {
        /// Whether a producer without state here must begin at 0: one that speaks transactions v2 (KIP-890), or one whose
        /// earlier batches may be on their way.
        begins_at_zero: bool,
    },
    /// A coordinator, whose batches have no sequence: only the epoch must fit.
    Coordinator {
        /// 2 and more demands that a marker's epoch exceeds the transaction's (KIP-890).
        transaction_version: i16,
    },
    /// The leader checked already.
    Replication,
}

/// Why a producer's batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    #[error(
        "producer {producer_id} sent sequence {sequence} of epoch {producer_epoch}, where {last_sequence} of epoch \
         {current_epoch} was its last"
    )]
    OutOfOrderSequence {
        producer_id: i64,
        producer_epoch: i16,
        sequence: i32,
        current_epoch: i16,
        last_sequence: i32,
    },
    #[error(
        "producer {producer_id} wrote with epoch {producer_epoch}, and epoch {current_epoch} is known already"
    )]
    InvalidProducerEpoch { producer_id: i64, producer_epoch: i16, current_epoch: i16 },
    #[error("producer {producer_id} wrote outside of its open transaction")]
    InvalidTxnState { producer_id: i64 },
    #[error(
        "a marker for producer {producer_id} came from coordinator epoch {coordinator_epoch}, and epoch \
         {current_epoch} is known already"
    )]
    TransactionCoordinatorFenced { producer_id: i64, coordinator_epoch: i32, current_epoch: i32 },
}

impl ProducerError {
    /// Whether the batch would fit once others came that may be on their way: it is not older than the last that is known.
    pub fn is_gap(&self) -> bool {
        match *self {
            ProducerError::OutOfOrderSequence {
                producer_epoch,
                sequence,
                current_epoch,
                last_sequence,
                ..
            } => producer_epoch != current_epoch || is_ahead(last_sequence, sequence),
            _ => false,
        }
    }
}

impl ProducerEntry {
    /// Takes a data batch in. Says whether it began a transaction.
    pub(super) fn append_data(
        &mut self,
        header: &BatchHeader,
        origin: AppendOrigin,
    ) -> Result<bool, ProducerError> {
        self.check_epoch(header, origin, 0)?;
        if let AppendOrigin::Client { begins_at_zero } = origin {
            self.check_sequence(header, begins_at_zero)?;
        }
        let in_transaction = self.current_txn_first_offset.is_some();
        if in_transaction && !header.is_transactional() && origin != AppendOrigin::Replication {
            return Err(ProducerError::InvalidTxnState { producer_id: header.producer_id });
        }
        self.add_batch(header.producer_epoch, BatchMetadata::of(header));
        let begins = header.is_transactional() && !in_transaction;
        if begins {
            self.current_txn_first_offset = Some(header.base_offset);
        }
        Ok(begins)
    }

    /// Takes a marker in, and returns the transaction that it ended, if one was open.
    pub(super) fn append_marker(
        &mut self,
        header: &BatchHeader,
        marker: EndTransactionMarker,
        origin: AppendOrigin,
    ) -> Result<Option<CompletedTransaction>, ProducerError> {
        let transaction_version = match origin {
            AppendOrigin::Coordinator { transaction_version } => transaction_version,
            AppendOrigin::Client { .. } | AppendOrigin::Replication => 0,
        };
        self.check_epoch(header, origin, transaction_version)?;
        self.check_coordinator(header.producer_id, marker.coordinator_epoch, origin)?;
        self.move_to_epoch(header.producer_epoch);
        self.coordinator_epoch = marker.coordinator_epoch;
        self.last_timestamp = header.max_timestamp;
        Ok(self.current_txn_first_offset.take().map(|first_offset| CompletedTransaction {
            producer_id: header.producer_id,
            first_offset,
            last_offset: header.last_offset(),
            aborted: !marker.committed,
        }))
    }

    /// With transactions v2 a marker carries a raised epoch, so that an equal one is late, unless it is the retry of a
    /// marker that was written, or the epoch cannot rise any more.
    fn check_epoch(
        &self,
        header: &BatchHeader,
        origin: AppendOrigin,
        transaction_version: i16,
    ) -> Result<(), ProducerError> {
        let (epoch, current) = (header.producer_epoch, self.producer_epoch);
        let settled = self.current_txn_first_offset.is_none() || epoch == i16::MAX;
        let late = epoch < current || (transaction_version >= 2 && epoch == current && !settled);
        if late && origin != AppendOrigin::Replication {
            let producer_id = header.producer_id;
            return Err(ProducerError::InvalidProducerEpoch {
                producer_id,
                producer_epoch: epoch,
                current_epoch: current,
            });
        }
        Ok(())
    }

    fn check_sequence(&self, header: &BatchHeader, begins_at_zero: bool) -> Result<(), ProducerError> {
        let sequence = header.base_sequence;
        let fits = if self.batches.is_empty() && begins_at_zero {
            sequence == 0
        } else if self.producer_epoch == NO_PRODUCER_EPOCH {
            true
        } else if header.producer_epoch != self.producer_epoch {
            sequence == 0
        } else {
            follows(self.last_sequence(), sequence)
        };
        let refusal = ProducerError::OutOfOrderSequence {
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
            sequence,
            current_epoch: self.producer_epoch,
            last_sequence: self.last_sequence(),
        };
        if fits { Ok(()) } else { Err(refusal) }
    }

    fn check_coordinator(
        &self,
        producer_id: i64,
        coordinator_epoch: i32,
        origin: AppendOrigin,
    ) -> Result<(), ProducerError> {
        let current_epoch = self.coordinator_epoch;
        if coordinator_epoch < current_epoch && origin != AppendOrigin::Replication {
            return Err(ProducerError::TransactionCoordinatorFenced {
                producer_id,
                coordinator_epoch,
                current_epoch,
            });
        }
        Ok(())
    }
}

/// Sequences go round: of two, whichever is reached sooner from the other is the later one.
fn is_ahead(last: i32, next: i32) -> bool {
    (1..1 << 30).contains(&(next.wrapping_sub(last) & i32::MAX))
}

fn follows(last: i32, next: i32) -> bool {
    i64::from(next) == i64::from(last) + 1 || (last == i32::MAX && next == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out_of_order(producer_epoch: i16, sequence: i32, last_sequence: i32) -> ProducerError {
        let (producer_id, current_epoch) = (7, 1);
        ProducerError::OutOfOrderSequence {
            producer_id,
            producer_epoch,
            sequence,
            current_epoch,
            last_sequence,
        }
    }

    #[test]
    fn a_gap_is_before_what_is_ahead_or_of_a_new_epoch() {
        for (sequence, last, is_gap) in
            [(12, 10, true), (5, 10, false), (10, 10, false), (3, i32::MAX, true), (i32::MAX, 3, false)]
        {
            assert_eq!(out_of_order(1, sequence, last).is_gap(), is_gap, "{sequence} after {last}");
        }
        assert!(out_of_order(2, 5, 10).is_gap());
        assert!(!ProducerError::InvalidTxnState { producer_id: 7 }.is_gap());
    }
}
