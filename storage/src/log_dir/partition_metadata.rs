//! `partition.metadata`: which topic id a partition's directory was made for, so that a topic deleted and created anew
//! under the same name never serves the old one's records.

use std::fs;
use std::path::{Path, PathBuf};

use protocol::types::Uuid;

use crate::durable::write_atomically;
use crate::failure::IoFailure;

const FILE_NAME: &str = "partition.metadata";

/// Why the topic id of a partition's directory cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PartitionMetadataError {
    #[error(transparent)]
    Io(#[from] IoFailure),
    #[error("{} is malformed", path.display())]
    Malformed { path: PathBuf },
}

/// The topic id in the partition directory `directory`; `None` if it has none yet.
pub fn read_partition_metadata(directory: &Path) -> Result<Option<Uuid>, PartitionMetadataError> {
    let path = directory.join(FILE_NAME);
    match fs::read_to_string(&path) {
        Ok(text) => parse(&text).map(Some).ok_or(PartitionMetadataError::Malformed { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IoFailure { action: "read", path, source }.into()),
    }
}

/// Writes the topic id into the partition directory `directory`, durably.
pub fn write_partition_metadata(directory: &Path, topic_id: Uuid) -> Result<(), IoFailure> {
    let text = format!("version: 0\ntopic_id: {topic_id}\n");
    write_atomically(&directory.join(FILE_NAME), text.as_bytes())
}

fn parse(text: &str) -> Option<Uuid> {
    let mut lines = text.lines();
    let version = lines.next()?.strip_prefix("version:")?.trim();
    let topic_id = lines.next()?.strip_prefix("topic_id:")?.trim();
    topic_id.parse().ok().filter(|_| version == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_id_reads_back() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read_partition_metadata(directory.path()).unwrap(), None);
        let id = Uuid::random().unwrap();
        write_partition_metadata(directory.path(), id).unwrap();
        assert_eq!(read_partition_metadata(directory.path()).unwrap(), Some(id));
        fs::write(directory.path().join(FILE_NAME), "version: 0\n").unwrap();
        assert!(read_partition_metadata(directory.path()).is_err());
    }
}
