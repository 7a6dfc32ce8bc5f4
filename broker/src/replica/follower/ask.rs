//! What a follower asks its leader for, partition by partition.

use protocol::types::{LeaderEpoch, Offset, Uuid};

/// A partition by its topic's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey {
    pub topic: Uuid,
    pub index: i32,
}

/// Where a replica's log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub log_start: Offset,
    pub log_end: Offset,
    /// The epoch of the newest record, by which the leader finds where the logs part; `None` for a log without any.
    pub last_epoch: Option<LeaderEpoch>,
}

/// One partition of a fetch: everything from the end of the log on, of the leader of this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    pub leader_epoch: LeaderEpoch,
    pub position: Position,
}
