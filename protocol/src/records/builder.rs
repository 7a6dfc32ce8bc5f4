//! Writing a batch: records are laid down as they come, the header is filled in at the end.

use bytes::{BufMut, Bytes, BytesMut};

use crate::types::{LeaderEpoch, Offset};

use super::batch::crc32c;
use super::cursor::{put_varint, put_varlong, varlong_size};
use super::{
    Attributes, BATCH_HEADER_LENGTH, BatchHeader, Compression, Header, LOG_OVERHEAD, NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, RecordsError, TimestampType, compress_at,
};

/// What a null length is written as.
const NULL: i32 = -1;

/// Builds one batch of records whose offsets follow each other without a gap.
#[derive(Debug)]
pub struct BatchBuilder {
    header: BatchHeader,
    /// The codec's own unless set.
    compression_level: Option<i32>,
    /// The header's place, then the records, unpacked.
    bytes: BytesMut,
}

/// An empty batch, uncompressed.
impl Default for BatchBuilder {
    fn default() -> BatchBuilder {
        BatchBuilder::new(Compression::None)
    }
}

impl BatchBuilder {
    /// A batch as a producer sends it: base offset 0, epoch unknown, no producer id.
    pub fn new(compression: Compression) -> BatchBuilder {
        let mut bytes = BytesMut::new();
        bytes.put_bytes(0, BATCH_HEADER_LENGTH);
        let header = BatchHeader {
            base_offset: Offset(0),
            batch_length: 0,
            partition_leader_epoch: LeaderEpoch::UNKNOWN,
            crc: 0,
            attributes: Attributes::default().with_compression(compression),
            last_offset_delta: -1,
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            records_count: 0,
        };
        BatchBuilder { header, compression_level: None, bytes }
    }

    /// How tightly the codec packs; it has a level of its own that holds otherwise.
    #[must_use]
    pub fn compression_level(mut self, level: Option<i32>) -> BatchBuilder {
        self.compression_level = level;
        self
    }

    #[must_use]
    pub fn base_offset(mut self, base_offset: Offset) -> BatchBuilder {
        self.header.base_offset = base_offset;
        self
    }

    #[must_use]
    pub fn leader_epoch(mut self, epoch: LeaderEpoch) -> BatchBuilder {
        self.header.partition_leader_epoch = epoch;
        self
    }

    /// The batch of an idempotent producer; `base_sequence` is [`NO_SEQUENCE`] in a control batch.
    #[must_use]
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> BatchBuilder {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = base_sequence;
        self
    }

    #[must_use]
    pub fn transactional(mut self) -> BatchBuilder {
        self.header.attributes = self.header.attributes.with_transactional(true);
        self
    }

    #[must_use]
    pub fn control(mut self) -> BatchBuilder {
        self.header.attributes = self.header.attributes.with_control(true);
        self
    }

    /// Every record gets this time instead of its own.
    #[must_use]
    pub fn log_append_time(mut self, now_ms: i64) -> BatchBuilder {
        self.header.attributes = self.header.attributes.with_timestamp_type(TimestampType::LogAppendTime);
        self.header.max_timestamp = now_ms;
        self
    }

    /// Adds a record at the next offset. `timestamp` is in milliseconds.
    pub fn append(&mut self, timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header]) {
        if self.header.records_count == 0 {
            self.header.base_timestamp = timestamp;
        }
        if self.header.timestamp_type() == TimestampType::CreateTime {
            self.header.max_timestamp = self.header.max_timestamp.max(timestamp);
        }
        self.header.last_offset_delta += 1;
        self.header.records_count += 1;
        let timestamp_delta = timestamp.wrapping_sub(self.header.base_timestamp);
        put_record(&mut self.bytes, timestamp_delta, self.header.last_offset_delta, key, value, headers);
    }

    /// Records added so far.
    pub fn records_count(&self) -> i32 {
        self.header.records_count
    }

    /// Bytes of the batch as it stands, before compression.
    pub fn size_in_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The most bytes that one more record would add.
    pub fn record_size_max(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header]) -> usize {
        varlong_size(i32::MAX.into()) + body_length(i64::MIN, i32::MAX, key, value, headers)
    }

    /// The finished batch.
    pub fn build(mut self) -> Result<Bytes, RecordsError> {
        self.pack()?;
        let size = self.bytes.len();
        let length =
            i32::try_from(size - LOG_OVERHEAD).map_err(|_| RecordsError::TooLarge { bytes: size })?;
        self.header.batch_length = length;
        self.header.last_offset_delta = self.header.last_offset_delta.max(0);
        self.header.crc = crc32c(&self.header, &self.bytes[BATCH_HEADER_LENGTH..]);
        self.bytes[..BATCH_HEADER_LENGTH].copy_from_slice(&self.header.to_bytes());
        Ok(self.bytes.freeze())
    }

    fn pack(&mut self) -> Result<(), RecordsError> {
        let compression = self.header.compression();
        if compression != Compression::None {
            let records = &self.bytes[BATCH_HEADER_LENGTH..];
            let packed = compress_at(compression, self.compression_level, records)?;
            self.bytes.truncate(BATCH_HEADER_LENGTH);
            self.bytes.extend_from_slice(&packed);
        }
        Ok(())
    }
}

fn put_record(
    out: &mut BytesMut,
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[Header],
) {
    let length = body_length(timestamp_delta, offset_delta, key, value, headers);
    out.reserve(length + varlong_size(length as i64));
    put_varint(out, length as i32);
    out.put_u8(0);
    put_varlong(out, timestamp_delta);
    put_varint(out, offset_delta);
    put_nullable(out, key);
    put_nullable(out, value);
    put_varint(out, headers.len() as i32);
    for header in headers {
        put_nullable(out, Some(&header.key));
        put_nullable(out, header.value.as_deref());
    }
}

fn body_length(
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[Header],
) -> usize {
    let header_length =
        |header: &Header| nullable_size(Some(&header.key)) + nullable_size(header.value.as_deref());
    1 + varlong_size(timestamp_delta)
        + varlong_size(offset_delta.into())
        + nullable_size(key)
        + nullable_size(value)
        + varlong_size(headers.len() as i64)
        + headers.iter().map(header_length).sum::<usize>()
}

fn nullable_size(bytes: Option<&[u8]>) -> usize {
    match bytes {
        Some(bytes) => varlong_size(bytes.len() as i64) + bytes.len(),
        None => varlong_size(NULL.into()),
    }
}

fn put_nullable(out: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_varint(out, bytes.len() as i32);
            out.put_slice(bytes);
        }
        None => put_varint(out, NULL),
    }
}
