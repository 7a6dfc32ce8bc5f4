//! Making a log durable, in three steps, so that nobody waits for the disk with the partition's lock in hand:
//! [`Log::begin_flush`] under the lock, [`Flush::sync`] without it, [`Log::finish_flush`] under it again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::types::Offset;

use super::{Log, LogError, Unsynced};
use crate::checkpoint::{CheckpointError, LEADER_EPOCHS, write_leader_epochs};
use crate::durable::sync_dir;
use crate::failure::{Described, IoFailure};
use crate::files::{LogHome, SegmentFile};
use crate::leader_epochs::LeaderEpochs;

/// What is to be brought to the disk.
#[derive(Debug)]
#[must_use = "nothing is durable before `sync`"]
pub struct Flush {
    home: Arc<LogHome>,
    files: Vec<Arc<SegmentFile>>,
    snapshot: Option<PathBuf>,
    epochs: Option<LeaderEpochs>,
    directory: bool,
    done: Flushed,
}

/// A flush whose bytes are on the disk, to be reported to [`Log::finish_flush`].
#[derive(Clone, Copy, Debug)]
pub struct Flushed {
    upto: Offset,
    truncations: u64,
}

impl Log {
    /// Whether `flush.messages` asks for a flush.
    pub fn is_flush_due(&self) -> bool {
        let unflushed = u64::try_from(self.log_end_offset - self.recovery_point).unwrap_or(0);
        unflushed >= self.config.flush_messages
    }

    /// Gathers what the disk does not have yet; `None` if there is nothing, or if a flush is under way.
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

    /// Flushes everything, so that the next [`Log::open`] may be told that the log is clean.
    pub fn close(mut self) -> Result<Offset, LogError> {
        self.refuse_if_failed()?;
        if !self.written_since_open && !self.unsynced.any() {
            return Ok(self.recovery_point);
        }
        let completed = self.segments.active_mut().complete_index();
        self.watch(completed)?;
        if self.log_end_offset > self.log_start_offset {
            self.take_snapshot()?;
        }
        self.flush_in_flight = false;
        self.flush()?;
        Ok(self.recovery_point)
    }

    fn unflushed_files(&self) -> Vec<Arc<SegmentFile>> {
        let unflushed = self.segments.holding_or_behind(self.recovery_point);
        unflushed.flat_map(|segment| segment.files().map(Arc::clone)).collect()
    }
}

impl Flush {
    /// Waits for the disk. The caller holds no lock.
    pub fn sync(self) -> Result<Flushed, LogError> {
        let directory = self.home.directory();
        self.files.iter().try_for_each(|file| file.sync())?;
        if let Some(snapshot) = &self.snapshot {
            sync_file(snapshot)?;
        }
        if let Some(epochs) = &self.epochs {
            write_epochs(&directory.join(LEADER_EPOCHS), epochs)?;
        }
        if self.directory {
            ignore_missing(sync_dir(&directory))?;
        }
        Ok(self.done)
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

fn sync_file(path: &Path) -> Result<(), IoFailure> {
    let synced =
        File::open(path).describe("open", path).and_then(|file| file.sync_data().describe("sync", path));
    ignore_missing(synced)
}

fn write_epochs(path: &Path, epochs: &LeaderEpochs) -> Result<(), LogError> {
    match write_leader_epochs(path, epochs.entries()) {
        Err(CheckpointError::Io(failure)) if failure.is_not_found() => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// What was deleted, or moved with its directory, since the flush began needs no flush.
fn ignore_missing(outcome: Result<(), IoFailure>) -> Result<(), IoFailure> {
    match outcome {
        Err(failure) if failure.is_not_found() => Ok(()),
        outcome => outcome,
    }
}
