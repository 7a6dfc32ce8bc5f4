//! The 61 bytes in front of every record batch of magic 2, big-endian.
//!
//! ```text
//!  0        base_offset             i64   assigned by the leader
//!  8        batch_length            i32   bytes that follow this field
//! 12        partition_leader_epoch  i32   assigned by the leader
//! 16        magic                   i8    2
//! 17        crc                     u32   CRC-32C of all that follows, from the attributes to the last record
//! 21        attributes              i16   see `attributes`
//! 23        last_offset_delta       i32   last offset − base offset, kept by compaction
//! 27        base_timestamp          i64   ms; of the first record, or the delete horizon
//! 35        max_timestamp           i64   ms; of the append for LogAppendTime
//! 43        producer_id             i64   −1: none
//! 51        producer_epoch          i16   −1: none
//! 53        base_sequence           i32   −1: none
//! 57        records_count           i32
//! 61        records, packed together if the attributes say so
//! ```
//!
//! The checksum spares what a leader assigns, so that an append patches base offset and epoch and copies nothing.
//! A parsed header has magic 2, a length that holds the header, and a known compression; its counts, deltas and
//! timestamps are the sender's and may be anything.

use crate::types::{LeaderEpoch, Offset};

use super::{Attributes, Compression, RecordsError, TimestampType};

/// Bytes of a batch's header.
pub const BATCH_HEADER_LENGTH: usize = 61;
/// Bytes in front of what `batch_length` counts: base offset and the length itself.
pub const LOG_OVERHEAD: usize = 12;
/// Where the bytes begin that the checksum covers.
pub(super) const CRC_COVERS_FROM: usize = 21;
/// The only magic that is served.
pub const MAGIC: i8 = 2;
/// Where no timestamp is known.
pub const NO_TIMESTAMP: i64 = -1;
/// The producer id of a producer that is not idempotent.
pub const NO_PRODUCER_ID: i64 = -1;
/// The producer epoch of a producer that is not idempotent.
pub const NO_PRODUCER_EPOCH: i16 = -1;
/// The sequence of a batch that is not idempotent, control batches among them.
pub const NO_SEQUENCE: i32 = -1;

/// The header of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: Offset,
    /// Bytes after the length field: the whole batch but for [`LOG_OVERHEAD`].
    pub batch_length: i32,
    pub partition_leader_epoch: LeaderEpoch,
    pub crc: u32,
    pub attributes: Attributes,
    pub last_offset_delta: i32,
    /// Milliseconds since 1970.
    pub base_timestamp: i64,
    /// Milliseconds since 1970.
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads a header from the first 61 bytes; what follows them is not looked at.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, RecordsError> {
        let Some(bytes) = bytes.first_chunk::<BATCH_HEADER_LENGTH>() else {
            return Err(RecordsError::Truncated { needed: BATCH_HEADER_LENGTH, available: bytes.len() });
        };
        let magic = i8::from_be_bytes(field(bytes, 16));
        if magic != MAGIC {
            return Err(RecordsError::Magic { magic });
        }
        let header = BatchHeader {
            base_offset: Offset(i64::from_be_bytes(field(bytes, 0))),
            batch_length: i32::from_be_bytes(field(bytes, 8)),
            partition_leader_epoch: LeaderEpoch(i32::from_be_bytes(field(bytes, 12))),
            crc: u32::from_be_bytes(field(bytes, 17)),
            attributes: Attributes::from_bits(i16::from_be_bytes(field(bytes, 21)))?,
            last_offset_delta: i32::from_be_bytes(field(bytes, 23)),
            base_timestamp: i64::from_be_bytes(field(bytes, 27)),
            max_timestamp: i64::from_be_bytes(field(bytes, 35)),
            producer_id: i64::from_be_bytes(field(bytes, 43)),
            producer_epoch: i16::from_be_bytes(field(bytes, 51)),
            base_sequence: i32::from_be_bytes(field(bytes, 53)),
            records_count: i32::from_be_bytes(field(bytes, 57)),
        };
        match header.size_in_bytes() {
            Some(_) => Ok(header),
            None => Err(RecordsError::BatchLength { length: header.batch_length }),
        }
    }

    /// The header's bytes: [`BatchHeader::parse`] reads them back.
    pub fn to_bytes(&self) -> [u8; BATCH_HEADER_LENGTH] {
        let mut bytes = [0; BATCH_HEADER_LENGTH];
        put(&mut bytes, 0, self.base_offset.0.to_be_bytes());
        put(&mut bytes, 8, self.batch_length.to_be_bytes());
        put(&mut bytes, 12, self.partition_leader_epoch.0.to_be_bytes());
        put(&mut bytes, 16, MAGIC.to_be_bytes());
        put(&mut bytes, 17, self.crc.to_be_bytes());
        put(&mut bytes, 21, self.attributes.bits().to_be_bytes());
        put(&mut bytes, 23, self.last_offset_delta.to_be_bytes());
        put(&mut bytes, 27, self.base_timestamp.to_be_bytes());
        put(&mut bytes, 35, self.max_timestamp.to_be_bytes());
        put(&mut bytes, 43, self.producer_id.to_be_bytes());
        put(&mut bytes, 51, self.producer_epoch.to_be_bytes());
        put(&mut bytes, 53, self.base_sequence.to_be_bytes());
        put(&mut bytes, 57, self.records_count.to_be_bytes());
        bytes
    }

    /// Bytes of the whole batch, header included; none if the length cannot hold the header.
    fn size_in_bytes(&self) -> Option<usize> {
        let size = usize::try_from(self.batch_length).ok()?.checked_add(LOG_OVERHEAD)?;
        (size >= BATCH_HEADER_LENGTH).then_some(size)
    }

    /// Bytes of the whole batch, header included.
    pub fn batch_size(&self) -> usize {
        self.size_in_bytes().unwrap_or(BATCH_HEADER_LENGTH)
    }

    /// The offset of the batch's last record, kept even where compaction took that record away.
    pub fn last_offset(&self) -> Offset {
        Offset(self.base_offset.0.saturating_add(self.last_offset_delta.into()))
    }

    /// The first offset after the batch.
    pub fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    pub fn compression(&self) -> Compression {
        self.attributes.compression()
    }

    pub fn timestamp_type(&self) -> TimestampType {
        self.attributes.timestamp_type()
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes.is_transactional()
    }

    pub fn is_control(&self) -> bool {
        self.attributes.is_control()
    }

    /// Whether an idempotent producer, or a transaction's coordinator, wrote it.
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    /// The sequence of the last record; sequences wrap to 0 after 2³¹ − 1.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence == NO_SEQUENCE {
            return NO_SEQUENCE;
        }
        self.base_sequence.wrapping_add(self.last_offset_delta) & i32::MAX
    }

    /// When the cleaner may drop the batch's tombstones and markers, if it has set that time.
    pub fn delete_horizon(&self) -> Option<i64> {
        self.attributes.has_delete_horizon().then_some(self.base_timestamp)
    }
}

fn field<const N: usize>(bytes: &[u8; BATCH_HEADER_LENGTH], at: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[at + i])
}

fn put<const N: usize>(bytes: &mut [u8; BATCH_HEADER_LENGTH], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn sample() -> BatchHeader {
        BatchHeader {
            base_offset: Offset(7),
            batch_length: 100,
            partition_leader_epoch: LeaderEpoch(3),
            crc: 0xdead_beef,
            attributes: Attributes::default().with_compression(Compression::Lz4),
            last_offset_delta: 4,
            base_timestamp: 1_700_000_000_000,
            max_timestamp: 1_700_000_000_009,
            producer_id: 42,
            producer_epoch: 5,
            base_sequence: i32::MAX - 1,
            records_count: 5,
        }
    }

    #[test]
    fn a_header_reads_back_what_it_wrote() {
        assert_eq!(BatchHeader::parse(&sample().to_bytes()), Ok(sample()));
    }

    #[test]
    fn a_header_that_is_cut_short_or_of_another_magic_or_length_is_refused() {
        let mut bytes = sample().to_bytes();
        let cut = BatchHeader::parse(&bytes[..60]);
        assert_eq!(cut, Err(RecordsError::Truncated { needed: 61, available: 60 }));
        bytes[16] = 1;
        assert_eq!(BatchHeader::parse(&bytes), Err(RecordsError::Magic { magic: 1 }));
        let short = BatchHeader { batch_length: 48, ..sample() };
        assert_eq!(BatchHeader::parse(&short.to_bytes()), Err(RecordsError::BatchLength { length: 48 }));
    }

    #[test]
    fn sequences_wrap_to_zero() {
        assert_eq!(sample().last_sequence(), 2);
        let none = BatchHeader { base_sequence: NO_SEQUENCE, ..sample() };
        assert_eq!(none.last_sequence(), NO_SEQUENCE);
    }

    #[test]
    fn offsets_at_the_end_of_their_range_do_not_overflow() {
        let far = BatchHeader { base_offset: Offset(i64::MAX), ..sample() };
        assert_eq!(far.next_offset(), Offset(i64::MAX));
    }
}
