//! Everything that a shard is asked: one closed enum.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::list_groups_response::ListedGroup;
use protocol::wire::Str;

use super::classic::{HeartbeatCall, JoinCall, LeaveCall, SyncCall};
use super::effects::{Answer, Port};
use super::offsets::{CommitCall, DeleteOffsetsCall, DeletedTopic, FetchCall};
use super::survey::Survey;

/// One request, or one thing that happened.
pub enum Event {
    Join(JoinCall),
    Sync(SyncCall),
    Heartbeat(HeartbeatCall),
    Leave(LeaveCall),
    Commit(CommitCall),
    Fetch(FetchCall),
    DeleteOffsets(DeleteOffsetsCall),
    DeleteGroup {
        group: Str,
        port: Port<()>,
    },
    /// None where there is no such group.
    Describe {
        group: Str,
        port: Port<Option<DescribedGroup>>,
    },
    List(ListCall),
    /// For those who watch; so many groups and committed offsets at most.
    Survey {
        size_max: usize,
        port: Port<Survey>,
    },
    TopicsDeleted(Arc<[DeletedTopic]>),
}

/// ListGroups, for the groups of one shard.
pub struct ListCall {
    /// In lower case; empty asks for all.
    pub states: Vec<String>,
    /// In lower case; empty asks for all.
    pub types: Vec<String>,
    pub port: Port<Vec<ListedGroup>>,
}

impl Event {
    /// The answer of a shard that can't take requests now, where somebody waits for one.
    pub fn refuse(self, error: ErrorCode) -> Option<Answer> {
        Some(match self {
            Event::Join(call) => call.port.refuse(error),
            Event::Sync(call) => call.port.refuse(error),
            Event::Heartbeat(call) => call.port.refuse(error),
            Event::Leave(call) => call.port.refuse(error),
            Event::Commit(call) => call.port.refuse(error),
            Event::Fetch(call) => call.port.refuse(error),
            Event::DeleteOffsets(call) => call.port.refuse(error),
            Event::DeleteGroup { port, .. } => port.refuse(error),
            Event::Describe { port, .. } => port.refuse(error),
            Event::List(call) => call.port.refuse(error),
            Event::Survey { port, .. } => port.refuse(error),
            Event::TopicsDeleted(_) => return None,
        })
    }
}
