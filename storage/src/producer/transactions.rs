//! Which transactions touch a log and are not settled: nothing past the first of them is stable.

use std::collections::BTreeMap;

use protocol::types::Offset;

use crate::index::AbortedTransaction;

/// A transaction that a marker has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompletedTransaction {
    pub producer_id: i64,
    pub first_offset: Offset,
    /// Of the marker.
    pub last_offset: Offset,
    pub aborted: bool,
}

/// The unsettled transactions of a log, each by the offset of its first record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Transactions {
    /// Open, with their producers.
    ongoing: BTreeMap<Offset, i64>,
    /// Ended by a marker, whose offset is kept until the high watermark has passed it.
    unreplicated: BTreeMap<Offset, Offset>,
}

impl Transactions {
    pub(super) fn begin(&mut self, first_offset: Offset, producer_id: i64) {
        self.ongoing.insert(first_offset, producer_id);
    }

    pub(super) fn complete(&mut self, completed: &CompletedTransaction) {
        self.ongoing.remove(&completed.first_offset);
        self.unreplicated.insert(completed.first_offset, completed.last_offset);
    }

    /// What the transaction index says of an aborted transaction. It is stable up to the next open transaction of
    /// another producer, or to the end of the marker.
    pub(super) fn aborted(&self, completed: &CompletedTransaction) -> AbortedTransaction {
        let mut others =
            self.ongoing.iter().filter(|(_, producer_id)| **producer_id != completed.producer_id);
        AbortedTransaction {
            producer_id: completed.producer_id,
            first_offset: completed.first_offset,
            last_offset: completed.last_offset,
            last_stable_offset: others
                .next()
                .map_or(completed.last_offset + 1, |(first_offset, _)| *first_offset),
        }
    }

    /// The first offset whose fate is open, or decided by a marker that is not replicated yet.
    pub(super) fn first_unstable_offset(&self, high_watermark: Offset) -> Option<Offset> {
        let undecided = self.ongoing.keys().next();
        let unreplicated = self.unreplicated.iter().find(|(_, marker)| **marker >= high_watermark);
        undecided.into_iter().chain(unreplicated.map(|(first_offset, _)| first_offset)).min().copied()
    }

    /// Forgets transactions whose marker lies below `offset`.
    pub(super) fn forget_settled(&mut self, offset: Offset) {
        self.unreplicated.retain(|_, marker| *marker >= offset);
    }

    pub(super) fn clear(&mut self) {
        self.ongoing.clear();
        self.unreplicated.clear();
    }
}
