//! A walk over the batch headers of a segment, with one read for many of them where they are small.

use std::path::PathBuf;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use protocol::records::{BATCH_HEADER_LENGTH, BatchHeader, RecordBatch};

use crate::failure::IoFailure;
use crate::files::SegmentFile;

/// Where the checksum of a batch begins to cover it.
const CRC_COVERS_FROM: u64 = 21;

/// Bytes of a segment that are not the batch that should be there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is damaged at byte {position}: {reason}", path.display())]
pub struct Damage {
    pub path: PathBuf,
    pub position: u64,
    pub reason: String,
}

/// Why a segment could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SegmentError {
    #[error(transparent)]
    Io(#[from] IoFailure),
    #[error(transparent)]
    Damaged(#[from] Damage),
}

/// A batch and where it begins in its segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchAt {
    pub position: u64,
    pub header: BatchHeader,
}

impl BatchAt {
    pub(crate) fn size(&self) -> u64 {
        self.header.batch_size() as u64
    }

    pub(crate) fn end(&self) -> u64 {
        self.position + self.size()
    }
}

/// Goes from batch to batch between two positions of a file.
pub(crate) struct BatchScan<'a> {
    file: &'a SegmentFile,
    position: u64,
    end: u64,
    read_bytes: usize,
    buffer: Vec<u8>,
    buffer_position: u64,
}

impl<'a> BatchScan<'a> {
    /// Begins with the batch at `position`. `read_bytes` are read at a time, beside the bytes of one header.
    pub(crate) fn new(file: &'a SegmentFile, position: u64, end: u64, read_bytes: usize) -> BatchScan<'a> {
        BatchScan { file, position, end, read_bytes, buffer: Vec::new(), buffer_position: 0 }
    }

    /// The next batch; `None` at the end. Its length has been checked against the file, its checksum not.
    pub(crate) fn next(&mut self) -> Result<Option<BatchAt>, SegmentError> {
        let left = self.end.saturating_sub(self.position);
        if left == 0 {
            return Ok(None);
        }
        let position = self.position;
        let header = match BatchHeader::parse(self.bytes_at(position)?) {
            Ok(header) => header,
            Err(error) => return Err(self.damage(position, error.to_string())),
        };
        let batch = BatchAt { position, header };
        if batch.size() > left {
            let reason = format!("a batch of {} bytes begins, and only {left} bytes are there", batch.size());
            return Err(self.damage(position, reason));
        }
        if header.last_offset_delta < 0 {
            return Err(self.damage(position, "the batch ends before it begins".to_owned()));
        }
        self.position = batch.end();
        Ok(Some(batch))
    }

    /// Compares the checksum of a batch that [`BatchScan::next`] has just returned with its bytes.
    pub(crate) fn verify_crc(&mut self, batch: &BatchAt) -> Result<(), SegmentError> {
        let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
        let (mut position, end) = (batch.position + CRC_COVERS_FROM, batch.end());
        while position < end {
            let bytes = self.bytes_at(position)?;
            let covered = bytes.len().min((end - position) as usize);
            digest.update(&bytes[..covered]);
            position += covered as u64;
        }
        let (stored, computed) = (batch.header.crc, digest.finalize() as u32);
        match stored == computed {
            true => Ok(()),
            false => {
                let reason =
                    format!("the batch's checksum is {stored:#010x}, but its bytes have {computed:#010x}");
                Err(self.damage(batch.position, reason))
            }
        }
    }

    /// What lies at `position`: at least a header's length, unless the end comes before.
    fn bytes_at(&mut self, position: u64) -> Result<&[u8], SegmentError> {
        let buffer_end = self.buffer_position + self.buffer.len() as u64;
        let wanted_end = self.end.min(position + BATCH_HEADER_LENGTH as u64);
        if position < self.buffer_position || wanted_end > buffer_end {
            self.refill(position)?;
        }
        Ok(&self.buffer[(position - self.buffer_position) as usize..])
    }

    fn refill(&mut self, position: u64) -> Result<(), SegmentError> {
        let length = (self.end - position).min((self.read_bytes + BATCH_HEADER_LENGTH) as u64);
        self.buffer.resize(length as usize, 0);
        self.buffer_position = position;
        match self.file.read_at(&mut self.buffer, position)? {
            read if read as u64 == length => Ok(()),
            read => {
                Err(self.damage(position, format!("the file ends after {read} of {length} expected bytes")))
            }
        }
    }

    fn damage(&self, position: u64, reason: String) -> SegmentError {
        Damage { path: self.file.path(), position, reason }.into()
    }
}

/// Reads a whole batch, records and all.
pub(crate) fn read_batch(file: &SegmentFile, batch: &BatchAt) -> Result<RecordBatch, SegmentError> {
    let mut bytes = vec![0; batch.size() as usize];
    file.read_exact_at(&mut bytes, batch.position)?;
    RecordBatch::parse(&Bytes::from(bytes)).map_err(|error| {
        Damage { path: file.path(), position: batch.position, reason: error.to_string() }.into()
    })
}
