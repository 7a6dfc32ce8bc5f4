//! A whole batch, and the walk over the batches that lie one after another in a buffer.
//!
//! A [`RecordBatch`] shares the buffer that it was received in. Its header is a copy: a leader changes it (offset,
//! epoch, append time) and writes [`RecordBatch::header`] and [`RecordBatch::payload`] side by side; the records are
//! never moved.

use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest};

use super::header::CRC_COVERS_FROM;
use super::record::Records;
use super::{BATCH_HEADER_LENGTH, BatchHeader, Compression, RecordsError, TimestampType, decompress};

/// One batch whose length has been checked; its checksum and its records have not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBatch {
    pub header: BatchHeader,
    /// What follows the header, packed as the header says. Invariant: `header.batch_size() − 61` bytes.
    payload: Bytes,
}

impl RecordBatch {
    /// The batch at the start of `bytes`, which may go on behind it.
    pub fn parse(bytes: &Bytes) -> Result<RecordBatch, RecordsError> {
        let header = BatchHeader::parse(bytes)?;
        let needed = header.batch_size();
        if bytes.len() < needed {
            return Err(RecordsError::Truncated { needed, available: bytes.len() });
        }
        Ok(RecordBatch { header, payload: bytes.slice(BATCH_HEADER_LENGTH..needed) })
    }

    /// The records as they lie in the batch, packed if it is compressed.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// Bytes of the batch, header included.
    pub fn size_in_bytes(&self) -> usize {
        BATCH_HEADER_LENGTH + self.payload.len()
    }

    /// Compares the checksum with the bytes: one pass over the batch.
    pub fn verify_crc(&self) -> Result<(), RecordsError> {
        let (stored, computed) = (self.header.crc, crc32c(&self.header, &self.payload));
        if stored == computed { Ok(()) } else { Err(RecordsError::Crc { stored, computed }) }
    }

    /// The records, unpacked if need be, to `decompressed_bytes_max` bytes at most.
    pub fn records(&self, decompressed_bytes_max: usize) -> Result<Records, RecordsError> {
        Ok(Records::new(self.header, self.unpacked(decompressed_bytes_max)?))
    }

    /// Gives every record of the batch the time of its append, and the batch a checksum that knows it.
    pub fn stamp_log_append_time(&mut self, now_ms: i64) {
        self.header.attributes = self.header.attributes.with_timestamp_type(TimestampType::LogAppendTime);
        self.header.max_timestamp = now_ms;
        self.header.crc = crc32c(&self.header, &self.payload);
    }

    /// The batch in one piece, copied. Those who can write two pieces take header and payload instead.
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.size_in_bytes());
        bytes.extend_from_slice(&self.header.to_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes.freeze()
    }

    pub(super) fn unpacked(&self, limit: usize) -> Result<Bytes, RecordsError> {
        match self.header.compression() {
            Compression::None => Ok(self.payload.clone()),
            packed => decompress(packed, &self.payload, limit).map(Bytes::from),
        }
    }
}

/// CRC-32C of a batch: of its header from the attributes on, and of its payload.
pub(super) fn crc32c(header: &BatchHeader, payload: &[u8]) -> u32 {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&header.to_bytes()[CRC_COVERS_FROM..]);
    digest.update(payload);
    digest.finalize() as u32
}

/// The batches of a buffer, one after another. Kafka cuts a fetch response where its bytes run out: a reader of
/// responses takes [`RecordsError::Truncated`] for the end; a reader of files takes it for a torn tail.
pub fn batches(bytes: &Bytes) -> Batches {
    Batches { rest: bytes.clone() }
}

/// See [`batches`]. It ends after the first error.
pub struct Batches {
    rest: Bytes,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let batch = RecordBatch::parse(&self.rest);
        self.rest = match &batch {
            Ok(batch) => self.rest.slice(batch.size_in_bytes()..),
            Err(_) => Bytes::new(),
        };
        Some(batch)
    }
}
