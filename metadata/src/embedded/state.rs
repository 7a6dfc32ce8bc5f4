//! What the store holds, and how a transaction changes it: decided first, applied after it is in the journal. Pure.
//!
//! Invariants: every leased key is listed by its lease; `revision` is that of the last batch; a batch holds each key once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::history::History;
use crate::store::{
    Compare, Found, KeyRange, KeyValue, LeaseId, Operation, Revision, StoreError, TXN_OPERATIONS_MAX,
    WatchEvent,
};

/// All changes of one revision: what the journal keeps, what is applied, and what watchers are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub revision: Revision,
    pub events: Vec<WatchEvent>,
}

struct Lease {
    ttl: Duration,
    /// Since the store was opened.
    expires: Duration,
    keys: BTreeSet<Bytes>,
}

/// The content of a store, its leases and its recent history.
pub struct State {
    revision: Revision,
    entries: BTreeMap<Bytes, KeyValue>,
    leases: BTreeMap<LeaseId, Lease>,
    last_lease: i64,
    pub history: History,
}

impl State {
    /// An empty store stands at revision 1, as etcd's does.
    pub fn new(events_max: usize) -> State {
        State {
            revision: 1,
            entries: BTreeMap::new(),
            leases: BTreeMap::new(),
            last_lease: 0,
            history: History::new(events_max),
        }
    }

    pub fn revision(&self) -> Revision {
        self.revision
    }

    pub fn entries(&self) -> impl Iterator<Item = &KeyValue> {
        self.entries.values()
    }

    pub fn range(&self, range: &KeyRange) -> Found {
        let within = (
            std::ops::Bound::Included(range.start.as_slice()),
            std::ops::Bound::Excluded(range.end.as_slice()),
        );
        let entries = match range.start < range.end {
            true => self.entries.range::<[u8], _>(within).map(|(_, entry)| entry.clone()).collect(),
            false => Vec::new(),
        };
        Found { entries, revision: self.revision }
    }

    /// Takes the entries of a snapshot as they are.
    pub fn restore(&mut self, snapshot: Batch) {
        self.revision = snapshot.revision;
        for event in snapshot.events {
            if let WatchEvent::Put(entry) = event {
                self.entries.insert(entry.key.clone(), entry);
            }
        }
    }

    /// What a transaction would change: `None` if a compare does not hold, and an empty batch if it changes nothing.
    pub fn decide(&self, when: &[Compare], then: Vec<Operation>) -> Result<Option<Batch>, StoreError> {
        self.check(when, &then)?;
        if !when.iter().all(|compare| self.holds(compare)) {
            return Ok(None);
        }
        let revision = self.revision + 1;
        let events = then.into_iter().filter_map(|operation| self.event(operation, revision)).collect();
        Ok(Some(Batch { revision, events }))
    }

    fn check(&self, when: &[Compare], then: &[Operation]) -> Result<(), StoreError> {
        let invalid = |reason: &str| StoreError::Invalid { reason: reason.to_owned() };
        if when.len().max(then.len()) > TXN_OPERATIONS_MAX {
            return Err(invalid("too many operations in a transaction"));
        }
        let mut keys = BTreeSet::new();
        for operation in then {
            if !keys.insert(operation.key()) {
                return Err(invalid("a transaction names a key twice"));
            }
            if let Operation::Put { lease, .. } = operation {
                self.check_lease(*lease)?;
            }
        }
        Ok(())
    }

    fn check_lease(&self, lease: LeaseId) -> Result<(), StoreError> {
        match lease == LeaseId::NONE || self.leases.contains_key(&lease) {
            true => Ok(()),
            false => Err(StoreError::LeaseGone),
        }
    }

    fn holds(&self, compare: &Compare) -> bool {
        match compare {
            Compare::CreateRevision(key, revision) => {
                self.entries.get(key.as_slice()).map_or(0, |entry| entry.create_revision) == *revision
            }
            Compare::ModRevision(key, revision) => {
                self.entries.get(key.as_slice()).map_or(0, |entry| entry.mod_revision) == *revision
            }
        }
    }

    fn event(&self, operation: Operation, revision: Revision) -> Option<WatchEvent> {
        match operation {
            Operation::Put { key, value, lease } => {
                let before = self.entries.get(key.as_slice());
                let create_revision = before.map_or(revision, |entry| entry.create_revision);
                let (key, value) = (key.into(), value.into());
                Some(WatchEvent::Put(KeyValue { key, value, create_revision, mod_revision: revision, lease }))
            }
            Operation::Delete { key } => {
                let (key, _) = self.entries.get_key_value(key.as_slice())?;
                Some(WatchEvent::Deleted { key: key.clone(), revision })
            }
        }
    }

    /// Carries out a decided batch and remembers it for watches.
    pub fn apply(&mut self, batch: Batch) {
        self.revision = batch.revision;
        for event in &batch.events {
            self.forget_lease_of(event.key());
            match event {
                WatchEvent::Put(entry) => self.put(entry.clone()),
                WatchEvent::Deleted { key, .. } => {
                    self.entries.remove(key);
                }
            }
        }
        self.history.push(batch);
    }

    fn put(&mut self, entry: KeyValue) {
        if let Some(lease) = self.leases.get_mut(&entry.lease) {
            lease.keys.insert(entry.key.clone());
        }
        self.entries.insert(entry.key.clone(), entry);
    }

    fn forget_lease_of(&mut self, key: &Bytes) {
        let lease = self.entries.get(key).map_or(LeaseId::NONE, |entry| entry.lease);
        if let Some(lease) = self.leases.get_mut(&lease) {
            lease.keys.remove(key);
        }
    }

    pub fn grant(&mut self, ttl: Duration, now: Duration) -> LeaseId {
        self.last_lease += 1;
        let id = LeaseId(self.last_lease);
        self.leases.insert(id, Lease { ttl, expires: now + ttl, keys: BTreeSet::new() });
        id
    }

    pub fn keep_alive(&mut self, id: LeaseId, now: Duration) -> Result<(), StoreError> {
        let lease = self.leases.get_mut(&id).ok_or(StoreError::LeaseGone)?;
        lease.expires = now + lease.ttl;
        Ok(())
    }

    /// The batch that deletes a lease's keys, empty if it has none. The lease stands until [`State::end_lease`].
    pub fn deletion_of_keys_of(&self, id: LeaseId) -> Result<Batch, StoreError> {
        let lease = self.leases.get(&id).ok_or(StoreError::LeaseGone)?;
        Ok(self.deletion(lease.keys.clone()))
    }

    pub fn end_lease(&mut self, id: LeaseId) {
        self.leases.remove(&id);
    }

    /// Puts off an expiry whose deletion could not be written.
    pub fn postpone_expiry(&mut self, id: LeaseId, until: Duration) {
        if let Some(lease) = self.leases.get_mut(&id) {
            lease.expires = until;
        }
    }

    /// The next lease that expires, and when.
    pub fn next_expiry(&self) -> Option<(LeaseId, Duration)> {
        self.leases.iter().map(|(id, lease)| (*id, lease.expires)).min_by_key(|(_, expires)| *expires)
    }

    /// The batch that deletes what leases of an earlier process left behind.
    pub fn deletion_of_leased_keys(&self) -> Batch {
        let leased = self.entries.values().filter(|entry| entry.lease != LeaseId::NONE);
        self.deletion(leased.map(|entry| entry.key.clone()).collect())
    }

    fn deletion(&self, keys: BTreeSet<Bytes>) -> Batch {
        let revision = self.revision + 1;
        let events = keys.into_iter().map(|key| WatchEvent::Deleted { key, revision }).collect();
        Batch { revision, events }
    }
}
