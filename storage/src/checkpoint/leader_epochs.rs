//! `leader-epoch-checkpoint`: where each leader epoch of one partition began. Its meaning is in
//! [`crate::leader_epochs`].

use std::path::Path;

use protocol::types::{LeaderEpoch, Offset};

use super::text::{CheckpointError, read_entries, text_of};
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

/// The text of a file that holds `entries`.
pub(crate) fn leader_epochs_text(entries: &[EpochEntry]) -> String {
    text_of(entries.iter().map(|entry| format!("{} {}", entry.epoch, entry.start_offset)))
}
