//! Cutting off the end of a log, when the leader's history says otherwise (safety rules 6 and 9).

use protocol::types::Offset;

use super::snapshots::load_producers;
use super::{Log, LogError};
use crate::segment::{Segment, SegmentError};

impl Log {
    /// Removes every batch that ends at `offset` or later. The log then ends behind the last batch that is left: at
    /// `offset`, or below it if that lay within a batch or in a gap between two. The recovery point may have moved back:
    /// the owner checkpoints it before it appends.
    ///
    /// An epoch that this replica began as leader, and lost before it wrote under it, is forgotten even where there are no
    /// batches to remove: its next leader knows nothing of it.
    pub fn truncate_to(&mut self, offset: Offset, now_ms: i64) -> Result<(), LogError> {
        self.refuse_if_failed()?;
        if offset >= self.log_end_offset {
            self.unsynced.epochs |= self.epochs.truncate_from_end(self.log_end_offset);
            return Ok(());
        }
        if offset < self.segments.first().base_offset {
            return self.truncate_fully_and_start_at(offset, now_ms);
        }
        self.truncations += 1;
        self.written_since_open = true;
        let truncated = self.truncate_segments(offset);
        self.log_end_offset = self.watch_segment(truncated)?;
        self.log_start_offset = self.log_start_offset.min(self.log_end_offset);
        self.recovery_point = self.recovery_point.min(self.log_end_offset);
        self.first_gap = self.first_gap.filter(|&gap| gap < self.log_end_offset);
        self.unsynced.epochs |= self.epochs.truncate_from_end(self.log_end_offset);
        let reloaded = self.reload_producers();
        self.watch_segment(reloaded)?;
        self.debug_assert_invariants();
        Ok(())
    }

    /// Removes everything; the next record gets `offset`.
    pub fn truncate_fully_and_start_at(&mut self, offset: Offset, now_ms: i64) -> Result<(), LogError> {
        self.refuse_if_failed()?;
        self.truncations += 1;
        self.written_since_open = true;
        let restarted = self.restart_at(offset, now_ms);
        self.watch(restarted)?;
        self.unsynced.directory = true;
        self.epochs.clear();
        self.unsynced.epochs = true;
        self.producers.reset(offset);
        self.log_start_offset = offset;
        self.log_end_offset = offset;
        self.recovery_point = offset;
        self.first_gap = None;
        self.debug_assert_invariants();
        Ok(())
    }

    fn truncate_segments(&mut self, offset: Offset) -> Result<Offset, SegmentError> {
        for removed in self.segments.remove_behind(offset) {
            self.deleted.remove_now(&removed)?;
        }
        self.unsynced.directory = true;
        self.segments.active_mut().truncate_to(offset)
    }

    fn reload_producers(&mut self) -> Result<(), SegmentError> {
        self.snapshots.remove_above(self.log_end_offset)?;
        let (start, end) = (self.segments.first().base_offset, self.log_end_offset);
        let segments = self.segments.iter();
        self.producers = load_producers(&mut self.snapshots, segments, start, end)?;
        Ok(())
    }

    fn restart_at(&mut self, offset: Offset, now_ms: i64) -> Result<(), crate::failure::IoFailure> {
        for segment in self.segments.iter() {
            self.deleted.remove_now(segment)?;
        }
        self.snapshots.remove_above(Offset::UNKNOWN)?;
        let segment = Segment::create(&self.home, offset, now_ms)?;
        self.segments.replace_all(segment);
        Ok(())
    }

    /// Damage met while the log is being cut is an error of this log, not of the disk.
    pub(super) fn watch_segment<T>(&mut self, outcome: Result<T, SegmentError>) -> Result<T, LogError> {
        match outcome {
            Err(SegmentError::Io(failure)) => self.watch(Err(failure)),
            outcome => Ok(outcome?),
        }
    }
}
