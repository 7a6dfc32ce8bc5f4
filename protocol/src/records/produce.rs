//! What a leader takes from a producer, checked in two steps.
//!
//! [`validate_produce_batch`] looks at the header and the checksum: one pass, no allocation. It is all that a topic
//! needs whose records are stored as they come. [`validate_produce_records`] walks over the records, unpacking them
//! if need be: for compacted topics, for bounds on timestamps, and for those who trust nobody.
//! Producer epochs and sequences are the log's to judge, under the partition's lock.

use crate::types::Offset;

use super::record::RawRecords;
use super::{BatchHeader, NO_TIMESTAMP, RecordBatch, RecordsError, TimestampType};

/// Why a producer's batch is not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBatch {
    #[error(transparent)]
    Corrupt(#[from] RecordsError),
    #[error("the batch has {size} bytes, more than max.message.bytes allows: {max}")]
    TooLarge { size: usize, max: usize },
    #[error("the batch begins at offset {0}: a producer leaves offsets to the leader and writes 0")]
    BaseOffset(Offset),
    #[error("the batch counts {records_count} records and spans offset deltas 0 to {last_offset_delta}")]
    OffsetRange { records_count: i32, last_offset_delta: i32 },
    #[error("clients do not write control records")]
    Control,
    #[error("the batch of producer {producer_id} has epoch {producer_epoch} and sequence {base_sequence}")]
    Sequence { producer_id: i64, producer_epoch: i16, base_sequence: i32 },
    #[error("the batch is transactional and names no producer id")]
    TransactionalWithoutProducer,
    #[error("the timestamp type LogAppendTime is the leader's to set")]
    LogAppendTime,
    #[error("{} of the batch's records are invalid; the first: {}", .0.len(), first_text(.0))]
    Records(Vec<InvalidRecord>),
}

/// One record that is not appended, by its index in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecord {
    #[error("record {index} has no key, and the topic is compacted")]
    NullKey { index: i32 },
    #[error("record {index} has offset delta {offset_delta}")]
    OffsetDelta { index: i32, offset_delta: i32 },
    #[error("record {index} has timestamp {timestamp}, outside {earliest} to {latest}")]
    Timestamp { index: i32, timestamp: i64, earliest: i64, latest: i64 },
}

impl InvalidRecord {
    /// Which record it is.
    pub fn index(&self) -> i32 {
        match *self {
            InvalidRecord::NullKey { index }
            | InvalidRecord::OffsetDelta { index, .. }
            | InvalidRecord::Timestamp { index, .. } => index,
        }
    }
}

fn first_text(records: &[InvalidRecord]) -> String {
    records.first().map(InvalidRecord::to_string).unwrap_or_default()
}

/// How many of a batch's invalid records are told to the producer.
const INVALID_RECORDS_MAX: usize = 100;

/// What a topic asks of each record.
#[derive(Clone, Copy, Debug)]
pub struct RecordRules {
    pub compacted: bool,
    /// Milliseconds, inclusive: now − `message.timestamp.before.max.ms`. `i64::MIN` allows everything.
    pub timestamp_earliest: i64,
    /// Milliseconds, inclusive: now + `message.timestamp.after.max.ms`. `i64::MAX` allows everything.
    pub timestamp_latest: i64,
    /// How many bytes the batch may unpack to.
    pub decompressed_bytes_max: usize,
}

/// Checks header and checksum of a producer's batch.
pub fn validate_produce_batch(batch: &RecordBatch, message_bytes_max: usize) -> Result<(), InvalidBatch> {
    let header = &batch.header;
    if header.base_offset != Offset(0) {
        return Err(InvalidBatch::BaseOffset(header.base_offset));
    }
    if batch.size_in_bytes() > message_bytes_max {
        return Err(InvalidBatch::TooLarge { size: batch.size_in_bytes(), max: message_bytes_max });
    }
    batch.verify_crc()?;
    let (records_count, last_offset_delta) = (header.records_count, header.last_offset_delta);
    if records_count <= 0 || records_count - 1 != last_offset_delta {
        return Err(InvalidBatch::OffsetRange { records_count, last_offset_delta });
    }
    if header.is_control() {
        return Err(InvalidBatch::Control);
    }
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return Err(InvalidBatch::LogAppendTime);
    }
    validate_producer(header)
}

fn validate_producer(header: &BatchHeader) -> Result<(), InvalidBatch> {
    let BatchHeader { producer_id, producer_epoch, base_sequence, .. } = *header;
    if header.has_producer_id() && (base_sequence < 0 || producer_epoch < 0) {
        return Err(InvalidBatch::Sequence { producer_id, producer_epoch, base_sequence });
    }
    if header.is_transactional() && !header.has_producer_id() {
        return Err(InvalidBatch::TransactionalWithoutProducer);
    }
    Ok(())
}

/// Checks every record of a producer's batch, and returns the highest timestamp among them.
pub fn validate_produce_records(batch: &RecordBatch, rules: &RecordRules) -> Result<i64, InvalidBatch> {
    let payload = batch.unpacked(rules.decompressed_bytes_max)?;
    let mut records = RawRecords::new(batch.header);
    let mut invalid = Vec::new();
    let mut max_timestamp = NO_TIMESTAMP;
    while let Some(record) = records.next(&payload) {
        let record = record?;
        let timestamp = record.timestamp(&batch.header);
        max_timestamp = max_timestamp.max(timestamp);
        let fault = rules.fault_of(record.index, record.offset_delta, record.key.is_none(), timestamp);
        invalid.extend(fault.filter(|_| invalid.len() < INVALID_RECORDS_MAX));
    }
    if invalid.is_empty() { Ok(max_timestamp) } else { Err(InvalidBatch::Records(invalid)) }
}

impl RecordRules {
    fn fault_of(
        &self,
        index: i32,
        offset_delta: i32,
        null_key: bool,
        timestamp: i64,
    ) -> Option<InvalidRecord> {
        let (earliest, latest) = (self.timestamp_earliest, self.timestamp_latest);
        if offset_delta != index {
            Some(InvalidRecord::OffsetDelta { index, offset_delta })
        } else if self.compacted && null_key {
            Some(InvalidRecord::NullKey { index })
        } else if timestamp != NO_TIMESTAMP && !(earliest..=latest).contains(&timestamp) {
            Some(InvalidRecord::Timestamp { index, timestamp, earliest, latest })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{BatchBuilder, Compression, DECOMPRESSED_BYTES_MAX};

    const MAX: usize = 1 << 20;

    fn batch(change: impl FnOnce(BatchBuilder) -> BatchBuilder) -> RecordBatch {
        let mut builder = change(BatchBuilder::new(Compression::Zstd));
        builder.append(1000, Some(b"key"), Some(b"value"), &[]);
        builder.append(900, None, Some(b"value"), &[]);
        RecordBatch::parse(&builder.build().expect("it builds")).expect("a batch")
    }

    fn rules() -> RecordRules {
        RecordRules {
            compacted: false,
            timestamp_earliest: i64::MIN,
            timestamp_latest: i64::MAX,
            decompressed_bytes_max: DECOMPRESSED_BYTES_MAX,
        }
    }

    #[test]
    fn a_plain_batch_passes_both_checks() {
        let batch = batch(|builder| builder.producer(1, 0, 0));
        assert_eq!(validate_produce_batch(&batch, MAX), Ok(()));
        assert_eq!(validate_produce_records(&batch, &rules()), Ok(1000));
    }

    #[test]
    fn what_a_client_may_not_write_is_refused() {
        let check = |batch: RecordBatch| validate_produce_batch(&batch, MAX);
        assert_eq!(check(batch(BatchBuilder::control)), Err(InvalidBatch::Control));
        assert_eq!(check(batch(|b| b.log_append_time(5))), Err(InvalidBatch::LogAppendTime));
        let base = check(batch(|b| b.base_offset(Offset(3))));
        assert_eq!(base, Err(InvalidBatch::BaseOffset(Offset(3))));
        let sequence = check(batch(|b| b.producer(1, 0, -1)));
        assert!(matches!(sequence, Err(InvalidBatch::Sequence { producer_id: 1, .. })));
        let transactional = check(batch(BatchBuilder::transactional));
        assert_eq!(transactional, Err(InvalidBatch::TransactionalWithoutProducer));
        let large = validate_produce_batch(&batch(|b| b), 61);
        assert!(matches!(large, Err(InvalidBatch::TooLarge { max: 61, .. })));
    }

    #[test]
    fn a_count_that_the_offsets_deny_is_refused() {
        let mut lying = batch(|b| b);
        lying.header.last_offset_delta = 7;
        lying.header.crc = crate::records::batch::crc32c(&lying.header, lying.payload());
        let refused = InvalidBatch::OffsetRange { records_count: 2, last_offset_delta: 7 };
        assert_eq!(validate_produce_batch(&lying, MAX), Err(refused));
    }

    #[test]
    fn null_keys_and_timestamps_out_of_bounds_are_named_by_their_record() {
        let keys = validate_produce_records(&batch(|b| b), &RecordRules { compacted: true, ..rules() });
        assert_eq!(keys, Err(InvalidBatch::Records(vec![InvalidRecord::NullKey { index: 1 }])));
        let bounds = RecordRules { timestamp_latest: 950, ..rules() };
        let late = InvalidRecord::Timestamp { index: 0, timestamp: 1000, earliest: i64::MIN, latest: 950 };
        assert_eq!(validate_produce_records(&batch(|b| b), &bounds), Err(InvalidBatch::Records(vec![late])));
    }
}
