//! Control records: what a transaction's coordinator writes into the partitions that the transaction touched.
//!
//! ```text
//! key    version i16 (0), type i16
//! value  of an end marker: version i16 (0), coordinator epoch i32
//! ```
//!
//! Clients never send them and never show them.

use bytes::Bytes;

use super::{BatchBuilder, Record};
use super::{Compression, NO_SEQUENCE, RecordsError};
use crate::types::{LeaderEpoch, Offset};

/// What a control record says; the other types are KRaft's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlRecordType {
    Abort,
    Commit,
    /// A type that is not served here, and skipped.
    Other(i16),
}

impl ControlRecordType {
    /// Reads a control record's key. Later versions only append to it.
    pub fn parse(key: &[u8]) -> Result<ControlRecordType, RecordsError> {
        let Some(&[version_high, version_low, type_high, type_low]) = key.first_chunk() else {
            return Err(RecordsError::Control("its key is shorter than 4 bytes"));
        };
        if i16::from_be_bytes([version_high, version_low]) < 0 {
            return Err(RecordsError::Control("its key has a negative version"));
        }
        Ok(match i16::from_be_bytes([type_high, type_low]) {
            0 => ControlRecordType::Abort,
            1 => ControlRecordType::Commit,
            other => ControlRecordType::Other(other),
        })
    }

    fn id(self) -> i16 {
        match self {
            ControlRecordType::Abort => 0,
            ControlRecordType::Commit => 1,
            ControlRecordType::Other(id) => id,
        }
    }
}

/// The record that ends a transaction in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndTransactionMarker {
    pub committed: bool,
    pub coordinator_epoch: i32,
}

impl EndTransactionMarker {
    /// Reads the record of a control batch; none if it is no end marker.
    pub fn parse(record: &Record) -> Result<Option<EndTransactionMarker>, RecordsError> {
        let committed = match ControlRecordType::parse(record.key.as_deref().unwrap_or_default())? {
            ControlRecordType::Abort => false,
            ControlRecordType::Commit => true,
            ControlRecordType::Other(_) => return Ok(None),
        };
        let value = record.value.as_deref().unwrap_or_default();
        let Some(&[_, _, a, b, c, d]) = value.first_chunk() else {
            return Err(RecordsError::Control("an end marker's value is shorter than 6 bytes"));
        };
        Ok(Some(EndTransactionMarker { committed, coordinator_epoch: i32::from_be_bytes([a, b, c, d]) }))
    }

    /// The control batch that carries the marker.
    pub fn batch(
        self,
        (producer_id, producer_epoch): (i64, i16),
        base_offset: Offset,
        epoch: LeaderEpoch,
        now_ms: i64,
    ) -> Result<Bytes, RecordsError> {
        let mut builder = BatchBuilder::new(Compression::None)
            .base_offset(base_offset)
            .leader_epoch(epoch)
            .producer(producer_id, producer_epoch, NO_SEQUENCE)
            .transactional()
            .control();
        builder.append(now_ms, Some(&self.key()), Some(&self.value()), &[]);
        builder.build()
    }

    fn key(self) -> [u8; 4] {
        let kind = if self.committed { ControlRecordType::Commit } else { ControlRecordType::Abort };
        let [high, low] = kind.id().to_be_bytes();
        [0, 0, high, low]
    }

    fn value(self) -> [u8; 6] {
        let [a, b, c, d] = self.coordinator_epoch.to_be_bytes();
        [0, 0, a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::RecordBatch;

    #[test]
    fn a_marker_reads_back_from_its_batch() {
        for committed in [false, true] {
            let marker = EndTransactionMarker { committed, coordinator_epoch: 9 };
            let bytes = marker.batch((4, 2), Offset(11), LeaderEpoch(1), 5).expect("it builds");
            let batch = RecordBatch::parse(&bytes).expect("a batch");
            assert!(batch.header.is_control() && batch.header.is_transactional());
            assert_eq!(batch.header.last_offset(), Offset(11));
            let record = batch.records(0).expect("plain").next().expect("one record").expect("whole");
            assert_eq!(EndTransactionMarker::parse(&record), Ok(Some(marker)));
        }
    }

    #[test]
    fn a_short_key_is_refused_and_a_foreign_type_is_skipped() {
        assert!(ControlRecordType::parse(&[0, 0, 1]).is_err());
        assert_eq!(ControlRecordType::parse(&[0, 0, 0, 2, 7]), Ok(ControlRecordType::Other(2)));
    }
}
