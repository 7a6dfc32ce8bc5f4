//! OffsetFetch: what a group has committed.

use protocol::ErrorCode;
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use protocol::types::Uuid;
use protocol::wire::Str;

use super::committed::{CommittedOffset, GroupOffsets, OffsetKey};
use super::transactions::OpenTransactions;
use crate::group::machine::effects::{Port, Then};
use crate::group::machine::groups::Groups;
use crate::group::machine::turn::Turn;

/// What stands where nothing was committed.
const NO_OFFSET: i64 = -1;

/// An OffsetFetch for one group, each topic with its name.
pub struct FetchCall {
    pub request: OffsetFetchRequestGroup,
    /// Commits on their way are waited for, and what a transaction may still change has an error (KIP-447).
    pub require_stable: bool,
    pub port: Port<OffsetFetchResponseGroup>,
}

impl Groups {
    pub(in crate::group::machine) fn fetch(&self, call: FetchCall, turn: &mut Turn<'_>) {
        if call.require_stable {
            turn.write(Vec::new(), Then::Fetch(call));
        } else {
            self.fetch_now(call, turn);
        }
    }

    pub(in crate::group::machine) fn fetch_now(&self, call: FetchCall, turn: &mut Turn<'_>) {
        let no_transactions = OpenTransactions::default();
        let no_offsets = GroupOffsets::default();
        let fetch = Fetch {
            group: &call.request.group_id,
            offsets: self.get(&call.request.group_id).map_or(&no_offsets, |group| &group.offsets),
            transactions: if call.require_stable { &self.transactions } else { &no_transactions },
        };
        let topics = match &call.request.topics {
            Some(topics) => topics.iter().map(|topic| fetch.topic(topic)).collect(),
            None => fetch.all(),
        };
        let group_id = call.request.group_id.clone();
        turn.answer(call.port, OffsetFetchResponseGroup { group_id, topics, ..Default::default() });
    }
}

struct Fetch<'a> {
    group: &'a Str,
    offsets: &'a GroupOffsets,
    transactions: &'a OpenTransactions,
}

impl Fetch<'_> {
    fn topic(&self, asked: &OffsetFetchRequestTopics) -> OffsetFetchResponseTopics {
        let partitions = asked.partition_indexes.iter().map(|partition| {
            let committed = self.offsets.get(&asked.name, *partition);
            self.partition(&asked.name, *partition, committed.filter(|it| is_of_topic(it, asked.topic_id)))
        });
        OffsetFetchResponseTopics {
            name: asked.name.clone(),
            topic_id: asked.topic_id,
            partitions: partitions.collect(),
        }
    }

    fn all(&self) -> Vec<OffsetFetchResponseTopics> {
        let shown = self.offsets.topics().map(|(name, committed)| {
            let mut partitions: Vec<_> =
                committed.iter().map(|(partition, it)| self.partition(name, *partition, Some(it))).collect();
            partitions.sort_unstable_by_key(|partition| partition.partition_index);
            OffsetFetchResponseTopics { name: name.clone(), partitions, ..Default::default() }
        });
        shown.collect()
    }

    fn partition(
        &self,
        topic: &Str,
        partition: i32,
        committed: Option<&CommittedOffset>,
    ) -> OffsetFetchResponsePartitions {
        let key = || OffsetKey { group: self.group.clone(), topic: topic.clone(), partition };
        if !self.transactions.is_empty() && self.transactions.contains(&key()) {
            return nothing(partition, ErrorCode::UnstableOffsetCommit);
        }
        let Some(committed) = committed else { return nothing(partition, ErrorCode::None) };
        OffsetFetchResponsePartitions {
            partition_index: partition,
            committed_offset: committed.offset,
            committed_leader_epoch: committed.leader_epoch,
            metadata: Some(Str::from(&*committed.metadata)),
            ..Default::default()
        }
    }
}

/// A commit for an earlier topic of the same name says nothing of this one.
fn is_of_topic(committed: &CommittedOffset, asked: Uuid) -> bool {
    committed.topic_id.is_zero() || asked.is_zero() || committed.topic_id == asked
}

fn nothing(partition: i32, error: ErrorCode) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index: partition,
        committed_offset: NO_OFFSET,
        committed_leader_epoch: -1,
        metadata: Some(Str::default()),
        error_code: error.code(),
    }
}
