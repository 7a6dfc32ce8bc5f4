//! One offset per partition: the checkpoint files that lie at the top of each log directory.

use std::collections::BTreeMap;
use std::path::Path;

use protocol::types::Offset;

use super::text::{CheckpointError, read_entries, text_of};
use crate::durable::write_atomically;
use crate::topic_partition::TopicPartition;

/// Up to where each log is known to be on the disk: recovery begins there.
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// The high watermarks.
pub const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
/// The log start offsets that differ from the base offset of the first segment.
pub const LOG_START_OFFSETS: &str = "log-start-offset-checkpoint";
/// Up to where the cleaner has compacted.
pub const CLEANER_OFFSETS: &str = "cleaner-offset-checkpoint";

/// What such a file holds.
pub type OffsetCheckpoint = BTreeMap<TopicPartition, Offset>;

/// Reads the file at `path`; a missing one is empty.
pub fn read_offsets(path: &Path) -> Result<OffsetCheckpoint, CheckpointError> {
    Ok(read_entries(path, parse)?.into_iter().collect())
}

/// Replaces the file at `path`, durably.
pub fn write_offsets(path: &Path, offsets: &OffsetCheckpoint) -> Result<(), CheckpointError> {
    let entries = offsets.iter().map(|(at, offset)| format!("{} {} {offset}", at.topic, at.partition));
    Ok(write_atomically(path, text_of(entries).as_bytes())?)
}

fn parse(line: &str) -> Option<(TopicPartition, Offset)> {
    let mut words = line.split_ascii_whitespace();
    let (topic, partition, offset) = (words.next()?, words.next()?, words.next()?);
    let at = TopicPartition::new(topic, partition.parse().ok()?);
    words.next().is_none().then_some((at, Offset(offset.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_back_as_written_in_kafka_s_own_text() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(RECOVERY_POINTS);
        assert_eq!(read_offsets(&path).unwrap(), OffsetCheckpoint::new());
        std::fs::write(&path, "").unwrap();
        assert_eq!(read_offsets(&path).unwrap(), OffsetCheckpoint::new());
        let offsets = OffsetCheckpoint::from([
            (TopicPartition::new("orders", 1), Offset(977)),
            (TopicPartition::new("orders", 0), Offset(1042)),
        ]);
        write_offsets(&path, &offsets).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "0\n2\norders 0 1042\norders 1 977\n");
        assert_eq!(read_offsets(&path).unwrap(), offsets);
    }

    #[test]
    fn a_malformed_file_is_refused_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(HIGH_WATERMARKS);
        for (text, expected) in
            [("1\n0\n", 1), ("0\nx\n", 2), ("0\n2\na 0 1\n", 2), ("0\n1\na 0\n", 3), ("\n", 1)]
        {
            std::fs::write(&path, text).unwrap();
            match read_offsets(&path) {
                Err(CheckpointError::Malformed { line, .. }) => assert_eq!(line, expected, "{text:?}"),
                other => panic!("{text:?} gave {other:?}"),
            }
        }
    }
}
