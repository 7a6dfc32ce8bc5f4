//! Which batches a reader sees: never control batches, and, where it reads committed records only, none of aborted
//! transactions.
//!
//! A broker names the transactions that were aborted within its answer, each by its producer and first offset; a
//! transaction's records end at its marker.

use std::collections::HashSet;

use protocol::messages::fetch_response::AbortedTransaction;
use protocol::records::{EndTransactionMarker, RecordBatch, RecordsError};

/// Whether records of transactions are seen before they are committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IsolationLevel {
    #[default]
    ReadUncommitted,
    ReadCommitted,
}

impl IsolationLevel {
    pub(crate) fn code(self) -> i8 {
        match self {
            IsolationLevel::ReadUncommitted => 0,
            IsolationLevel::ReadCommitted => 1,
        }
    }
}

/// Walks along the batches of one answer, in order.
pub struct Visibility {
    /// What begins behind the batches seen so far, the last to begin first.
    to_come: Vec<AbortedTransaction>,
    /// Producers whose transaction, open at this point, was aborted.
    aborted: HashSet<i64>,
}

impl Visibility {
    pub fn new(mut aborted: Vec<AbortedTransaction>) -> Visibility {
        aborted.sort_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
        Visibility { to_come: aborted, aborted: HashSet::new() }
    }

    /// Whether the next batch's records are to be seen.
    pub fn shows(&mut self, batch: &RecordBatch) -> Result<bool, RecordsError> {
        let last_offset = batch.header.last_offset().0;
        while self.to_come.last().is_some_and(|next| next.first_offset <= last_offset) {
            self.aborted.extend(self.to_come.pop().map(|begun| begun.producer_id));
        }
        if batch.header.is_control() {
            self.end_transaction(batch)?;
            return Ok(false);
        }
        Ok(!(batch.header.is_transactional() && self.aborted.contains(&batch.header.producer_id)))
    }

    fn end_transaction(&mut self, batch: &RecordBatch) -> Result<(), RecordsError> {
        if let Some(record) = batch.records(MARKER_BYTES_MAX)?.next()
            && let Some(EndTransactionMarker { committed: false, .. }) =
                EndTransactionMarker::parse(&record?)?
        {
            self.aborted.remove(&batch.header.producer_id);
        }
        Ok(())
    }
}

/// Markers have some tens of bytes, and nobody packs them.
const MARKER_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::records::{BatchBuilder, Compression};
    use protocol::types::{LeaderEpoch, Offset};

    fn batch(offset: i64, producer_id: i64) -> RecordBatch {
        let builder = BatchBuilder::new(Compression::None).base_offset(Offset(offset));
        let mut builder = builder.producer(producer_id, 0, 0).transactional();
        builder.append(0, None, Some(b"v"), &[]);
        RecordBatch::parse(&builder.build().expect("it builds")).expect("a batch")
    }

    fn marker(offset: i64, producer_id: i64, committed: bool) -> RecordBatch {
        let marker = EndTransactionMarker { committed, coordinator_epoch: 0 };
        let bytes = marker.batch((producer_id, 0), Offset(offset), LeaderEpoch(0), 0).expect("it builds");
        RecordBatch::parse(&bytes).expect("a batch")
    }

    #[test]
    fn records_of_an_aborted_transaction_are_hidden_until_its_marker() {
        let aborted = AbortedTransaction { producer_id: 1, first_offset: 10 };
        let mut visibility = Visibility::new(vec![aborted]);
        let log = [
            (batch(5, 1), true),
            (marker(6, 1, true), false),
            (batch(10, 1), false),
            (batch(11, 2), true),
            (marker(12, 1, false), false),
            (batch(13, 1), true),
        ];
        for (batch, shown) in log {
            assert_eq!(visibility.shows(&batch), Ok(shown), "{}", batch.header.base_offset);
        }
    }
}
