//! The broker's log directories: whose they are, whether they were closed cleanly, and whether they still work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use protocol::types::{BrokerId, Offset, Uuid};
use storage::checkpoint::{
    CheckpointError, HIGH_WATERMARKS, LOG_START_OFFSETS, OffsetCheckpoint, RECOVERY_POINTS,
};
use storage::log::LogError;
use storage::log_dir::{CleanShutdown, LogDir, LogDirError, MetaProperties};
use storage::{IoFailure, TopicPartition};

use super::errors::PartitionError;

/// One of `log.dirs`, locked by this process.
pub struct ReplicaDir {
    pub(super) dir: LogDir,
    pub id: Uuid,
    node_id: BrokerId,
    /// `None` until the directory is formatted for a cluster.
    cluster_id: Mutex<Option<String>>,
    /// What the last owner left when it stopped; taken away before this broker registers.
    clean_shutdown: Option<CleanShutdown>,
    /// What was found at the start, of replicas that are still the same.
    found: Mutex<Checkpoints>,
    /// What stands in the files, so that only changes are written.
    written: Mutex<Checkpoints>,
    failed: AtomicBool,
    /// Replicas in here, by which a place for a new one is chosen.
    pub(super) replicas: AtomicUsize,
}

/// Checkpoint files of a directory, by name.
type Checkpoints = BTreeMap<&'static str, OffsetCheckpoint>;

/// Why the log directories can't be served.
#[derive(Debug, thiserror::Error)]
pub enum LogDirsError {
    #[error(transparent)]
    Dir(#[from] LogDirError),
    #[error(transparent)]
    Io(#[from] IoFailure),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(
        "{path} belongs to node.id={found}, and this broker is {expected}: give each broker its own log.dirs"
    )]
    OtherNode { path: PathBuf, found: BrokerId, expected: BrokerId },
    #[error(
        "{path} belongs to cluster {found}, and the controller's is {expected}: a broker never changes its cluster"
    )]
    OtherCluster { path: PathBuf, found: String, expected: String },
    #[error("{partition} is in {one} and in {other}: delete the one that is not wanted")]
    TwiceFound { partition: TopicPartition, one: PathBuf, other: PathBuf },
    #[error("the kernel gave no randomness for a directory id: {0}")]
    Randomness(String),
}

impl ReplicaDir {
    /// Locks and reads a directory; creates it where there is none.
    pub fn open(path: &Path, node_id: BrokerId) -> Result<ReplicaDir, LogDirsError> {
        let dir = LogDir::open(path)?;
        let properties = dir.read_meta_properties()?;
        if let Some(found) =
            properties.as_ref().map(|properties| properties.node_id).filter(|&found| found != node_id)
        {
            return Err(LogDirsError::OtherNode { path: path.to_owned(), found, expected: node_id });
        }
        let id = match properties.as_ref().and_then(|properties| properties.directory_id) {
            Some(id) => id,
            None => Uuid::random().map_err(|error| LogDirsError::Randomness(error.to_string()))?,
        };
        let mut found = Checkpoints::new();
        for name in [RECOVERY_POINTS, HIGH_WATERMARKS, LOG_START_OFFSETS] {
            found.insert(name, dir.read_checkpoint(name)?);
        }
        Ok(ReplicaDir {
            id,
            node_id,
            cluster_id: Mutex::new(properties.map(|properties| properties.cluster_id)),
            clean_shutdown: dir.read_clean_shutdown()?,
            written: Mutex::new(found.clone()),
            found: Mutex::new(found),
            failed: AtomicBool::new(false),
            replicas: AtomicUsize::new(0),
            dir,
        })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Whether the last owner closed every log in here.
    pub fn was_closed_cleanly(&self) -> bool {
        self.clean_shutdown.is_some()
    }

    /// Whether it still takes writes.
    pub fn is_online(&self) -> bool {
        !self.failed.load(Ordering::Acquire)
    }

    /// Takes the directory out of service, and tells whether it was in service before.
    pub(super) fn fail(&self) -> bool {
        !self.failed.swap(true, Ordering::AcqRel)
    }

    /// What was found for a replica in the checkpoint file of this name.
    pub(super) fn found(&self, name: &str, at: &TopicPartition) -> Option<Offset> {
        self.found.lock().get(name)?.get(at).copied()
    }

    /// Takes replicas out of all checkpoints: the next of the same name begins with none. With the log start offset of
    /// another, a recovery would throw its records away.
    pub(super) fn forget<'a>(
        &self,
        gone: impl Iterator<Item = &'a TopicPartition> + Clone,
    ) -> Result<(), PartitionError> {
        for offsets in self.found.lock().values_mut() {
            for at in gone.clone() {
                offsets.remove(at);
            }
        }
        let names_any = |offsets: &OffsetCheckpoint| gone.clone().any(|at| offsets.contains_key(at));
        let stale: Vec<_> = {
            let written = self.written.lock();
            let stale = written.iter().filter(|(_, offsets)| names_any(offsets));
            stale.map(|(name, offsets)| (*name, offsets.clone())).collect()
        };
        for (name, mut offsets) in stale {
            for at in gone.clone() {
                offsets.remove(at);
            }
            self.write_checkpoint(name, offsets)?;
        }
        Ok(())
    }

    /// Replaces a checkpoint file, unless it has these offsets already.
    pub(super) fn write_checkpoint(
        &self,
        name: &'static str,
        offsets: OffsetCheckpoint,
    ) -> Result<(), PartitionError> {
        let mut written = self.written.lock();
        if written.get(name) == Some(&offsets) {
            return Ok(());
        }
        self.dir.write_checkpoint(name, &offsets).map_err(LogError::Checkpoint)?;
        written.insert(name, offsets);
        Ok(())
    }

    /// Formats the directory for the cluster, or makes sure that it belongs to it.
    pub(super) fn settle_in(&self, cluster_id: &str) -> Result<(), LogDirsError> {
        let mut settled = self.cluster_id.lock();
        match settled.as_deref() {
            Some(found) if found == cluster_id => return Ok(()),
            Some(found) => {
                let (path, found) = (self.path().to_owned(), found.to_owned());
                return Err(LogDirsError::OtherCluster { path, found, expected: cluster_id.to_owned() });
            }
            None => {}
        }
        let (cluster_id, directory_id) = (cluster_id.to_owned(), Some(self.id));
        let properties =
            MetaProperties { cluster_id: cluster_id.clone(), node_id: self.node_id, directory_id };
        self.dir.write_meta_properties(&properties)?;
        *settled = Some(cluster_id);
        Ok(())
    }
}

/// Locks every directory. Their clean-shutdown markers stay until [`forget_clean_shutdown`].
pub fn open_all(paths: &[PathBuf], node_id: BrokerId) -> Result<Vec<ReplicaDir>, LogDirsError> {
    paths.iter().map(|path| ReplicaDir::open(path, node_id)).collect()
}

/// The broker epoch that the markers of all directories carry, if they agree (safety rule 7).
pub fn clean_shutdown_epoch(dirs: &[ReplicaDir]) -> Option<i64> {
    let epochs: BTreeSet<Option<i64>> =
        dirs.iter().map(|dir| dir.clean_shutdown.and_then(|marker| marker.broker_epoch)).collect();
    let mut epochs = epochs.into_iter();
    let (first, second) = (epochs.next(), epochs.next());
    if second.is_some() { None } else { first.flatten() }
}

/// Removes the markers, durably: from now on a crash is a crash.
pub fn forget_clean_shutdown(dirs: &[ReplicaDir]) -> Result<(), IoFailure> {
    dirs.iter().try_for_each(|dir| dir.dir.remove_clean_shutdown())
}
