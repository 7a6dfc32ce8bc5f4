//! Waiting for the disk: what a flush of a log does when no lock is held.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::types::Offset;

use super::LogError;
use crate::checkpoint::{CheckpointError, LEADER_EPOCHS, leader_epochs_text};
use crate::durable::{Staged, sync_dir, sync_file_system};
use crate::failure::{Described, IoFailure};
use crate::files::{LogHome, SegmentFile};
use crate::leader_epochs::LeaderEpochs;

/// Up to so many logs are synced file by file; more are left to one sync of the file system.
const FEW_LOGS: usize = 8;

/// What is to be brought to the disk.
#[derive(Debug)]
#[must_use = "nothing is durable before `sync`"]
pub struct Flush {
    pub(super) home: Arc<LogHome>,
    pub(super) files: Vec<Arc<SegmentFile>>,
    pub(super) snapshot: Option<PathBuf>,
    pub(super) epochs: Option<LeaderEpochs>,
    pub(super) directory: bool,
    pub(super) done: Flushed,
}

/// A flush whose bytes are on the disk, to be reported to [`Log::finish_flush`](super::Log::finish_flush).
#[derive(Clone, Copy, Debug)]
pub struct Flushed {
    pub(super) upto: Offset,
    pub(super) truncations: u64,
}

impl Flush {
    /// Waits for the disk.
    pub fn sync(self) -> Result<Flushed, LogError> {
        self.files.iter().try_for_each(|file| file.sync())?;
        if let Some(snapshot) = &self.snapshot {
            sync_file(snapshot)?;
        }
        if let Some(staged) = self.stage_epochs()? {
            ignore_missing(staged.sync().and_then(|()| staged.publish()))?;
        }
        if self.directory || self.epochs.is_some() {
            ignore_missing(sync_dir(&self.home.directory()))?;
        }
        Ok(self.done)
    }

    /// Waits for the disk with the flushes of many logs, all in `log_dir`, at once. Their outcomes come in their order.
    pub fn sync_all(flushes: Vec<Flush>, log_dir: &Path) -> Vec<Result<Flushed, LogError>> {
        if flushes.len() <= FEW_LOGS {
            return flushes.into_iter().map(Flush::sync).collect();
        }
        let staged: Vec<_> = flushes.iter().map(Flush::stage_epochs).collect();
        let on_disk = sync_file_system(log_dir);
        let published: Vec<_> = staged.into_iter().map(|staged| publish(staged, &on_disk)).collect();
        let renamed = on_disk.and_then(|()| sync_file_system(log_dir));
        let outcomes = flushes.into_iter().zip(published);
        outcomes.map(|(flush, published)| published.and(Ok(renamed.clone()?)).map(|()| flush.done)).collect()
    }

    /// Writes the leader epochs beside their checkpoint, if they have changed and the log is still there.
    fn stage_epochs(&self) -> Result<Option<Staged>, LogError> {
        let Some(epochs) = &self.epochs else { return Ok(None) };
        let path = self.home.directory().join(LEADER_EPOCHS);
        match Staged::write(&path, leader_epochs_text(epochs.entries()).as_bytes()) {
            Err(failure) if failure.is_not_found() => Ok(None),
            outcome => Ok(Some(outcome.map_err(CheckpointError::Io)?)),
        }
    }
}

fn publish(
    staged: Result<Option<Staged>, LogError>,
    on_disk: &Result<(), IoFailure>,
) -> Result<(), LogError> {
    on_disk.clone()?;
    match staged? {
        Some(staged) => Ok(ignore_missing(staged.publish())?),
        None => Ok(()),
    }
}

fn sync_file(path: &Path) -> Result<(), IoFailure> {
    let file = File::open(path).describe("open", path);
    ignore_missing(file.and_then(|file| file.sync_data().describe("sync", path)))
}

/// What was deleted, or moved with its directory, since the flush began needs no flush.
fn ignore_missing(outcome: Result<(), IoFailure>) -> Result<(), IoFailure> {
    match outcome {
        Err(failure) if failure.is_not_found() => Ok(()),
        outcome => outcome,
    }
}
