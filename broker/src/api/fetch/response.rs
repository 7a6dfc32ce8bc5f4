//! The response to a fetch: what a look found, less what the session has told already, and where those are sent who came to
//! the wrong broker.

use std::sync::Arc;
use std::time::Instant;

use protocol::ErrorCode;
use protocol::messages::FetchResponse;
use protocol::messages::fetch_response::{
    FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use protocol::wire::RecordSet;
use storage::log::FileRange;

use super::Fetch;
use super::look::{Found, Look};
use crate::api::leader_hint::LeaderHints;
use crate::fetch::session::Wanted;
use crate::fetch::wait::Audience;
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;

/// From this version on whoever went astray is told who leads (KIP-951).
const LEADER_HINTS_SINCE: i16 = 16;

/// A response and the file ranges that its record sets stand for, by token.
pub struct Fetched {
    pub response: FetchResponse,
    pub ranges: Vec<FileRange>,
}

impl Fetched {
    /// The request as a whole is refused.
    pub(super) fn refused(error: ErrorCode) -> Fetched {
        let response = FetchResponse { error_code: error.code(), ..FetchResponse::default() };
        Fetched { response, ranges: Vec::new() }
    }
}

impl Fetch {
    /// Makes the response of a look; a session leaves out what it has told already.
    pub(super) fn finish(self, look: Look) -> Fetched {
        let mut topics: Vec<FetchableTopicResponse> = Vec::new();
        let is_follower = self.audience() == Audience::Followers;
        let mut ranges = Vec::new();
        let mut session = self.plan.session.as_ref().map(|session| session.lock());
        for ((wanted, partition), Found { mut data, range }) in
            self.plan.wanted.iter().zip(&self.partitions).zip(look.found)
        {
            self.observe(partition, &data, range.as_ref());
            if let Some(mut range) = range {
                // A follower that is so far behind that it reads from the disk reads alone.
                range.read_once = is_follower;
                data.records = Some(elsewhere(&range, ranges.len()));
                ranges.push(range);
            }
            let news = session.as_mut().is_none_or(|session| session.has_news(&wanted.topic, &data));
            if news || !self.plan.incremental {
                push(&mut topics, wanted, data);
            }
        }
        drop(session);
        let node_endpoints = self.add_leader_hints(&mut topics);
        if !is_follower && !ranges.is_empty() {
            self.broker.client_activity.note(Instant::now());
        }
        let throttle_time_ms = if is_follower { self.throttle_ms() } else { 0 };
        let session_id = self.plan.session_id;
        let responses = topics;
        Fetched {
            response: FetchResponse {
                throttle_time_ms,
                session_id,
                responses,
                node_endpoints,
                ..Default::default()
            },
            ranges,
        }
    }

    /// Whether a follower that catches up is to leave time for clients: as much as it sees fit, from the least there is.
    fn throttle_ms(&self) -> i32 {
        i32::from(self.broker.client_activity.is_on())
    }

    fn observe(
        &self,
        partition: &Result<Arc<Partition>, PartitionError>,
        data: &PartitionData,
        range: Option<&FileRange>,
    ) {
        let Ok(Partition { metrics, .. }) = partition.as_deref() else { return };
        let bytes = range.map_or(0, |range| range.length.into());
        if self.audience() == Audience::Followers {
            return metrics.observe_replication_out(bytes);
        }
        metrics.observe_fetch(bytes);
        metrics.observe_fetch_request(data.error_code != 0);
    }

    /// Names the leader to those who came to the wrong broker, or with an old epoch.
    fn add_leader_hints(&self, topics: &mut [FetchableTopicResponse]) -> Vec<NodeEndpoint> {
        let astray = [ErrorCode::NotLeaderOrFollower.code(), ErrorCode::FencedLeaderEpoch.code()];
        let is_astray = |data: &PartitionData| astray.contains(&data.error_code);
        let anyone = topics.iter().flat_map(|topic| &topic.partitions).any(is_astray);
        if self.context.api_version < LEADER_HINTS_SINCE || !anyone {
            return Vec::new();
        }
        let mut hints = LeaderHints::new(&self.broker, &self.context.listener);
        for topic in topics {
            for partition in topic.partitions.iter_mut().filter(|data| is_astray(data)) {
                if let Some((leader, epoch)) =
                    hints.leader(&topic.topic, topic.topic_id, partition.partition_index)
                {
                    partition.current_leader =
                        LeaderIdAndEpoch { leader_id: leader.0, leader_epoch: epoch.0 };
                }
            }
        }
        hints.into_nodes(|node_id, host, port, rack| NodeEndpoint { node_id, host, port, rack })
    }
}

fn elsewhere(range: &FileRange, token: usize) -> RecordSet {
    RecordSet::Elsewhere { length: range.length, token: token as u32 }
}

/// Adds a partition to the response, beside its neighbours of the same topic.
fn push(topics: &mut Vec<FetchableTopicResponse>, wanted: &Wanted, data: PartitionData) {
    let (name, id) = (&wanted.topic.name, wanted.topic.id);
    match topics.last_mut().filter(|last| last.topic == *name && last.topic_id == id) {
        Some(topic) => topic.partitions.push(data),
        None => {
            topics.push(FetchableTopicResponse { topic: name.clone(), topic_id: id, partitions: vec![data] })
        }
    }
}
