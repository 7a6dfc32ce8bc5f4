//! How a replica leaves the disk: its directory is renamed at once, so that the name is free, and removed once those who
//! still read from it are done (`file.delete.delay.ms`). A replica that the cluster does not know is set aside instead.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use protocol::types::Uuid;
use storage::log_dir::{deletion_name, remove_partition_dir, stray_name};

use super::Replicas;
use super::partition::Partition;

/// Renamed directories and when each may be removed.
#[derive(Default)]
pub(super) struct Removals {
    waiting: Vec<(Instant, PathBuf)>,
}

impl Removals {
    fn add(&mut self, path: PathBuf, delay: Duration) {
        self.waiting.push((Instant::now() + delay, path));
    }

    /// Takes out those that may be removed now.
    fn due(&mut self, now: Instant) -> Vec<PathBuf> {
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(at, _)| *at <= now);
        self.waiting = waiting;
        due.into_iter().map(|(_, path)| path).collect()
    }
}

impl Replicas {
    /// The partition is no longer this broker's, or no longer at all. Those who still read from it find their files.
    pub(super) fn delete(&self, partition: &Arc<Partition>) {
        let (at, id) = (&partition.at, Uuid::random().unwrap_or(Uuid::ZERO));
        let renamed = match partition.remove() {
            Some(log) => log.delete(at, id).map_err(|error| error.to_string()),
            None => rename(partition, &deletion_name(at, id)),
        };
        partition.dir.replicas.fetch_sub(1, Ordering::Relaxed);
        match renamed {
            Ok(path) => {
                tracing::info!(partition = %at, "replica deleted");
                self.removals.lock().add(path, partition.config().file_delete_delay);
            }
            Err(error) => tracing::error!(partition = %at, "a deleted replica keeps its directory: {error}"),
        }
    }

    /// The cluster does not know the partition's topic.
    pub(super) fn set_aside(&self, partition: &Arc<Partition>) {
        let at = &partition.at;
        drop(partition.remove());
        partition.dir.replicas.fetch_sub(1, Ordering::Relaxed);
        match rename(partition, &stray_name(at, Uuid::random().unwrap_or(Uuid::ZERO))) {
            Ok(path) => {
                tracing::warn!(partition = %at, path = %path.display(), "set aside: the cluster knows no such topic")
            }
            Err(error) => tracing::error!(partition = %at, "an unknown replica keeps its directory: {error}"),
        }
    }

    /// Removes what was renamed long enough ago.
    pub(super) fn remove_renamed(&self) {
        let due = self.removals.lock().due(Instant::now());
        for path in due {
            if let Err(error) = remove_partition_dir(&path) {
                tracing::error!("a deleted replica stays on the disk: {error}");
            }
        }
    }
}

fn rename(partition: &Partition, name: &str) -> Result<PathBuf, String> {
    let path = partition.dir.path().join(name);
    std::fs::rename(partition.dir.dir.partition_path(&partition.at), &path)
        .map_err(|error| error.to_string())?;
    Ok(path)
}
