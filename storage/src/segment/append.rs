//! Writing batches to a segment, and what must be known of each afterwards.

use std::io::{self, IoSlice};

use protocol::records::BatchHeader;

use super::{MaxTimestamp, Segment};
use crate::failure::IoFailure;
use crate::files::write_all_vectored;
use crate::index::{OffsetEntry, TimeEntry};

/// Why a write failed.
pub(crate) enum WriteFailure {
    /// There was no room, or no descriptor; the segment is as it was before.
    Exhausted(IoFailure),
    /// Nobody knows what the file holds behind `size` now.
    Broken(IoFailure),
}

impl Segment {
    /// Makes ready for a write, so that nothing can fail after it.
    pub(crate) fn warm(&mut self) -> Result<(), IoFailure> {
        self.max_timestamp_entry()?;
        self.offsets.warm()?;
        self.times.warm()
    }

    /// Writes bytes behind the last batch, in one call to the kernel. [`Segment::note_batch`] must follow for each.
    pub(crate) fn write(&mut self, buffers: &mut [IoSlice<'_>]) -> Result<(), WriteFailure> {
        let ready = self.warm().and_then(|()| self.log.pin());
        let file = ready.map_err(|failure| match failure.is_exhaustion() {
            true => WriteFailure::Exhausted(failure),
            false => WriteFailure::Broken(failure),
        })?;
        write_all_vectored(&file, buffers, self.size).map_err(|error| self.undo_write(error))
    }

    /// Takes a batch at the end of a [`warm`](Segment::warm) segment into the indexes: one that was just written, or was
    /// met by recovery.
    pub(crate) fn note_batch(&mut self, header: &BatchHeader, index_interval_bytes: u32) {
        self.note_timestamps(header);
        if self.bytes_since_index_entry > u64::from(index_interval_bytes) {
            let (relative_offset, position) = (self.relative(header.last_offset()), self.size as u32);
            self.offsets.push(OffsetEntry { relative_offset, position });
            self.push_time_entry();
            self.bytes_since_index_entry = 0;
        }
        self.recent.push(header, self.size);
        self.bytes_since_index_entry += header.batch_size() as u64;
        self.size += header.batch_size() as u64;
    }

    /// Keeps the memory of the indexes bounded, by writing from time to time. A full disk only delays it.
    pub(crate) fn make_room(&mut self) -> Result<(), IoFailure> {
        match self.offsets.make_room().and_then(|()| self.times.make_room()) {
            Err(failure) if failure.is_exhaustion() => Ok(()),
            outcome => outcome,
        }
    }

    /// Completes the time index and writes the index entries that are only in memory.
    pub(crate) fn complete_index(&mut self) -> Result<(), IoFailure> {
        self.warm()?;
        self.push_time_entry();
        self.write_pending_index()
    }

    /// Writes the index entries that are only in memory.
    pub(crate) fn write_pending_index(&mut self) -> Result<(), IoFailure> {
        self.offsets.write_pending()?;
        self.times.write_pending()
    }

    /// Nothing will be appended any more: completes the indexes, lets go of memory and of the descriptor.
    pub(crate) fn become_inactive(&mut self) -> Result<(), IoFailure> {
        self.complete_index()?;
        self.offsets.release();
        self.times.release();
        self.recent.clear();
        self.log.unpin();
        Ok(())
    }

    /// Adds the largest timestamp to the time index, unless it is there.
    fn push_time_entry(&mut self) {
        let largest = self.max_timestamp.unwrap_or(MaxTimestamp::none(self.base_offset));
        if largest.timestamp > self.times.last_in_memory().map_or(-1, |last| last.timestamp) {
            let relative_offset = self.relative(largest.offset);
            self.times.push(TimeEntry { timestamp: largest.timestamp, relative_offset });
        }
    }

    fn note_timestamps(&mut self, header: &BatchHeader) {
        if self.size == 0 {
            self.first_timestamp = Some(header.max_timestamp);
        }
        let largest = self.max_timestamp.get_or_insert(MaxTimestamp::none(self.base_offset));
        if header.max_timestamp > largest.timestamp {
            *largest = MaxTimestamp { timestamp: header.max_timestamp, offset: header.last_offset() };
        }
    }

    fn undo_write(&self, source: io::Error) -> WriteFailure {
        let failure = self.log.failure("write to", source);
        match failure.is_disk_full() && self.log.truncate(self.size).is_ok() {
            true => WriteFailure::Exhausted(failure),
            false => WriteFailure::Broken(failure),
        }
    }
}
