//! Offsets that were committed inside a transaction which has not ended: nobody may see them, and who insists on stable
//! offsets is told to come again.

use std::collections::{BTreeMap, HashMap};

use super::committed::{CommittedOffset, OffsetKey};

/// The open transactions that have committed offsets here, by producer id.
#[derive(Default)]
pub struct OpenTransactions {
    pending: BTreeMap<i64, HashMap<OffsetKey, CommittedOffset>>,
}

impl OpenTransactions {
    pub fn add(&mut self, producer_id: i64, key: OffsetKey, committed: CommittedOffset) {
        self.pending.entry(producer_id).or_default().insert(key, committed);
    }

    /// The offset was deleted: no transaction may bring it back.
    pub fn forget(&mut self, key: &OffsetKey) {
        self.pending.retain(|_, offsets| {
            offsets.remove(key);
            !offsets.is_empty()
        });
    }

    /// The transaction has ended; what it would have committed is the caller's to apply or to drop.
    pub fn end(&mut self, producer_id: i64) -> HashMap<OffsetKey, CommittedOffset> {
        self.pending.remove(&producer_id).unwrap_or_default()
    }

    pub fn contains(&self, key: &OffsetKey) -> bool {
        self.pending.values().any(|offsets| offsets.contains_key(key))
    }

    pub fn of_group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a OffsetKey> {
        self.pending.values().flat_map(|offsets| offsets.keys()).filter(move |key| &*key.group == group)
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
