//! The broker's log directories: whose they are, whether they were closed cleanly, and whether they still work.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use protocol::types::{BrokerId, Uuid};
use storage::checkpoint::CheckpointError;
use storage::log_dir::{CleanShutdown, LogDir, LogDirError, MetaProperties};
use storage::{IoFailure, TopicPartition};

use super::changes::Changes;
use super::checkpoints::Checkpoints;
use crate::metrics::disks::DirTimes;

/// One of `log.dirs`, locked by this process.
pub struct ReplicaDir {
    pub(super) dir: LogDir,
    pub id: Uuid,
    node_id: BrokerId,
    /// `None` until the directory is formatted for a cluster.
    cluster_id: Mutex<Option<String>>,
    /// What the last owner left when it stopped; taken away before this broker registers.
    clean_shutdown: Option<CleanShutdown>,
    pub(super) checkpoints: Checkpoints,
    /// Its replicas that have moved since they were last tended.
    pub(super) changes: Arc<Changes>,
    /// Held by whoever flushes its logs.
    pub(super) flushing: Mutex<()>,
    failed: AtomicBool,
    /// Whether a write found no room, and none has been seen since.
    pub(super) full: AtomicBool,
    /// Replicas in here, by which a place for a new one is chosen.
    pub(super) replicas: AtomicUsize,
    /// How long its disk takes.
    pub(super) times: Arc<DirTimes>,
}

/// What became of `log.dirs` at the start.
pub struct OpenedDirs {
    /// In the order of `log.dirs`; at least one.
    pub online: Vec<ReplicaDir>,
    /// Those whose disks can't be read or written.
    pub offline: Vec<PathBuf>,
}

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
    #[error("none of log.dirs can be used, the last of them for this: {0}")]
    NoneWorks(#[source] Box<LogDirsError>),
}

impl LogDirsError {
    /// Whether the disk is to blame, and not what lies on it or who else uses it.
    fn is_disk_failure(&self) -> bool {
        match self {
            LogDirsError::Dir(LogDirError::Io(_))
            | LogDirsError::Io(_)
            | LogDirsError::Checkpoint(CheckpointError::Io(_)) => true,
            LogDirsError::Dir(LogDirError::Locked { .. } | LogDirError::MalformedMetaProperties { .. })
            | LogDirsError::Checkpoint(CheckpointError::Malformed { .. })
            | LogDirsError::OtherNode { .. }
            | LogDirsError::OtherCluster { .. }
            | LogDirsError::TwiceFound { .. }
            | LogDirsError::Randomness(_)
            | LogDirsError::NoneWorks(_) => false,
        }
    }
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
            None => durable_id(&dir, properties.as_ref())?,
        };
        Ok(ReplicaDir {
            id,
            node_id,
            cluster_id: Mutex::new(properties.map(|properties| properties.cluster_id)),
            clean_shutdown: dir.read_clean_shutdown()?,
            checkpoints: Checkpoints::read(&dir)?,
            changes: Arc::default(),
            flushing: Mutex::default(),
            failed: AtomicBool::new(false),
            full: AtomicBool::new(false),
            replicas: AtomicUsize::new(0),
            times: DirTimes::of(dir.path()),
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

    /// Gives the directory's identity up, as far as its disk still lets us: what it is when it comes back, and whether all
    /// of its pages reached the disk, nobody can say, so it is then another directory (safety rule 7).
    pub(super) fn disown(&self) {
        let properties = self.cluster_id.lock().clone().map(|cluster_id| MetaProperties {
            cluster_id,
            node_id: self.node_id,
            directory_id: None,
        });
        let disowned = self.dir.remove_unsettled_id().and_then(|()| {
            properties.map_or(Ok(()), |properties| self.dir.write_meta_properties(&properties))
        });
        if let Err(error) = disowned {
            tracing::warn!(dir = %self.path().display(), "its directory.id stays: {error}");
        }
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
        Ok(self.dir.remove_unsettled_id()?)
    }
}

/// The id of a directory whose `meta.properties` has none: it is on the disk before anybody is told of it, lest a broker that
/// was merely killed come back with a directory that nobody knows (safety rule 7).
fn durable_id(dir: &LogDir, properties: Option<&MetaProperties>) -> Result<Uuid, LogDirsError> {
    let random = || Uuid::random().map_err(|error| LogDirsError::Randomness(error.to_string()));
    let Some(properties) = properties else {
        if let Some(id) = dir.read_unsettled_id()? {
            return Ok(id);
        }
        let id = random()?;
        dir.write_unsettled_id(id)?;
        return Ok(id);
    };
    let id = random()?;
    let identified = MetaProperties { directory_id: Some(id), ..properties.clone() };
    match dir.write_meta_properties(&identified) {
        Err(failure) if !failure.is_exhaustion() => return Err(failure.into()),
        Err(failure) => {
            tracing::warn!(dir = %dir.path().display(), "its directory.id will be another after a restart: {failure}");
        }
        Ok(()) => {}
    }
    Ok(id)
}

/// Locks every directory; one whose disk fails is left out as long as another works. Their clean-shutdown markers stay until
/// [`forget_clean_shutdown`].
pub fn open_all(paths: &[PathBuf], node_id: BrokerId) -> Result<OpenedDirs, LogDirsError> {
    let mut opened = OpenedDirs { online: Vec::new(), offline: Vec::new() };
    let mut last = None;
    for path in paths {
        match ReplicaDir::open(path, node_id) {
            Ok(dir) => opened.online.push(dir),
            Err(error) if error.is_disk_failure() => {
                tracing::error!(dir = %path.display(), "log directory out of service: {error}");
                opened.offline.push(path.clone());
                last = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match last {
        Some(error) if opened.online.is_empty() => Err(LogDirsError::NoneWorks(Box::new(error))),
        _ => Ok(opened),
    }
}

impl OpenedDirs {
    /// The broker epoch that the markers of all configured directories carry, if they agree (safety rule 7).
    pub fn clean_shutdown_epoch(&self) -> Option<i64> {
        if !self.offline.is_empty() {
            return None;
        }
        let epoch = |dir: &ReplicaDir| dir.clean_shutdown.and_then(|marker| marker.broker_epoch);
        let epochs: BTreeSet<Option<i64>> = self.online.iter().map(epoch).collect();
        let mut epochs = epochs.into_iter();
        let (first, second) = (epochs.next(), epochs.next());
        if second.is_some() { None } else { first.flatten() }
    }

    /// Removes the markers, durably: from now on a crash is a crash.
    pub fn forget_clean_shutdown(&self) -> Result<(), IoFailure> {
        self.online.iter().try_for_each(|dir| dir.dir.remove_clean_shutdown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: BrokerId = BrokerId(1);

    /// A directory, and a path at which there can be none.
    fn good_and_bad(folder: &Path) -> [PathBuf; 2] {
        std::fs::write(folder.join("file"), b"").expect("written");
        [folder.join("good"), folder.join("file/bad")]
    }

    #[test]
    fn a_directory_that_does_not_work_is_left_out_and_the_start_is_not_a_clean_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let [good, bad] = good_and_bad(folder.path());
        drop(open_all(std::slice::from_ref(&good), ME).map(|opened| {
            opened.online[0].dir.write_clean_shutdown(7).expect("written");
        }));
        let both = open_all(&[bad.clone(), good.clone()], ME).expect("one works");
        assert_eq!((both.online.len(), &both.offline[..]), (1, &[bad][..]));
        assert_eq!(both.clean_shutdown_epoch(), None);
        drop(both);
        assert_eq!(open_all(&[good], ME).expect("it works").clean_shutdown_epoch(), Some(7));
    }

    #[test]
    fn without_any_that_works_or_with_one_of_another_broker_there_is_no_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let [good, bad] = good_and_bad(folder.path());
        let refused = open_all(std::slice::from_ref(&bad), ME).err().expect("none works");
        assert!(matches!(refused, LogDirsError::NoneWorks(_)), "{refused}");
        let dir = ReplicaDir::open(&good, BrokerId(2)).expect("opens");
        dir.settle_in("cluster").expect("is formatted");
        drop(dir);
        let refused = open_all(&[good, bad], ME).err().expect("it is another's");
        assert!(matches!(refused, LogDirsError::OtherNode { .. }), "{refused}");
    }

    #[test]
    fn a_directory_that_failed_is_another_one_when_it_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || ReplicaDir::open(folder.path(), ME).expect("opens");
        let dir = open();
        dir.settle_in("cluster").expect("is formatted");
        let id = dir.id;
        drop(dir);
        assert_eq!(open().id, id);
        open().disown();
        let other = open().id;
        assert_ne!(other, id);
        assert_eq!(open().id, other, "and stays that one");
    }

    #[test]
    fn a_directory_is_the_same_one_after_a_kill_before_the_cluster_was_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || ReplicaDir::open(folder.path(), ME).expect("opens");
        let id = open().id;
        assert_eq!(open().id, id);
        assert_eq!(open().dir.read_meta_properties().expect("readable"), None, "Apache Kafka may format it");
        open().settle_in("cluster").expect("is formatted");
        assert_eq!(open().dir.read_unsettled_id().expect("readable"), None);
        assert_eq!(open().id, id);
    }

    #[test]
    fn a_directory_that_failed_before_the_cluster_was_known_is_another_one_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || ReplicaDir::open(folder.path(), ME).expect("opens");
        let id = open().id;
        open().disown();
        assert_ne!(open().id, id);
    }
}
