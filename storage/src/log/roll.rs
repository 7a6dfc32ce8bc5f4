//! Closing the active segment and beginning the next.

use std::hash::{DefaultHasher, Hash, Hasher};

use protocol::types::Offset;

use super::{AppendError, Log, LogError};
use crate::producer::AppendedBatch;
use crate::segment::{MAX_RELATIVE_OFFSET, Segment};

impl Log {
    /// Begins a new segment if the active one has no room for the batches, or is old enough. It begins where the old one
    /// ended, though compaction may have left a gap before the batches: recovery reports a gap between segments as a loss.
    pub(super) fn roll_if_due(&mut self, appended: &[AppendedBatch], now_ms: i64) -> Result<(), AppendError> {
        let (Some(first), Some(last)) = (appended.first(), appended.last()) else { return Ok(()) };
        let bytes: u64 = appended.iter().map(|batch| batch.header.batch_size() as u64).sum();
        let newest = appended.iter().map(|batch| batch.header.max_timestamp).max().unwrap_or(-1);
        let out_of_reach = !self.segments.active().can_hold(last.header.last_offset());
        if out_of_reach || self.is_full_for(bytes) || self.is_old_enough(newest, now_ms)? {
            let in_reach = last.header.last_offset() - self.log_end_offset <= MAX_RELATIVE_OFFSET;
            let base_offset = if in_reach { self.log_end_offset } else { first.header.base_offset };
            self.roll(base_offset, now_ms)?;
        }
        Ok(())
    }

    /// Begins a new segment.
    pub(super) fn roll(&mut self, base_offset: Offset, now_ms: i64) -> Result<(), LogError> {
        let created = Segment::create(&self.home, base_offset, now_ms);
        let segment = self.watch(created)?;
        self.give_back_room()?;
        let closed = self.segments.active_mut().become_inactive();
        if let Err(failure) = closed {
            for file in segment.files() {
                let _ = file.remove();
            }
            return self.watch(Err(failure));
        }
        self.unsynced.directory = true;
        self.producers.advance_end_offset(base_offset);
        self.log_end_offset = base_offset;
        self.segments.roll(segment);
        self.reserve_room();
        self.take_snapshot()
    }

    /// Where `preallocate` says so the active segment has room on the disk for its whole size; its file is as long as what is
    /// written all the same. Without that room it grows as others do.
    pub(super) fn reserve_room(&mut self) {
        if self.config.preallocate {
            let reserved = self.segments.active().reserve(self.config.segment_bytes.into());
            if let Err(failure) = reserved {
                tracing::warn!("preallocate: {failure}");
            }
        }
    }

    /// Of what was reserved only what was written is kept.
    pub(super) fn give_back_room(&mut self) -> Result<(), LogError> {
        let given_back = if self.config.preallocate { self.segments.active().give_back() } else { Ok(()) };
        self.watch(given_back)
    }

    fn is_full_for(&self, bytes: u64) -> bool {
        let active = self.segments.active();
        let room = u64::from(self.config.segment_bytes).saturating_sub(active.size);
        active.size > 0 && (bytes > room || active.has_full_index(&self.config))
    }

    fn is_old_enough(&mut self, newest_timestamp: i64, now_ms: i64) -> Result<bool, LogError> {
        let jitter_ms = self.jitter_ms();
        let segment_ms = i64::try_from(self.config.segment_time.as_millis()).unwrap_or(i64::MAX);
        let active = self.segments.active_mut();
        Ok(active.size > 0 && active.waited_ms(newest_timestamp, now_ms)? > segment_ms - jitter_ms)
    }

    /// The same for a segment at every question, and spread evenly over segments.
    fn jitter_ms(&self) -> i64 {
        let most = self.config.segment_jitter.min(self.config.segment_time).as_millis();
        if most == 0 {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        (self.home.directory(), self.segments.active().base_offset.0).hash(&mut hasher);
        (u128::from(hasher.finish()) % most) as i64
    }
}
