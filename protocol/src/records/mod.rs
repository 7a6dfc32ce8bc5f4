//! Record batches, magic 2: the bytes that producers send, logs hold and consumers read.
//!
//! Owns the layout of a batch and of its records, their checksum and their compression, and the check of what a
//! producer may send. Older magics are refused: Kafka 4 writes none. Files, offsets and time belong to the callers.
//!
//! * `header`, `attributes`: the 61 bytes in front of every batch.
//! * `batch`: a whole batch, and the walk over many.
//! * `record`, `cursor`: the records inside one.
//! * `compression`, `snappy`: the four codecs, bounded.
//! * `builder`, `control`: writing batches, transaction markers among them.
//! * `produce`: what a leader takes from a producer.

mod attributes;
mod batch;
mod builder;
mod compression;
mod control;
mod cursor;
mod error;
mod header;
mod produce;
mod record;
mod snappy;
#[cfg(test)]
mod tests;

pub use attributes::{Attributes, Compression, TimestampType};
pub use batch::{Batches, RecordBatch, batches};
pub use builder::BatchBuilder;
pub use compression::{compress, compress_at, decompress};
pub use control::{ControlRecordType, EndTransactionMarker};
pub use error::{RecordFault, RecordsError};
pub use header::{
    BATCH_HEADER_LENGTH, BatchHeader, LOG_OVERHEAD, MAGIC, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE,
    NO_TIMESTAMP,
};
pub use produce::{
    InvalidBatch, InvalidRecord, RecordRules, validate_produce_batch, validate_produce_records,
};
pub use record::{Header, Record, Records};

/// How many bytes a batch may unpack to where no tighter limit is known: the largest default batch (1 MiB) of text
/// that packs 256 to 1.
pub const DECOMPRESSED_BYTES_MAX: usize = 256 << 20;
