//! Making a log durable, in three steps, so that nobody waits for the disk with the partition's lock in hand:
//! [`Log::begin_flush`] under the lock, [`Flush::sync`] without it, [`Log::finish_flush`] under it again.

use std::sync::Arc;

use protocol::types::Offset;

use super::sync::{Flush, Flushed};
use super::{Log, LogError, Unsynced};
use crate::checkpoint::CheckpointError;
use crate::files::SegmentFile;

impl Log {
    /// Whether `flush.messages` asks for a flush.
    pub fn is_flush_due(&self) -> bool {
        let unflushed = u64::try_from(self.log_end_offset - self.recovery_point).unwrap_or(0);
        unflushed >= self.config.flush_messages
    }

    /// Whether `flush.ms` asks for a flush, or `flush.messages`.
    pub fn is_flush_due_by(&self, now_ms: i64) -> bool {
        let waited_ms = self.unflushed_since_ms.map(|since| now_ms.saturating_sub(since));
        let limit_ms = self.config.flush_time.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        let waited_long = matches!((waited_ms, limit_ms), (Some(waited), Some(limit)) if waited >= limit);
        waited_long || self.is_flush_due()
    }

    /// Gathers what the disk does not have yet; `None` if there is nothing, or if a flush is under way. Whatever comes of
    /// it must be told to [`Log::finish_flush`].
    pub fn begin_flush(&mut self) -> Result<Option<Flush>, LogError> {
        self.refuse_if_failed()?;
        let clean = self.recovery_point == self.log_end_offset && !self.unsynced.any();
        if clean || self.flush_in_flight {
            return Ok(None);
        }
        let written = self.segments.active_mut().write_pending_index();
        self.watch(written)?;
        self.flush_in_flight = true;
        let unsynced = std::mem::take(&mut self.unsynced);
        Ok(Some(Flush {
            home: self.home.clone(),
            files: self.unflushed_files(),
            snapshot: self.snapshots.newest().filter(|_| unsynced.snapshot),
            epochs: unsynced.epochs.then(|| self.epochs.clone()),
            directory: unsynced.directory || unsynced.snapshot,
            done: Flushed { upto: self.log_end_offset, truncations: self.truncations },
        }))
    }

    /// Takes the outcome of a flush in. If it failed the log takes no more writes.
    pub fn finish_flush(&mut self, outcome: Result<Flushed, LogError>) -> Result<(), LogError> {
        self.flush_in_flight = false;
        match outcome {
            Ok(flushed) if flushed.truncations == self.truncations => {
                self.recovery_point = self.recovery_point.max(flushed.upto);
                self.unflushed_since_ms.take_if(|_| self.recovery_point == self.log_end_offset);
                Ok(())
            }
            Ok(_) => {
                self.unsynced.epochs = true;
                Ok(())
            }
            Err(error) => {
                self.failed |= !is_harmless(&error);
                self.unsynced = Unsynced { epochs: true, directory: true, snapshot: true };
                Err(error)
            }
        }
    }

    /// All three steps at once.
    pub fn flush(&mut self) -> Result<(), LogError> {
        match self.begin_flush()? {
            Some(flush) => self.finish_flush(flush.sync()),
            None => Ok(()),
        }
    }

    /// Prepares the last flush. Once it is on the disk, and if nothing is appended meanwhile, the next [`Log::open`] may
    /// be told that the log is clean, and that the log end offset is its recovery point. `None` if that is so already.
    pub fn begin_close(&mut self) -> Result<Option<Flush>, LogError> {
        self.refuse_if_failed()?;
        if !self.written_since_open && !self.unsynced.any() {
            return Ok(None);
        }
        let completed = self.segments.active_mut().complete_index();
        self.watch(completed)?;
        self.give_back_room()?;
        if self.log_end_offset > self.log_start_offset {
            self.take_snapshot()?;
        }
        self.flush_in_flight = false;
        self.begin_flush()
    }

    /// Closes the log by itself, and returns its recovery point. Where many are to be closed, [`Log::begin_close`] and
    /// [`Flush::sync_all`] spare the disk.
    pub fn close(mut self) -> Result<Offset, LogError> {
        if let Some(flush) = self.begin_close()? {
            self.finish_flush(flush.sync())?;
        }
        Ok(self.recovery_point)
    }

    fn unflushed_files(&self) -> Vec<Arc<SegmentFile>> {
        let unflushed = self.segments.holding_or_behind(self.recovery_point);
        unflushed.flat_map(|segment| segment.files().map(Arc::clone)).collect()
    }
}

impl Unsynced {
    fn any(self) -> bool {
        self.epochs || self.directory || self.snapshot
    }
}

/// What ran out may come back, and nothing was lost: the checkpoint is as it was, and what could not be opened was
/// written. An fsync that failed is another matter, whatever its reason.
fn is_harmless(error: &LogError) -> bool {
    match error {
        LogError::Checkpoint(CheckpointError::Io(failure)) => failure.is_exhaustion(),
        LogError::Io(failure) => failure.is_out_of_descriptors(),
        LogError::Checkpoint(CheckpointError::Malformed { .. }) | LogError::Failed | LogError::Damaged(_) => {
            false
        }
    }
}
