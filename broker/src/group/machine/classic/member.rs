//! One member of a classic group: who it is, what it speaks, and the request it may be waiting on.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use protocol::wire::Str;

use crate::group::machine::effects::Port;

/// One member.
pub struct Member {
    pub id: Str,
    /// `group.instance.id`: a static member (KIP-345) keeps its place while it restarts.
    pub instance_id: Option<Str>,
    pub client: Client,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// What it speaks, best first. At least the group's protocol while the group has one.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// What the leader gave it; empty during a rebalance.
    pub assignment: Bytes,
    /// Changed only through the roster, which counts those who wait.
    pub(super) awaiting_join: Option<Port<JoinGroupResponse>>,
    pub awaiting_sync: Option<Port<SyncGroupResponse>>,
    /// It has not seen its member id yet, so it can't heartbeat: its session runs even while it waits.
    pub is_new: bool,
}

/// Who is at the other end, as DescribeGroups shows it.
#[derive(Debug, Clone)]
pub struct Client {
    pub id: Str,
    /// As Java prints an address: `/127.0.0.1`.
    pub host: Str,
}

impl Member {
    pub fn session_timeout(&self) -> Duration {
        millis(self.session_timeout_ms)
    }

    pub fn rebalance_timeout(&self) -> Duration {
        millis(self.rebalance_timeout_ms)
    }

    pub fn is_static(&self) -> bool {
        self.instance_id.is_some()
    }

    pub fn is_awaiting_join(&self) -> bool {
        self.awaiting_join.is_some()
    }

    /// Whether a session that ran out is forgiven: who waits for the rest of the group can't be expected to heartbeat.
    pub fn satisfies_heartbeat(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }

    /// What it said under `protocol`; nothing if it does not speak it.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|spoken| &*spoken.name == protocol)
            .map(|spoken| spoken.metadata.clone())
            .unwrap_or_default()
    }

    /// The best of `candidates` for this member.
    pub fn vote<'a>(&'a self, candidates: &BTreeSet<&str>) -> Option<&'a Str> {
        self.protocols.iter().map(|spoken| &spoken.name).find(|name| candidates.contains(&***name))
    }

    /// The names of what it speaks, each once.
    pub fn protocol_names(&self) -> BTreeSet<Str> {
        self.protocols.iter().map(|spoken| spoken.name.clone()).collect()
    }
}

/// Copies of `protocols` that do not hold on to the request's buffer.
pub fn owned_protocols(protocols: &[JoinGroupRequestProtocol]) -> Vec<JoinGroupRequestProtocol> {
    let own = |spoken: &JoinGroupRequestProtocol| JoinGroupRequestProtocol {
        name: spoken.name.detached(),
        metadata: Bytes::copy_from_slice(&spoken.metadata),
    };
    protocols.iter().map(own).collect()
}

/// A duration as the wire says it; a negative one is none.
pub fn millis(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
