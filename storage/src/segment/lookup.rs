//! Finding the batch that holds an offset: the newest from memory, others by the sparse index and one read.

use protocol::records::BatchHeader;
use protocol::types::Offset;

use super::{BatchAt, BatchScan, Segment, SegmentError};
use crate::failure::IoFailure;

/// How much of a segment a lookup reads at once: as much as lies between two index entries by default.
const LOOKUP_READ_BYTES: usize = 4096;

/// Where a batch lies and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    pub base_offset: Offset,
    pub last_offset: Offset,
    pub position: u64,
    pub size: u64,
}

impl Located {
    pub(super) fn of(header: &BatchHeader, position: u64) -> Located {
        Located {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            position,
            size: header.batch_size() as u64,
        }
    }
}

impl Segment {
    /// The first batch that ends at `offset` or later; `None` if the segment ends before.
    pub(crate) fn locate(&self, offset: Offset) -> Result<Option<Located>, SegmentError> {
        if self.recent.covers(offset) {
            return Ok(self.recent.locate(offset));
        }
        let found = self.find_batch(offset, |batch| batch.header.last_offset() >= offset)?;
        Ok(found.map(|batch| Located::of(&batch.header, batch.position)))
    }

    /// The end of the segment as its bytes say: the offset behind its last batch.
    pub(crate) fn read_next_offset(&self) -> Result<Offset, SegmentError> {
        let mut next_offset = self.base_offset;
        let mut scan = self.scan_from(self.indexed_position(Offset(i64::MAX))?);
        while let Some(batch) = scan.next()? {
            next_offset = batch.header.next_offset();
        }
        Ok(next_offset)
    }

    /// The first batch that satisfies `wanted`, at or behind the one that the index has for `offset`.
    pub(super) fn find_batch(
        &self,
        offset: Offset,
        wanted: impl Fn(&BatchAt) -> bool,
    ) -> Result<Option<BatchAt>, SegmentError> {
        let mut scan = self.scan_from(self.indexed_position(offset)?);
        while let Some(batch) = scan.next()? {
            if wanted(&batch) {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    pub(super) fn scan_from(&self, position: u64) -> BatchScan<'_> {
        BatchScan::new(&self.log, position, self.size, LOOKUP_READ_BYTES)
    }

    /// The largest position in the index that does not lie behind `offset`.
    pub(super) fn indexed_position(&self, offset: Offset) -> Result<u64, IoFailure> {
        self.position_before(offset, 1)
    }

    /// The position so many index entries before `offset`; 0 if there are not as many.
    pub(super) fn position_before(&self, offset: Offset, entries: usize) -> Result<u64, IoFailure> {
        let relative = offset.0.saturating_sub(self.base_offset.0);
        let behind = self.offsets.partition_point(|entry| i64::from(entry.relative_offset) <= relative)?;
        match behind.checked_sub(entries) {
            Some(index) => Ok(self.offsets.get(index)?.position.into()),
            None => Ok(0),
        }
    }
}
