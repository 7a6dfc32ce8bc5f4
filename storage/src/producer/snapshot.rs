//! The bytes of a `.snapshot` file: all producers of a log as of the offset in the file's name, big-endian.
//!
//! ```text
//! version i16 (1) | crc32c u32 of what follows | count i32 | count times, 46 bytes each:
//!   producer id i64 | epoch i16 | last sequence i32 | last offset i64 | offset delta i32 | timestamp i64
//!   | coordinator epoch i32 | first offset of the open transaction i64, −1 if there is none
//! ```
//!
//! Of the five batches only the last is kept, as in Kafka; `earlier` finds the others in the log.

use std::collections::{HashMap, VecDeque};

use crc_fast::{CrcAlgorithm, checksum};
use protocol::types::Offset;

use super::entry::{BatchMetadata, ProducerEntry};
use super::state::ProducerState;

const VERSION: i16 = 1;
const ENTRIES_AT: usize = 6;
const ENTRY_BYTES: usize = 46;

/// Why a snapshot is of no use. An older one, and the log itself, make up for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("it has version {0}, where {VERSION} is expected")]
    Version(i16),
    #[error("its checksum does not match")]
    Crc,
    #[error("its length does not fit its count")]
    Length,
}

impl ProducerState {
    /// The bytes of a snapshot of this state.
    pub(crate) fn to_snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENTRIES_AT + 4 + self.producers().len() * ENTRY_BYTES);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&(self.producers().len() as i32).to_be_bytes());
        for (producer_id, entry) in self.producers() {
            put_entry(&mut bytes, *producer_id, entry);
        }
        let crc = crc32c(&bytes[ENTRIES_AT..]);
        bytes[2..ENTRIES_AT].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// The state that a snapshot as of `end_offset` holds.
    pub(crate) fn from_snapshot(bytes: &[u8], end_offset: Offset) -> Result<ProducerState, SnapshotError> {
        let mut fields = Fields(bytes);
        let version = i16::from_be_bytes(fields.take()?);
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        let crc = u32::from_be_bytes(fields.take()?);
        if crc != crc32c(fields.0) {
            return Err(SnapshotError::Crc);
        }
        let count = i32::from_be_bytes(fields.take()?);
        if usize::try_from(count).ok() != Some(fields.0.len() / ENTRY_BYTES)
            || fields.0.len() % ENTRY_BYTES != 0
        {
            return Err(SnapshotError::Length);
        }
        let entries = (0..count).map(|_| take_entry(&mut fields));
        Ok(ProducerState::restored(entries.collect::<Result<HashMap<_, _>, _>>()?, end_offset))
    }
}

fn put_entry(bytes: &mut Vec<u8>, producer_id: i64, entry: &ProducerEntry) {
    let last = entry.batches.back();
    let txn_first_offset = entry.current_txn_first_offset.unwrap_or(Offset::UNKNOWN);
    bytes.extend_from_slice(&producer_id.to_be_bytes());
    bytes.extend_from_slice(&entry.producer_epoch.to_be_bytes());
    bytes.extend_from_slice(&entry.last_sequence().to_be_bytes());
    bytes.extend_from_slice(&last.map_or(Offset::UNKNOWN, |batch| batch.last_offset).0.to_be_bytes());
    bytes.extend_from_slice(&last.map_or(0, |batch| batch.offset_delta).to_be_bytes());
    bytes.extend_from_slice(&entry.last_timestamp.to_be_bytes());
    bytes.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
    bytes.extend_from_slice(&txn_first_offset.0.to_be_bytes());
}

fn take_entry(fields: &mut Fields<'_>) -> Result<(i64, ProducerEntry), SnapshotError> {
    let producer_id = i64::from_be_bytes(fields.take()?);
    let producer_epoch = i16::from_be_bytes(fields.take()?);
    let last_sequence = i32::from_be_bytes(fields.take()?);
    let last_offset = Offset(i64::from_be_bytes(fields.take()?));
    let offset_delta = i32::from_be_bytes(fields.take()?);
    let timestamp = i64::from_be_bytes(fields.take()?);
    let coordinator_epoch = i32::from_be_bytes(fields.take()?);
    let txn_first_offset = Offset(i64::from_be_bytes(fields.take()?));
    let last = BatchMetadata { last_sequence, last_offset, offset_delta, timestamp };
    let entry = ProducerEntry {
        producer_epoch,
        coordinator_epoch,
        last_timestamp: timestamp,
        current_txn_first_offset: Some(txn_first_offset).filter(|offset| offset.0 >= 0),
        batches: Some(last).filter(|batch| batch.last_offset.0 >= 0).into_iter().collect::<VecDeque<_>>(),
    };
    Ok((producer_id, entry))
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let (field, rest) = self.0.split_first_chunk().ok_or(SnapshotError::Length)?;
        self.0 = rest;
        Ok(*field)
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    checksum(CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> ProducerState {
        let last =
            BatchMetadata { last_sequence: 9, last_offset: Offset(41), offset_delta: 3, timestamp: 77 };
        let writing = ProducerEntry {
            producer_epoch: 2,
            coordinator_epoch: 5,
            last_timestamp: 77,
            current_txn_first_offset: Some(Offset(38)),
            batches: VecDeque::from([last]),
        };
        let fenced = ProducerEntry { producer_epoch: 8, last_timestamp: 12, ..ProducerEntry::default() };
        ProducerState::restored(HashMap::from([(1, writing), (2, fenced)]), Offset(42))
    }

    #[test]
    fn a_snapshot_reads_back_with_its_open_transactions() {
        let restored = ProducerState::from_snapshot(&state().to_snapshot(), Offset(42)).unwrap();
        assert_eq!(restored, state());
        assert_eq!(restored.first_unstable_offset(Offset(42)), Some(Offset(38)));
    }

    #[test]
    fn a_damaged_snapshot_is_refused() {
        let whole = state().to_snapshot();
        assert_eq!(whole.len(), ENTRIES_AT + 4 + 2 * ENTRY_BYTES);
        for length in 0..whole.len() {
            assert!(ProducerState::from_snapshot(&whole[..length], Offset(42)).is_err());
        }
        for byte in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[byte] ^= 0x10;
            assert!(ProducerState::from_snapshot(&damaged, Offset(42)).is_err(), "byte {byte}");
        }
    }
}
