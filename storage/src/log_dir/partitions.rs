//! Which partitions a log directory holds, told from the names of its directories.
//!
//! ```text
//! orders-7                    a live log
//! orders-7.{32 hex}-delete    deleted: to be removed
//! orders-7.{32 hex}-future    a replica being moved here from another log directory
//! orders-7.{32 hex}-stray     a replica that the cluster did not know when the broker started
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use protocol::types::Uuid;

use super::LogDir;
use crate::durable::sync_dir;
use crate::failure::{Described, IoFailure};
use crate::topic_partition::TopicPartition;

const MAX_FILE_NAME_BYTES: usize = 255;

/// KRaft's own log, which a combined node of Apache Kafka keeps among the partitions: none of ours.
const KRAFT_METADATA_TOPIC: &str = "__cluster_metadata";

/// One directory that belongs to a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionDir {
    pub partition: TopicPartition,
    pub path: PathBuf,
    pub state: PartitionDirState,
}

/// What such a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionDirState {
    /// Holds a log to be served.
    Live,
    /// Is to be removed by [`remove_partition_dir`].
    Deleted,
    /// Was being filled when its mover stopped.
    Future,
    /// Was set aside.
    Stray,
}

impl LogDir {
    /// Where the log of `partition` lies, or would.
    pub fn partition_path(&self, partition: &TopicPartition) -> PathBuf {
        self.path.join(partition.to_string())
    }

    /// Every partition's directory in here, sorted by path. Directories of other names are left alone.
    pub fn partitions(&self) -> Result<Vec<PartitionDir>, IoFailure> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).describe("list", &self.path)? {
            let entry = entry.describe("list", &self.path)?;
            let path = entry.path();
            if !entry.file_type().describe("inspect", &path)?.is_dir() {
                continue;
            }
            found.extend(entry.file_name().to_str().and_then(|name| understand(name, &path)));
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }
}

/// Removes a partition's directory and what is in it.
pub fn remove_partition_dir(path: &Path) -> Result<(), IoFailure> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => {
            outcome.describe("remove directory", path)?;
            path.parent().map_or(Ok(()), sync_dir)
        }
    }
}

/// A fresh name for the directory of a partition that is being deleted; a long topic name is cut to fit.
pub fn deletion_name(partition: &TopicPartition, id: Uuid) -> String {
    departed_name(partition, id, "delete")
}

/// A fresh name for the directory of a partition that the cluster does not know.
pub fn stray_name(partition: &TopicPartition, id: Uuid) -> String {
    departed_name(partition, id, "stray")
}

fn departed_name(partition: &TopicPartition, id: Uuid, state: &str) -> String {
    let hex: String = id.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let suffix = format!("-{}.{hex}-{state}", partition.partition);
    let room = MAX_FILE_NAME_BYTES - suffix.len();
    let topic = &partition.topic[..partition.topic.len().min(room)];
    format!("{topic}{suffix}")
}

fn understand(name: &str, path: &Path) -> Option<PartitionDir> {
    let (partition_name, state) = split_state(name);
    let partition = TopicPartition::from_directory_name(partition_name)?;
    let ours = partition.topic != KRAFT_METADATA_TOPIC;
    ours.then(|| PartitionDir { partition, path: path.to_owned(), state })
}

fn split_state(name: &str) -> (&str, PartitionDirState) {
    let marked = [
        ("-delete", PartitionDirState::Deleted),
        ("-future", PartitionDirState::Future),
        ("-stray", PartitionDirState::Stray),
    ];
    for (suffix, state) in marked {
        if let Some((partition_name, _)) = name.strip_suffix(suffix).and_then(|rest| rest.rsplit_once('.')) {
            return (partition_name, state);
        }
    }
    (name, PartitionDirState::Live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_told_apart_by_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let log_dir = LogDir::open(directory.path()).unwrap();
        let deleted = deletion_name(&TopicPartition::new("a.b", 3), Uuid([7; 16]));
        let names =
            ["orders-0", "x-y.0af-stray-1", "lost+found", "__cluster_metadata-0", &deleted, "b-1.00-future"];
        for name in names {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        fs::write(directory.path().join("file-0"), "").unwrap();
        let found: Vec<_> =
            log_dir.partitions().unwrap().into_iter().map(|d| (d.partition.to_string(), d.state)).collect();
        let expected = [
            ("a.b-3", PartitionDirState::Deleted),
            ("b-1", PartitionDirState::Future),
            ("orders-0", PartitionDirState::Live),
            ("x-y.0af-stray-1", PartitionDirState::Live),
        ];
        assert_eq!(found, expected.map(|(name, state)| (name.to_owned(), state)));
    }

    #[test]
    fn the_name_of_a_deleted_log_fits_the_file_system() {
        let longest = TopicPartition::new("t".repeat(249), i32::MAX);
        assert!(deletion_name(&longest, Uuid([1; 16])).len() <= MAX_FILE_NAME_BYTES);
    }
}
