//! Cutting off the end of a segment.

use protocol::types::Offset;

use super::{Segment, SegmentError};
use crate::failure::IoFailure;

impl Segment {
    /// Removes every batch that ends at `offset` or later. Returns the offset behind the last that is left.
    pub(crate) fn truncate_to(&mut self, offset: Offset) -> Result<Offset, SegmentError> {
        if let Some(first_removed) = self.locate(offset)? {
            self.cut(first_removed.position, first_removed.base_offset)?;
            self.reload_max_timestamp()?;
        }
        self.read_next_offset()
    }

    /// Removes all from the batch at `position` on, which begins with `next_offset`.
    pub(crate) fn cut(&mut self, position: u64, next_offset: Offset) -> Result<(), IoFailure> {
        self.log.truncate(position)?;
        self.size = position;
        self.recent.truncate(position);
        let end = next_offset - self.base_offset;
        let kept = self.offsets.partition_point(|entry| i64::from(entry.relative_offset) < end)?;
        self.offsets.truncate(kept)?;
        let kept = self.times.partition_point(|entry| i64::from(entry.relative_offset) < end)?;
        self.times.truncate(kept)?;
        self.transactions.truncate_to(next_offset)?;
        self.bytes_since_index_entry = 0;
        if position == 0 {
            self.first_timestamp = None;
        }
        Ok(())
    }

    /// The time index knows the largest timestamp up to its last entry; the batches behind that are asked.
    fn reload_max_timestamp(&mut self) -> Result<(), SegmentError> {
        self.max_timestamp = None;
        let mut largest = self.max_timestamp_entry()?;
        let mut scan = self.scan_from(self.indexed_position(largest.offset)?);
        while let Some(batch) = scan.next()? {
            if batch.header.max_timestamp > largest.timestamp {
                largest.timestamp = batch.header.max_timestamp;
                largest.offset = batch.header.last_offset();
            }
        }
        drop(scan);
        self.max_timestamp = Some(largest);
        Ok(())
    }
}
