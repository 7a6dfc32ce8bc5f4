//! What happens when a disk fails: the log directory goes out of service with every replica in it, and nothing more is
//! acknowledged from there (safety rule 12). A full disk is no failure: it refuses writes until there is room again. Leaders
//! go on serving what they have; followers are not waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use metadata::image::ClusterImage;
use nix::sys::statvfs::statvfs;
use parking_lot::Mutex;
use protocol::types::Uuid;
use storage::{IoFailure, TopicPartition};
use tokio::sync::watch;

use super::Replicas;
use super::errors::PartitionError;
use super::log_dirs::ReplicaDir;
use super::partition::Partition;
use super::without_room::WithoutRoom;
use crate::link::UnusableReplicas;

/// A disk with so much room, or a sixteenth of its size if that is less, takes writes again.
const ROOM_BYTES_MIN: u64 = 1024 * 1024;

/// What is out of service here.
pub(super) struct Failures {
    /// Counts what may have changed which replicas are offline.
    changes: watch::Sender<u64>,
    /// Assigned to this broker, not to be found, and not to be made anew while a directory is missing: by topic id.
    stranded: Mutex<BTreeSet<(Uuid, i32)>>,
    without_room: Mutex<WithoutRoom>,
}

impl Default for Failures {
    fn default() -> Failures {
        Failures {
            changes: watch::Sender::new(0),
            stranded: Mutex::default(),
            without_room: Mutex::default(),
        }
    }
}

impl Replicas {
    /// Takes the directory of a partition out of service if the error says that its disk failed.
    pub fn note_failure(&self, partition: &Partition, error: &PartitionError) {
        if error.is_disk_failure() {
            tracing::error!(partition = %partition.at, "the log failed: {error}");
            self.fail_dir(&partition.dir);
        } else if error.is_disk_full() {
            note_full(&partition.dir, error);
        }
    }

    /// As [`Replicas::note_failure`], where a follower could not take in what it fetched.
    pub(super) fn note_failed_follower(&self, partition: &Partition, error: &PartitionError) {
        self.note_failure(partition, error);
        if error.is_disk_full() && self.failures.without_room.lock().note(&partition.at, Instant::now()) {
            self.note_offline();
        }
    }

    /// As [`Replicas::note_failure`], where the error concerns the directory as a whole.
    pub(super) fn note_dir_failure(&self, dir: &Arc<ReplicaDir>, error: &PartitionError) {
        if error.is_disk_failure() {
            self.fail_dir(dir);
        } else if error.is_disk_full() {
            note_full(dir, error);
        }
    }

    /// Takes the directory of a file out of service that its disk could not read. Where the kernel has no complaint the file
    /// was cut or removed under its reader.
    pub fn note_unreadable(&self, failure: &IoFailure) {
        let by_the_disk = failure.source.raw_os_error().is_some();
        if !by_the_disk || failure.is_exhaustion() || failure.is_not_found() {
            return;
        }
        if let Some(dir) = self.dir_of(&failure.path) {
            tracing::error!("a log can't be read: {failure}");
            self.fail_dir(&dir);
        }
    }

    fn dir_of(&self, path: &Path) -> Option<Arc<ReplicaDir>> {
        self.dirs.iter().find(|dir| path.starts_with(dir.path())).cloned()
    }

    /// Takes a directory out of service whose disk failed.
    pub(super) fn fail_dir(&self, dir: &Arc<ReplicaDir>) {
        if !self.close_dir(dir) {
            return;
        }
        let failed = dir.clone();
        // A dead disk may never answer.
        if let Err(error) =
            thread::Builder::new().name("log-dir-failed".into()).spawn(move || failed.disown())
        {
            tracing::warn!("the failed directory keeps its id: {error}");
        }
    }

    /// Takes a directory out of service, and tells whether it was in service before.
    pub(super) fn close_dir(&self, dir: &Arc<ReplicaDir>) -> bool {
        let failed = dir.fail();
        if failed {
            tracing::error!(dir = %dir.path().display(), "log directory out of service until the broker is restarted");
            for partition in self.all().iter().filter(|partition| Arc::ptr_eq(&partition.dir, dir)) {
                partition.take_offline();
            }
            self.show_dirs();
            self.note_offline();
        }
        failed
    }

    /// Whether a directory of the configuration is missing or has failed.
    pub(super) fn misses_dir(&self) -> bool {
        !self.dirs_missing.is_empty() || self.dirs.iter().any(|dir| !dir.is_online())
    }

    /// Ends when the last log directory has failed.
    pub async fn all_dirs_failed(&self) {
        let mut changes = self.failures.changes.subscribe();
        while self.dirs.iter().any(|dir| dir.is_online()) {
            // The sender lives as long as this; an error cannot come.
            let _ = changes.changed().await;
        }
    }

    /// Sees what may have changed which replicas are offline.
    pub(super) fn offline_changes(&self) -> watch::Receiver<u64> {
        self.failures.changes.subscribe()
    }

    /// A replica went offline, or came back.
    pub(super) fn note_offline(&self) {
        self.failures.changes.send_modify(|changes| *changes += 1);
    }

    /// A replica that is assigned here may lie in a directory that is missing.
    pub(super) fn strand(&self, topic_id: Uuid, index: i32) {
        if self.failures.stranded.lock().insert((topic_id, index)) {
            self.note_offline();
        }
    }

    /// Forgets those that are no longer assigned here.
    pub(super) fn forget_stranded(&self, image: &ClusterImage) {
        let is_assigned = |(topic_id, index): &(Uuid, i32)| {
            let topic = image.topic_by_id(*topic_id);
            let state = topic.and_then(|topic| topic.partitions.get(usize::try_from(*index).ok()?));
            state.is_some_and(|state| state.replicas.contains(&self.broker))
        };
        self.failures.stranded.lock().retain(is_assigned);
    }

    /// How many replicas are assigned here and can't be found.
    pub(super) fn stranded(&self) -> usize {
        self.failures.stranded.lock().len()
    }

    /// Every replica that can't be used: what the controller is told.
    pub(super) fn unusable_replicas(&self) -> UnusableReplicas {
        UnusableReplicas { offline: self.offline_replicas(), full: self.followers_without_room() }
    }

    fn followers_without_room(&self) -> BTreeMap<Uuid, Vec<i32>> {
        let noted: Vec<_> = self.failures.without_room.lock().replicas().cloned().collect();
        let mut full: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
        for (topic_id, partition) in noted.iter().filter_map(|at| self.with_topic_id(at)) {
            full.entry(topic_id).or_default().push(partition.at.partition);
        }
        full
    }

    /// Every replica that is offline, by topic.
    pub fn offline_replicas(&self) -> BTreeMap<Uuid, Vec<i32>> {
        let mut offline: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
        for &(topic_id, index) in &*self.failures.stranded.lock() {
            offline.entry(topic_id).or_default().push(index);
        }
        for (topic_id, index) in self.unopened_new() {
            offline.entry(topic_id).or_default().push(index);
        }
        for (topic_id, partition) in self.all_by_id() {
            if partition.is_offline() {
                offline.entry(topic_id).or_default().push(partition.at.partition);
            }
        }
        offline
    }

    /// Lets full directories be written to again, once they have room, and their followers be waited for.
    pub(super) fn look_for_room(&self) {
        for dir in self.dirs.iter().filter(|dir| dir.full.load(Ordering::Acquire)) {
            if has_room(dir.path()) {
                dir.full.store(false, Ordering::Release);
                tracing::info!(dir = %dir.path().display(), "the disk has room again");
            }
        }
        let has_room = |at: &TopicPartition| {
            let partition = self.partition(&at.topic, at.partition);
            partition.map_or(true, |partition| !partition.dir.full.load(Ordering::Acquire))
        };
        if self.failures.without_room.lock().release(Instant::now(), has_room) {
            self.note_offline();
        }
    }
}

/// Says so once, until there is room again.
fn note_full(dir: &ReplicaDir, error: &PartitionError) {
    if !dir.full.swap(true, Ordering::AcqRel) {
        tracing::error!(dir = %dir.path().display(), "the disk is full, records are refused until there is room: {error}");
    }
}

fn has_room(path: &Path) -> bool {
    let Ok(disk) = statvfs(path) else { return false };
    let (unit, free, size) = (disk.fragment_size(), disk.blocks_available(), disk.blocks());
    unit.saturating_mul(free) >= ROOM_BYTES_MIN.min(unit.saturating_mul(size) / 16)
}
