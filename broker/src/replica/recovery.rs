//! Opens the logs that lie in the log directories, side by side; a partition serves as soon as its own log is open.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use parking_lot::Mutex;
use protocol::types::{Offset, Uuid};
use storage::checkpoint::{HIGH_WATERMARKS, LOG_START_OFFSETS, RECOVERY_POINTS};
use storage::log::{Log, Opening};
use storage::log_dir::{PartitionDir, PartitionDirState, read_partition_metadata, remove_partition_dir};

use super::Replicas;
use super::errors::PartitionError;
use super::log_dirs::{LogDirsError, ReplicaDir};
use super::partition::Partition;
use super::retries::Unopened;
use crate::api::wall_clock_ms;

/// One log to open.
#[derive(Clone)]
pub(super) struct Found {
    pub partition: Arc<Partition>,
    path: PathBuf,
}

impl Replicas {
    /// Finds every partition on disk and begins to open their logs, with so many threads for each directory.
    pub fn recover(self: &Arc<Self>, threads_per_dir: usize) -> Result<(), LogDirsError> {
        self.show_dirs();
        for dir in self.dirs.iter().filter(|dir| dir.is_online()) {
            let entries = match dir.dir.partitions() {
                Ok(entries) => entries,
                Err(error) => {
                    self.note_unreadable(&error);
                    continue;
                }
            };
            let mut found = VecDeque::new();
            for entry in entries {
                found.extend(self.take_in(dir, entry)?);
            }
            self.opening.fetch_add(found.len(), Ordering::AcqRel);
            self.open_in_background(dir, found, threads_per_dir)?;
        }
        Ok(())
    }

    /// Ends when every log that was found is open, or given up.
    pub async fn recovered(&self) {
        loop {
            let opened = self.opened.notified();
            if self.is_recovered() {
                return;
            }
            opened.await;
        }
    }

    fn take_in(&self, dir: &Arc<ReplicaDir>, entry: PartitionDir) -> Result<Option<Found>, LogDirsError> {
        let PartitionDir { partition: at, path, state } = entry;
        match state {
            PartitionDirState::Live => {}
            PartitionDirState::Deleted => {
                if let Err(error) = remove_partition_dir(&path) {
                    tracing::error!("a deleted replica stays on the disk: {error}");
                }
                return Ok(None);
            }
            PartitionDirState::Future | PartitionDirState::Stray => {
                tracing::warn!(path = %path.display(), "left alone: a replica that was set aside");
                return Ok(None);
            }
        }
        let topic_id = match read_partition_metadata(&path) {
            Ok(id) => id.unwrap_or(Uuid::ZERO),
            Err(error) => {
                tracing::error!(path = %path.display(), "left alone: {error}");
                return Ok(None);
            }
        };
        if let Ok(earlier) = self.partition(&at.topic, at.partition) {
            let (one, other) = (earlier.dir.path().to_owned(), dir.path().to_owned());
            return Err(LogDirsError::TwiceFound { partition: at, one, other });
        }
        let config = self.default_log_config();
        let partition = self.new_partition(at.clone(), dir, config);
        self.hosted.write().insert(topic_id, partition.clone());
        Ok(Some(Found { partition, path }))
    }

    fn open_in_background(
        self: &Arc<Self>,
        dir: &Arc<ReplicaDir>,
        found: VecDeque<Found>,
        threads: usize,
    ) -> Result<(), LogDirsError> {
        let threads = threads.clamp(1, found.len().max(1));
        let queue = Arc::new(Mutex::new(found));
        for _ in 0..threads {
            let (replicas, queue) = (self.clone(), queue.clone());
            let open_all = move || {
                while let Some(found) = { queue.lock().pop_front() } {
                    replicas.survive(found, |unopened| replicas.open(unopened));
                }
            };
            let spawned = thread::Builder::new().name("log-recovery".into()).spawn(open_all);
            spawned.map_err(|source| storage::IoFailure {
                action: "start the recovery of",
                path: dir.path().into(),
                source,
            })?;
        }
        Ok(())
    }

    /// A panic is our own mistake, and costs this one replica: whoever opens goes on with the next.
    fn survive(&self, found: Found, open: impl FnOnce(Unopened)) {
        let (partition, path) = (found.partition.clone(), found.path.clone());
        if catch_unwind(AssertUnwindSafe(|| open(Unopened::Found(found)))).is_err() {
            tracing::error!(partition = %partition.at, "opening the log ended abnormally, its replica stays offline");
            partition.take_offline();
            self.note_offline();
            self.finish_opening(&Unopened::Found(Found { partition, path }));
        }
    }

    /// Opens a log that was found; an error says that something ran out. One that does not open at all stays offline.
    pub(super) fn open_found(&self, Found { partition, path }: &Found) -> Result<(), PartitionError> {
        let Partition { at, dir, .. } = &**partition;
        let found = |name| dir.found(name, at);
        let checkpointed = found(HIGH_WATERMARKS);
        let opening = Opening {
            recovery_point: found(RECOVERY_POINTS).unwrap_or(Offset(0)),
            log_start_offset: found(LOG_START_OFFSETS).unwrap_or(Offset(0)),
            clean: dir.was_closed_cleanly(),
            now_ms: wall_clock_ms(),
            files: self.files.clone(),
        };
        let config = (*partition.config()).clone();
        match Log::open(path, config, opening).map_err(PartitionError::from) {
            Ok((log, recovered)) => {
                if recovered.verified_bytes > 0 {
                    tracing::info!(partition = %at, verified = recovered.verified_bytes, cut = recovered.cut_bytes, "log recovered");
                }
                let checkpointed = checkpointed.unwrap_or(log.log_start_offset());
                partition.opened(log, checkpointed);
                Ok(())
            }
            Err(error) if error.is_exhaustion() => Err(error),
            Err(error) => {
                tracing::error!(partition = %at, "the log does not open, its replica stays offline: {error}");
                partition.take_offline();
                self.note_failure(partition, &error);
                self.note_offline();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
