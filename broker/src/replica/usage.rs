//! How much a replica takes of its directory, and how far its log lags: what DescribeLogDirs tells of it.

use super::partition::{LogState, Partition};
use super::role::Role;

/// One replica, measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of all its segments, without their indexes.
    pub bytes: u64,
    /// Records below the partition's high watermark that are not here; a follower goes by what its leader said last.
    pub lag: i64,
}

impl Partition {
    /// None while the log can't be used.
    pub fn usage(&self) -> Option<Usage> {
        let state = self.lock();
        let LogState::Open(log) = &state.log else { return None };
        let high_watermark = match &state.role {
            Role::Follower(follower) => follower.told_high_watermark.max(state.high_watermark),
            Role::Leader(_) | Role::Unassigned => state.high_watermark,
        };
        Some(Usage { bytes: log.size_in_bytes(), lag: (high_watermark - log.log_end_offset()).max(0) })
    }
}
