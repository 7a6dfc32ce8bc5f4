//! One of the broker's log directories: its lock, its identity, its clean-shutdown marker, the partitions in it.
//!
//! ```text
//! {log.dir}/.lock                              held while a process serves the directory
//!           meta.properties                    whose it is
//!           .directory.id                      which it is, as long as it belongs to no cluster
//!           .kafka_cleanshutdown               present only between a clean stop and the next start
//!           recovery-point-offset-checkpoint   … and its siblings, see `crate::checkpoint`
//!           {topic}-{partition}/               one log, see `crate::log`
//!           {topic}-{partition}.{id}-delete/   a deleted one, waiting to be removed
//! ```

mod clean_shutdown;
mod lock;
mod meta_properties;
mod partition_metadata;
mod partitions;
mod unsettled_id;

use std::fs;
use std::path::{Path, PathBuf};

use crate::checkpoint::{CheckpointError, OffsetCheckpoint, read_offsets, write_offsets};
use crate::durable::sync_dir;
use crate::failure::{Described, IoFailure};

pub use clean_shutdown::CleanShutdown;
pub use meta_properties::MetaProperties;
pub use partition_metadata::{PartitionMetadataError, read_partition_metadata, write_partition_metadata};
pub use partitions::{PartitionDir, PartitionDirState, deletion_name, remove_partition_dir, stray_name};

/// Why a log directory cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LogDirError {
    #[error(transparent)]
    Io(#[from] IoFailure),
    #[error("{} is locked: another process serves this log directory", path.display())]
    Locked { path: PathBuf },
    #[error("{} cannot be understood: {reason}", path.display())]
    MalformedMetaProperties { path: PathBuf, reason: String },
}

/// A log directory that this process holds the lock of, until it is dropped.
#[derive(Debug)]
pub struct LogDir {
    path: PathBuf,
    _lock: lock::DirLock,
}

impl LogDir {
    /// Creates the directory if need be and locks it.
    pub fn open(path: &Path) -> Result<LogDir, LogDirError> {
        fs::create_dir_all(path).describe("create directory", path)?;
        let path = fs::canonicalize(path).describe("resolve", path)?;
        let lock = lock::DirLock::acquire(&path)?;
        Ok(LogDir { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads one of the offset checkpoints, named by a constant of [`crate::checkpoint`].
    pub fn read_checkpoint(&self, name: &str) -> Result<OffsetCheckpoint, CheckpointError> {
        read_offsets(&self.path.join(name))
    }

    /// Replaces one of the offset checkpoints.
    pub fn write_checkpoint(&self, name: &str, offsets: &OffsetCheckpoint) -> Result<(), CheckpointError> {
        write_offsets(&self.path.join(name), offsets)
    }

    /// Makes the creation and renaming of partition directories durable.
    pub fn sync(&self) -> Result<(), IoFailure> {
        sync_dir(&self.path)
    }
}
