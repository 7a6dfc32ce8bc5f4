//! What the journal's records look like. All numbers are big-endian.
//!
//! ```text
//! record    kind u8 (1 batch, 2 snapshot) | revision i64 | count u32 | count events
//! event     1 u8 | key | value | create_revision i64 | mod_revision i64 | lease i64       put
//!           0 u8 | key                                                                  deleted
//! key, value   length u32 | bytes
//! ```
//! A snapshot is a run of records of kind 2 at the journal's start: the entries at their revision, each as a put.

use bytes::{Buf, BufMut, Bytes};

use super::state::Batch;
use crate::store::{KeyValue, LeaseId, WatchEvent};

const BATCH: u8 = 1;
const SNAPSHOT: u8 = 2;
const PUT: u8 = 1;
const DELETED: u8 = 0;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    Batch(Batch),
    Snapshot(Batch),
}

pub(super) fn encode_batch(batch: &Batch) -> Vec<u8> {
    encode(BATCH, batch)
}

pub(super) fn encode_snapshot(entries: &Batch) -> Vec<u8> {
    encode(SNAPSHOT, entries)
}

fn encode(kind: u8, batch: &Batch) -> Vec<u8> {
    let mut to = Vec::with_capacity(64 * batch.events.len());
    to.put_u8(kind);
    to.put_i64(batch.revision);
    to.put_u32(batch.events.len() as u32);
    for event in &batch.events {
        encode_event(event, &mut to);
    }
    to
}

fn encode_event(event: &WatchEvent, to: &mut Vec<u8>) {
    match event {
        WatchEvent::Put(entry) => {
            to.put_u8(PUT);
            put_bytes(&entry.key, to);
            put_bytes(&entry.value, to);
            to.put_i64(entry.create_revision);
            to.put_i64(entry.mod_revision);
            to.put_i64(entry.lease.0);
        }
        WatchEvent::Deleted { key, .. } => {
            to.put_u8(DELETED);
            put_bytes(key, to);
        }
    }
}

fn put_bytes(bytes: &[u8], to: &mut Vec<u8>) {
    to.put_u32(bytes.len() as u32);
    to.put_slice(bytes);
}

/// `None`: not a record of this release.
pub(super) fn decode(mut from: Bytes) -> Option<Record> {
    let kind = from.try_get_u8().ok()?;
    let revision = from.try_get_i64().ok()?;
    let count = from.try_get_u32().ok()?;
    let events = (0..count).map(|_| event(&mut from, revision)).collect::<Option<Vec<_>>>()?;
    let batch = Batch { revision, events };
    match (kind, from.is_empty()) {
        (BATCH, true) => Some(Record::Batch(batch)),
        (SNAPSHOT, true) => Some(Record::Snapshot(batch)),
        _ => None,
    }
}

fn event(from: &mut Bytes, revision: i64) -> Option<WatchEvent> {
    match from.try_get_u8().ok()? {
        PUT => Some(WatchEvent::Put(KeyValue {
            key: take_bytes(from)?,
            value: take_bytes(from)?,
            create_revision: from.try_get_i64().ok()?,
            mod_revision: from.try_get_i64().ok()?,
            lease: LeaseId(from.try_get_i64().ok()?),
        })),
        DELETED => Some(WatchEvent::Deleted { key: take_bytes(from)?, revision }),
        _ => None,
    }
}

/// A copy: an entry must not hold the whole journal in memory.
fn take_bytes(from: &mut Bytes) -> Option<Bytes> {
    let length = from.try_get_u32().ok()? as usize;
    (length <= from.len()).then(|| Bytes::copy_from_slice(&from.split_to(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_and_a_cut_one_does_not() {
        let entry = KeyValue {
            key: "k".into(),
            value: "value".into(),
            create_revision: 3,
            mod_revision: 9,
            lease: LeaseId(4),
        };
        let deleted = WatchEvent::Deleted { key: "other".into(), revision: 9 };
        let batch = Batch { revision: 9, events: vec![WatchEvent::Put(entry), deleted] };
        let bytes = Bytes::from(encode_batch(&batch));
        assert_eq!(decode(bytes.clone()), Some(Record::Batch(batch)));
        for length in 0..bytes.len() {
            assert_eq!(decode(bytes.slice(..length)), None);
        }
    }
}
