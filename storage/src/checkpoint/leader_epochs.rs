//! `leader-epoch-checkpoint`: where each leader epoch of one partition began. Its meaning is in
//! [`crate::leader_epochs`].

use std::path::Path;

use protocol::types::{LeaderEpoch, Offset};

use super::text::{CheckpointError, read_entries, write_entries};
use crate::leader_epochs::EpochEntry;

/// Its name inside the partition's directory.
pub(crate) const FILE_NAME: &str = "leader-epoch-checkpoint";

/// Reads the file at `path`; a missing one is empty.
pub fn read_leader_epochs(path: &Path) -> Result<Vec<EpochEntry>, CheckpointError> {
    read_entries(path, |line| {
        let (epoch, start_offset) = line.split_once(' ')?;
        Some(EpochEntry {
            epoch: LeaderEpoch(epoch.parse().ok()?),
            start_offset: Offset(start_offset.trim().parse().ok()?),
        })
    })
}

/// Replaces the file at `path`, durably.
pub fn write_leader_epochs(path: &Path, entries: &[EpochEntry]) -> Result<(), CheckpointError> {
    write_entries(path, entries.iter().map(|entry| format!("{} {}", entry.epoch, entry.start_offset)))
}
