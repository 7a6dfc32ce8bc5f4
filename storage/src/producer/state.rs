//! All producers of one log as of `end_offset`.
//!
//! An append is judged first ([`ProducerState::check`]), then written, then made known ([`ProducerState::apply`]): a
//! write that fails leaves no trace here.

use std::collections::HashMap;

use protocol::records::{BatchHeader, EndTransactionMarker};
use protocol::types::Offset;

use super::check::{AppendOrigin, ProducerError};
use super::entry::{BatchMetadata, ProducerEntry};
use super::transactions::{CompletedTransaction, Transactions};
use crate::index::AbortedTransaction;

/// What a log knows of its producers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerState {
    producers: HashMap<i64, ProducerEntry>,
    transactions: Transactions,
    /// The offset behind the last batch that was taken in.
    end_offset: Offset,
}

/// A batch with its offsets assigned, and the marker in it if it is a control batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AppendedBatch {
    pub header: BatchHeader,
    pub marker: Option<EndTransactionMarker>,
}

/// What an append would change: made by [`ProducerState::check`] for [`ProducerState::apply`].
#[derive(Debug, Default)]
pub(crate) struct ProducerUpdates {
    entries: Vec<(i64, ProducerEntry)>,
    started: Vec<(Offset, i64)>,
    completed: Vec<CompletedTransaction>,
}

/// Whether an append is news.
#[derive(Debug)]
pub(crate) enum Verdict {
    New(ProducerUpdates),
    /// It was appended before, as this batch.
    Duplicate(BatchMetadata),
}

impl ProducerState {
    /// The state of a log that begins at `offset`.
    pub fn starting_at(offset: Offset) -> ProducerState {
        ProducerState { end_offset: offset, ..ProducerState::default() }
    }

    /// The state that a snapshot as of `end_offset` held.
    pub(super) fn restored(producers: HashMap<i64, ProducerEntry>, end_offset: Offset) -> ProducerState {
        let mut transactions = Transactions::default();
        for (producer_id, entry) in &producers {
            if let Some(first_offset) = entry.current_txn_first_offset {
                transactions.begin(first_offset, *producer_id);
            }
        }
        ProducerState { producers, transactions, end_offset }
    }

    /// Every producer by its id.
    pub fn producers(&self) -> &HashMap<i64, ProducerEntry> {
        &self.producers
    }

    pub(super) fn producers_mut(&mut self) -> &mut HashMap<i64, ProducerEntry> {
        &mut self.producers
    }

    pub fn end_offset(&self) -> Offset {
        self.end_offset
    }

    /// The first offset that no `read_committed` consumer may see yet, on account of transactions.
    pub fn first_unstable_offset(&self, high_watermark: Offset) -> Option<Offset> {
        self.transactions.first_unstable_offset(high_watermark)
    }

    /// Judges an append of `batches`, all of which are taken or none.
    pub(crate) fn check(
        &self,
        batches: &[AppendedBatch],
        origin: AppendOrigin,
    ) -> Result<Verdict, ProducerError> {
        let mut updates = ProducerUpdates::default();
        for batch in batches.iter().filter(|batch| batch.header.has_producer_id()) {
            if let Some(original) = self.duplicate_of(batch, origin) {
                return Ok(Verdict::Duplicate(original));
            }
            updates.take_in(batch, origin, &self.producers)?;
        }
        Ok(Verdict::New(updates))
    }

    /// The transactions that `updates` abort, for the transaction index.
    pub(crate) fn aborted_by(&self, updates: &ProducerUpdates) -> Vec<AbortedTransaction> {
        let aborted = updates.completed.iter().filter(|completed| completed.aborted);
        aborted.map(|completed| self.transactions.aborted(completed)).collect()
    }

    /// Makes an append known that ended at `end_offset`.
    pub(crate) fn apply(&mut self, updates: ProducerUpdates, end_offset: Offset) {
        for (first_offset, producer_id) in updates.started {
            self.transactions.begin(first_offset, producer_id);
        }
        for completed in &updates.completed {
            self.transactions.complete(completed);
        }
        self.producers.extend(updates.entries);
        self.end_offset = end_offset;
    }

    /// The log goes on at `offset`, though nothing was written below it.
    pub(crate) fn advance_end_offset(&mut self, offset: Offset) {
        self.end_offset = self.end_offset.max(offset);
    }

    /// The log begins at `log_start_offset` now, or the high watermark has come so far.
    pub(crate) fn forget_settled_transactions(&mut self, offset: Offset) {
        self.transactions.forget_settled(offset);
    }

    /// Forgets producers that were silent for `expiration_ms`, but for those with an open transaction.
    pub(crate) fn remove_expired(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, entry| {
            entry.current_txn_first_offset.is_some()
                || now_ms.saturating_sub(entry.last_timestamp) < expiration_ms
        });
    }

    /// Forgets everything: the log begins anew at `offset`.
    pub(crate) fn reset(&mut self, offset: Offset) {
        self.producers.clear();
        self.transactions.clear();
        self.end_offset = offset;
    }

    fn duplicate_of(&self, batch: &AppendedBatch, origin: AppendOrigin) -> Option<BatchMetadata> {
        let from_client = matches!(origin, AppendOrigin::Client { .. });
        self.producers.get(&batch.header.producer_id).filter(|_| from_client)?.duplicate_of(&batch.header)
    }
}

impl ProducerUpdates {
    fn take_in(
        &mut self,
        batch: &AppendedBatch,
        origin: AppendOrigin,
        known: &HashMap<i64, ProducerEntry>,
    ) -> Result<(), ProducerError> {
        let producer_id = batch.header.producer_id;
        let entry = self.entry_of(producer_id, known);
        if let Some(marker) = batch.marker {
            let completed = entry.append_marker(&batch.header, marker, origin)?;
            self.completed.extend(completed);
        } else if !batch.header.is_control() && entry.append_data(&batch.header, origin)? {
            self.started.push((batch.header.base_offset, producer_id));
        }
        Ok(())
    }

    fn entry_of(&mut self, producer_id: i64, known: &HashMap<i64, ProducerEntry>) -> &mut ProducerEntry {
        let position = self.entries.iter().position(|(id, _)| *id == producer_id);
        let position = position.unwrap_or_else(|| {
            self.entries.push((producer_id, known.get(&producer_id).cloned().unwrap_or_default()));
            self.entries.len() - 1
        });
        &mut self.entries[position].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::producer::sample::header;
    use protocol::records::NO_SEQUENCE;

    const CLIENT: AppendOrigin = AppendOrigin::Client { begins_at_zero: false };

    /// A batch of producer 1 with two records.
    fn batch(base_offset: i64, epoch: i16, sequence: i32) -> AppendedBatch {
        AppendedBatch { header: header(base_offset, epoch, sequence), marker: None }
    }

    fn transactional(mut batch: AppendedBatch) -> AppendedBatch {
        batch.header.attributes = batch.header.attributes.with_transactional(true);
        batch
    }

    fn marker(base_offset: i64, epoch: i16, committed: bool) -> AppendedBatch {
        let mut batch = transactional(batch(base_offset, epoch, NO_SEQUENCE));
        batch.header.attributes = batch.header.attributes.with_control(true);
        batch.header.last_offset_delta = 0;
        batch.marker = Some(EndTransactionMarker { committed, coordinator_epoch: 3 });
        batch
    }

    fn append(
        state: &mut ProducerState,
        batch: AppendedBatch,
        origin: AppendOrigin,
    ) -> Result<Option<BatchMetadata>, ProducerError> {
        match state.check(&[batch], origin)? {
            Verdict::Duplicate(original) => Ok(Some(original)),
            Verdict::New(updates) => {
                state.apply(updates, batch.header.next_offset());
                Ok(None)
            }
        }
    }

    fn is_out_of_order(result: Result<Option<BatchMetadata>, ProducerError>) -> bool {
        matches!(result, Err(ProducerError::OutOfOrderSequence { .. }))
    }

    #[test]
    fn a_retry_of_any_of_the_last_five_batches_gets_its_first_offsets() {
        let mut state = ProducerState::default();
        for n in 0..6 {
            assert_eq!(append(&mut state, batch(100 + 2 * n, 0, 2 * n as i32), CLIENT), Ok(None));
        }
        for n in 1..6 {
            let original = append(&mut state, batch(900, 0, 2 * n as i32), CLIENT).unwrap().unwrap();
            assert_eq!(original.first_offset(), Offset(100 + 2 * n));
            assert_eq!(original.last_offset, Offset(101 + 2 * n));
        }
        assert!(is_out_of_order(append(&mut state, batch(900, 0, 0), CLIENT)), "the sixth last is forgotten");
    }

    #[test]
    fn sequences_must_follow_each_other_and_wrap_to_zero() {
        let mut state = ProducerState::default();
        assert_eq!(
            append(&mut state, batch(0, 0, i32::MAX - 1), CLIENT),
            Ok(None),
            "any first sequence is taken"
        );
        assert!(is_out_of_order(append(&mut state, batch(2, 0, 1), CLIENT)));
        assert_eq!(append(&mut state, batch(2, 0, 0), CLIENT), Ok(None));
        assert!(is_out_of_order(append(&mut state, batch(4, 0, 3), CLIENT)));
        assert!(is_out_of_order(append(&mut state, batch(4, 1, 2), CLIENT)), "a new epoch begins at 0");
        assert_eq!(append(&mut state, batch(4, 1, 0), CLIENT), Ok(None));
        let late = append(&mut state, batch(6, 0, 2), CLIENT);
        assert!(matches!(late, Err(ProducerError::InvalidProducerEpoch { current_epoch: 1, .. })));
    }

    #[test]
    fn a_batch_may_span_the_largest_sequence_and_is_recognised_all_the_same() {
        let mut state = ProducerState::default();
        assert_eq!(append(&mut state, batch(0, 0, i32::MAX), CLIENT), Ok(None));
        assert_eq!(state.producers()[&1].last_sequence(), 0);
        let original = append(&mut state, batch(9, 0, i32::MAX), CLIENT).unwrap().unwrap();
        assert_eq!(original.first_offset(), Offset(0));
        assert!(is_out_of_order(append(&mut state, batch(2, 0, 0), CLIENT)));
        assert_eq!(append(&mut state, batch(2, 0, 1), CLIENT), Ok(None));
    }

    #[test]
    fn a_producer_of_transactions_v2_without_state_begins_at_zero() {
        let origin = AppendOrigin::Client { begins_at_zero: true };
        assert!(is_out_of_order(append(&mut ProducerState::default(), batch(0, 0, 5), origin)));
        assert_eq!(append(&mut ProducerState::default(), batch(0, 0, 0), origin), Ok(None));
    }

    #[test]
    fn a_failed_append_leaves_no_trace() {
        let state = ProducerState::default();
        assert!(matches!(state.check(&[batch(0, 0, 0)], CLIENT), Ok(Verdict::New(_))));
        assert_eq!(state, ProducerState::default());
        let second_is_wrong = state.check(&[batch(0, 0, 0), batch(2, 0, 9)], CLIENT);
        assert!(matches!(second_is_wrong, Err(ProducerError::OutOfOrderSequence { .. })));
    }

    #[test]
    fn an_open_transaction_holds_the_stable_offset_until_its_marker_is_replicated() {
        let mut state = ProducerState::default();
        append(&mut state, transactional(batch(10, 0, 0)), CLIENT).unwrap();
        append(&mut state, transactional(batch(12, 0, 2)), CLIENT).unwrap();
        assert_eq!(state.first_unstable_offset(Offset(14)), Some(Offset(10)));
        let outside = append(&mut state, batch(14, 0, 4), CLIENT);
        assert_eq!(outside, Err(ProducerError::InvalidTxnState { producer_id: 1 }));
        append(&mut state, marker(14, 0, false), AppendOrigin::Coordinator { transaction_version: 0 })
            .unwrap();
        assert_eq!(state.first_unstable_offset(Offset(14)), Some(Offset(10)), "the marker is not replicated");
        assert_eq!(state.first_unstable_offset(Offset(15)), None);
        state.forget_settled_transactions(Offset(15));
        assert_eq!(append(&mut state, batch(15, 0, 4), CLIENT), Ok(None));
    }

    #[test]
    fn a_late_marker_of_transactions_v2_is_refused_and_a_retried_one_is_not() {
        let mut state = ProducerState::default();
        let coordinator = AppendOrigin::Coordinator { transaction_version: 2 };
        append(&mut state, transactional(batch(0, 4, 0)), CLIENT).unwrap();
        let late = append(&mut state, marker(2, 4, true), coordinator);
        assert!(matches!(late, Err(ProducerError::InvalidProducerEpoch { .. })));
        append(&mut state, marker(2, 5, true), coordinator).unwrap();
        append(&mut state, marker(3, 5, true), coordinator).unwrap();
        assert!(is_out_of_order(append(&mut state, batch(4, 5, 2), CLIENT)), "the new epoch begins at 0");
    }

    #[test]
    fn a_marker_of_a_deposed_coordinator_is_refused() {
        let mut state = ProducerState::default();
        let coordinator = AppendOrigin::Coordinator { transaction_version: 0 };
        append(&mut state, marker(0, 0, true), coordinator).unwrap();
        let mut zombie = marker(1, 0, true);
        zombie.marker = Some(EndTransactionMarker { committed: true, coordinator_epoch: 2 });
        let refused = append(&mut state, zombie, coordinator);
        assert!(matches!(refused, Err(ProducerError::TransactionCoordinatorFenced { .. })));
        assert_eq!(append(&mut state, zombie, AppendOrigin::Replication), Ok(None), "the leader took it");
    }

    #[test]
    fn silent_producers_are_forgotten_unless_their_transaction_is_open() {
        let mut state = ProducerState::default();
        append(&mut state, batch(0, 0, 0), CLIENT).unwrap();
        state.remove_expired(1019, 1000);
        assert_eq!(state.producers().len(), 1);
        state.remove_expired(1020, 1000);
        assert_eq!(state.producers().len(), 0);
        append(&mut state, transactional(batch(2, 0, 0)), CLIENT).unwrap();
        state.remove_expired(9999, 1000);
        assert_eq!(state.producers().len(), 1);
    }
}
