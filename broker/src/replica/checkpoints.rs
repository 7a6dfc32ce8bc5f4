//! The offset checkpoints of one log directory: what was found at the start, and what stands in the files now.
//!
//! Invariant: whoever rewrites a file holds it from before he looks at replicas until it is replaced. A replica that is
//! forgotten meanwhile is taken out after him, and stays out.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use protocol::types::Offset;
use storage::TopicPartition;
use storage::checkpoint::{
    CheckpointError, HIGH_WATERMARKS, LOG_START_OFFSETS, OffsetCheckpoint, RECOVERY_POINTS,
};
use storage::log::LogError;
use storage::log_dir::LogDir;

use super::errors::PartitionError;
use super::log_dirs::ReplicaDir;

/// Checkpoints by the names of their files.
type ByName = BTreeMap<&'static str, OffsetCheckpoint>;

pub(super) struct Checkpoints {
    /// What was found at the start, of replicas that are still the same.
    found: Mutex<ByName>,
    /// What stands in the files, so that only changes are written.
    written: Mutex<ByName>,
}

impl Checkpoints {
    pub fn read(dir: &LogDir) -> Result<Checkpoints, CheckpointError> {
        let mut found = ByName::new();
        for name in [RECOVERY_POINTS, HIGH_WATERMARKS, LOG_START_OFFSETS] {
            found.insert(name, dir.read_checkpoint(name)?);
        }
        Ok(Checkpoints { written: Mutex::new(found.clone()), found: Mutex::new(found) })
    }
}

impl ReplicaDir {
    /// What was found for a replica in the checkpoint file of this name.
    pub(super) fn found(&self, name: &str, at: &TopicPartition) -> Option<Offset> {
        self.checkpoints.found.lock().get(name)?.get(at).copied()
    }

    /// Takes replicas out of all checkpoints: the next of the same name begins with none. With the log start offset of
    /// another, a recovery would throw its records away.
    pub(super) fn forget<'a>(
        &self,
        gone: impl Iterator<Item = &'a TopicPartition> + Clone,
    ) -> Result<(), PartitionError> {
        for offsets in self.checkpoints.found.lock().values_mut() {
            without(offsets, gone.clone());
        }
        let mut written = self.checkpoints.written.lock();
        for (name, offsets) in &mut *written {
            if gone.clone().any(|at| offsets.contains_key(at)) {
                let mut left = offsets.clone();
                without(&mut left, gone.clone());
                self.replace(name, offsets, left)?;
            }
        }
        Ok(())
    }

    /// Puts what has moved into a checkpoint file; nothing is written where nothing has.
    pub(super) fn update_checkpoint(
        &self,
        name: &'static str,
        moved: impl FnOnce() -> OffsetCheckpoint,
    ) -> Result<(), PartitionError> {
        let mut written = self.checkpoints.written.lock();
        let offsets = written.entry(name).or_default();
        let moved = moved();
        if moved.iter().all(|(at, offset)| offsets.get(at) == Some(offset)) {
            return Ok(());
        }
        let mut all = offsets.clone();
        all.extend(moved);
        self.replace(name, offsets, all)
    }

    /// Replaces a checkpoint file, unless it has these offsets already.
    pub(super) fn write_checkpoint(
        &self,
        name: &'static str,
        all: OffsetCheckpoint,
    ) -> Result<(), PartitionError> {
        let mut written = self.checkpoints.written.lock();
        let offsets = written.entry(name).or_default();
        if *offsets == all { Ok(()) } else { self.replace(name, offsets, all) }
    }

    fn replace(
        &self,
        name: &str,
        offsets: &mut OffsetCheckpoint,
        by: OffsetCheckpoint,
    ) -> Result<(), PartitionError> {
        self.dir.write_checkpoint(name, &by).map_err(LogError::Checkpoint)?;
        *offsets = by;
        Ok(())
    }
}

fn without<'a>(offsets: &mut OffsetCheckpoint, gone: impl Iterator<Item = &'a TopicPartition>) {
    for at in gone {
        offsets.remove(at);
    }
}
