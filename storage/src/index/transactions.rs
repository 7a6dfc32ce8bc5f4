//! `.txnindex`: the transactions that were aborted by a marker in this segment, in the order of their markers.
//!
//! ```text
//! version i16 (0) | producer id i64 | first offset i64 | last offset i64 | last stable offset i64      34 bytes
//! ```
//!
//! Few transactions abort, so the file is made with its first entry and read whole when a reader asks.

use std::sync::Arc;

use protocol::types::Offset;

use crate::failure::IoFailure;
use crate::files::SegmentFile;

const VERSION: i16 = 0;
const ENTRY_BYTES: usize = 34;

/// A transaction whose records no `read_committed` consumer may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    /// Of the transaction's first record in this partition.
    pub first_offset: Offset,
    /// Of the marker that aborted it.
    pub last_offset: Offset,
    /// As of the marker: everything below had been decided.
    pub last_stable_offset: Offset,
}

#[derive(Clone, Debug)]
pub(crate) struct TransactionIndex {
    file: Arc<SegmentFile>,
    entries: usize,
}

impl TransactionIndex {
    /// Takes the file as it is, if it is there; a torn last entry is ignored and will be written over.
    pub(crate) fn open(file: Arc<SegmentFile>) -> Result<TransactionIndex, IoFailure> {
        let entries = file.length()?.unwrap_or(0) as usize / ENTRY_BYTES;
        Ok(TransactionIndex { file, entries })
    }

    /// The index of a new segment: there is no file yet.
    pub(crate) fn absent(file: Arc<SegmentFile>) -> TransactionIndex {
        TransactionIndex { file, entries: 0 }
    }

    pub(crate) fn file(&self) -> &Arc<SegmentFile> {
        &self.file
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    pub(crate) fn append(&mut self, aborted: AbortedTransaction) -> Result<(), IoFailure> {
        if self.entries == 0 {
            self.file.create()?;
        }
        self.file.write_at(&aborted.encode(), (self.entries * ENTRY_BYTES) as u64)?;
        self.entries += 1;
        Ok(())
    }

    /// Every entry, in order.
    pub(crate) fn read_all(&self) -> Result<Vec<AbortedTransaction>, IoFailure> {
        let mut bytes = vec![0; self.entries * ENTRY_BYTES];
        if !bytes.is_empty() {
            self.file.read_exact_at(&mut bytes, 0)?;
        }
        Ok(bytes.chunks_exact(ENTRY_BYTES).map(AbortedTransaction::decode).collect())
    }

    /// Forgets the transactions that were aborted at `offset` or later.
    pub(crate) fn truncate_to(&mut self, offset: Offset) -> Result<(), IoFailure> {
        if self.entries == 0 {
            return Ok(());
        }
        let kept = self.read_all()?.iter().take_while(|aborted| aborted.last_offset < offset).count();
        self.file.truncate((kept * ENTRY_BYTES) as u64)?;
        self.entries = kept;
        Ok(())
    }
}

impl AbortedTransaction {
    fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..2].copy_from_slice(&VERSION.to_be_bytes());
        let fields = [self.producer_id, self.first_offset.0, self.last_offset.0, self.last_stable_offset.0];
        for (place, field) in bytes[2..].chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> AbortedTransaction {
        let field = |n: usize| i64::from_be_bytes(std::array::from_fn(|i| bytes[2 + n * 8 + i]));
        AbortedTransaction {
            producer_id: field(0),
            first_offset: Offset(field(1)),
            last_offset: Offset(field(2)),
            last_stable_offset: Offset(field(3)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{FileCache, FileKind, FileName, LogHome};

    fn aborted(last_offset: i64) -> AbortedTransaction {
        AbortedTransaction {
            producer_id: 7,
            first_offset: Offset(last_offset - 5),
            last_offset: Offset(last_offset),
            last_stable_offset: Offset(last_offset + 1),
        }
    }

    #[test]
    fn aborted_transactions_read_back_and_are_truncated_by_their_markers() {
        let directory = tempfile::tempdir().unwrap();
        let home = LogHome::new(directory.path().to_owned(), Arc::new(FileCache::default()));
        let file = SegmentFile::new(&home, FileName::of(Offset(0), FileKind::TransactionIndex));
        let mut index = TransactionIndex::open(file.clone()).unwrap();
        index.truncate_to(Offset(0)).unwrap();
        assert!(index.is_empty() && !file.path().exists(), "no file is made for nothing");
        for last_offset in [10, 20, 30] {
            index.append(aborted(last_offset)).unwrap();
        }
        let mut reopened = TransactionIndex::open(file).unwrap();
        assert_eq!(reopened.read_all().unwrap(), [10, 20, 30].map(aborted));
        reopened.truncate_to(Offset(20)).unwrap();
        assert_eq!(reopened.read_all().unwrap(), [aborted(10)]);
        reopened.append(aborted(25)).unwrap();
        assert_eq!(reopened.read_all().unwrap(), [10, 25].map(aborted));
    }
}
