//! What can be wrong with the bytes of a batch. Offsets into the batch are left to the caller, who knows the file.

use super::Compression;

/// Bytes that are no record batch of magic 2, or one that was damaged. Kafka's CORRUPT_MESSAGE.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    #[error("a record batch of {needed} bytes begins, but only {available} bytes are there")]
    Truncated { needed: usize, available: usize },
    #[error("the batch names a length of {length} bytes, less than its header has")]
    BatchLength { length: i32 },
    #[error("record batches of magic 2 are served, and this one has magic {magic}")]
    Magic { magic: i8 },
    #[error("compression type {id} is unknown: 0 (none) to 4 (zstd) are known")]
    UnknownCompression { id: u8 },
    #[error("the batch's checksum is {stored:#010x}, but its bytes have {computed:#010x}")]
    Crc { stored: u32, computed: u32 },
    #[error("record {index} of the batch is malformed: {fault}")]
    Record { index: i32, fault: RecordFault },
    #[error("{bytes} bytes follow the {records} records that the batch counts")]
    BytesLeftOver { records: i32, bytes: usize },
    #[error("the batch counts {records} records")]
    RecordsCount { records: i32 },
    #[error("the batch does not unpack as {compression}: {reason}")]
    Decompress { compression: Compression, reason: String },
    #[error("the batch unpacks to more than the allowed {limit} bytes of {compression}")]
    DecompressedTooLarge { compression: Compression, limit: usize },
    #[error("the batch does not pack as {compression}: {reason}")]
    Compress { compression: Compression, reason: String },
    #[error("a batch of {bytes} bytes does not fit the 31 bits of its length")]
    TooLarge { bytes: usize },
    #[error("a control record is malformed: {0}")]
    Control(&'static str),
}

/// What is wrong inside one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    #[error("it ends within a field")]
    Truncated,
    #[error("a variable-length number has too many bytes")]
    Varint,
    #[error("its length is negative")]
    NegativeLength,
    #[error("a header's key is null")]
    NullHeaderKey,
    #[error("it counts more headers than its bytes can hold, or fewer than none")]
    HeaderCount,
    #[error("its length and its fields disagree")]
    Length,
}

impl RecordFault {
    pub(super) fn at(self, index: i32) -> RecordsError {
        RecordsError::Record { index, fault: self }
    }
}
