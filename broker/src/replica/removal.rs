//! How a replica leaves the disk: its directory is renamed at once, so that the name is free, and removed once those who
//! still read from it are done (`file.delete.delay.ms`). A replica that the cluster does not know is set aside instead.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use protocol::types::Uuid;
use storage::log::Log;
use storage::log_dir::{deletion_name, remove_partition_dir, stray_name};

use super::Replicas;
use super::partition::{LogState, Partition};

/// Renamed directories and when each may be removed.
#[derive(Default)]
pub(super) struct Removals {
    waiting: Vec<(Instant, PathBuf)>,
}

/// What becomes of the directory of a replica that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The partition is no longer this broker's, or no longer at all.
    Deleted,
    /// The cluster does not know the partition's topic.
    SetAside,
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
    /// The replica goes: at once, or when its log, which is still being opened, can be moved.
    pub(super) fn dismiss(&self, partition: &Arc<Partition>, fate: Fate) {
        partition.dir.replicas.fetch_sub(1, Ordering::Relaxed);
        let mut successions = self.successions.lock();
        let log = match partition.remove() {
            LogState::Opening => return successions.departs(partition.path(), fate),
            LogState::Open(log) => Some(log),
            LogState::Offline | LogState::Deleted | LogState::Closed => None,
        };
        drop(successions);
        self.clear_away(partition, log, fate);
    }

    /// Moves the directory out of the way. Those who still read from an open log find their files.
    pub(super) fn clear_away(&self, partition: &Partition, log: Option<Box<Log>>, fate: Fate) {
        let (at, id) = (&partition.at, Uuid::random().unwrap_or(Uuid::ZERO));
        let renamed = match (fate, log) {
            (Fate::Deleted, Some(log)) => log.delete(at, id).map_err(|error| error.to_string()),
            (Fate::Deleted, None) => rename(partition, &deletion_name(at, id)),
            (Fate::SetAside, _) => rename(partition, &stray_name(at, id)),
        };
        match (fate, renamed) {
            (Fate::Deleted, Ok(path)) => {
                tracing::info!(partition = %at, "replica deleted");
                self.removals.lock().add(path, partition.config().file_delete_delay);
            }
            (Fate::SetAside, Ok(path)) => {
                tracing::warn!(partition = %at, path = %path.display(), "set aside: the cluster knows no such topic")
            }
            (_, Err(error)) => {
                tracing::error!(partition = %at, "a replica that went keeps its directory: {error}")
            }
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
    match std::fs::rename(partition.path(), &path) {
        // There was never room for it.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(path),
    }
}
