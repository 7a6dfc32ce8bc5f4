//! What a group has committed: read, set from outside, deleted.
//!
//! Topics are named and not told by their ids, as Kafka's own tools do it: a group may have committed for a topic that is
//! gone.

use std::collections::BTreeMap;

use protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use protocol::messages::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
    OffsetFetchResponse,
};
use protocol::types::LeaderEpoch;
use protocol::wire::Str;

use super::named;
use crate::{Admin, Error, TopicPartition};

/// The last versions that name topics.
const OFFSET_FETCH_BY_NAME: i16 = 9;
const OFFSET_COMMIT_BY_NAME: i16 = 9;

/// How far a group has read a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    pub offset: i64,
    pub leader_epoch: Option<LeaderEpoch>,
    /// What the consumer wrote beside it.
    pub metadata: Str,
}

impl Admin {
    /// All that a group has committed; nothing where there is no such group.
    pub async fn committed_offsets(
        &self,
        group: &str,
    ) -> Result<BTreeMap<TopicPartition, CommittedOffset>, Error> {
        let of_group =
            OffsetFetchRequestGroup { group_id: Str::from(group), topics: None, ..Default::default() };
        let request = OffsetFetchRequest { groups: vec![of_group], ..Default::default() };
        self.on_coordinator(group, &request, OFFSET_FETCH_BY_NAME, |answer| read_committed(group, answer))
            .await
    }

    /// Sets what a group has committed. It must have no members.
    pub async fn alter_committed_offsets(
        &self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, i64>,
    ) -> Result<(), Error> {
        if offsets.is_empty() {
            return Ok(());
        }
        let request = commit(group, offsets);
        self.on_coordinator(group, &request, OFFSET_COMMIT_BY_NAME, |answer| read_altered(&answer)).await
    }

    /// Deletes what a group has committed for these partitions, which it must not read at the time.
    pub async fn delete_committed_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Result<(), Error>>, Error> {
        let request = deletion(group, partitions);
        self.on_coordinator(group, &request, i16::MAX, |answer| read_deleted(group, &answer)).await
    }
}

fn read_committed(
    group: &str,
    answer: OffsetFetchResponse,
) -> Result<BTreeMap<TopicPartition, CommittedOffset>, Error> {
    let mut committed = BTreeMap::new();
    for answered in answer.groups {
        Error::check("OffsetFetch", named(group), answered.error_code, None)?;
        for topic in answered.topics {
            for partition in topic.partitions {
                let at = TopicPartition::new(topic.name.clone(), partition.partition_index);
                Error::check("OffsetFetch", &at, partition.error_code, None)?;
                if partition.committed_offset >= 0 {
                    let leader_epoch = LeaderEpoch(partition.committed_leader_epoch);
                    let committed_offset = CommittedOffset {
                        offset: partition.committed_offset,
                        leader_epoch: (leader_epoch != LeaderEpoch::UNKNOWN).then_some(leader_epoch),
                        metadata: partition.metadata.unwrap_or_default(),
                    };
                    committed.insert(at, committed_offset);
                }
            }
        }
    }
    Ok(committed)
}

fn commit(group: &str, offsets: &BTreeMap<TopicPartition, i64>) -> OffsetCommitRequest {
    let mut topics: BTreeMap<&Str, OffsetCommitRequestTopic> = BTreeMap::new();
    for (TopicPartition { topic, partition }, offset) in offsets {
        let named = || OffsetCommitRequestTopic { name: topic.clone(), ..Default::default() };
        topics.entry(topic).or_insert_with(named).partitions.push(OffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_metadata: Some(Str::default()),
            ..Default::default()
        });
    }
    let topics = topics.into_values().collect();
    OffsetCommitRequest { group_id: Str::from(group), topics, ..Default::default() }
}

fn read_altered(answer: &OffsetCommitResponse) -> Result<(), Error> {
    for topic in &answer.topics {
        for partition in &topic.partitions {
            let at = TopicPartition::new(topic.name.clone(), partition.partition_index);
            Error::check("OffsetCommit", at, partition.error_code, None)?;
        }
    }
    Ok(())
}

fn deletion(group: &str, partitions: &[TopicPartition]) -> OffsetDeleteRequest {
    let mut topics: BTreeMap<&Str, OffsetDeleteRequestTopic> = BTreeMap::new();
    for TopicPartition { topic, partition } in partitions {
        let named = || OffsetDeleteRequestTopic { name: topic.clone(), partitions: Vec::new() };
        let partition = OffsetDeleteRequestPartition { partition_index: *partition };
        topics.entry(topic).or_insert_with(named).partitions.push(partition);
    }
    OffsetDeleteRequest { group_id: Str::from(group), topics: topics.into_values().collect() }
}

fn read_deleted(
    group: &str,
    answer: &OffsetDeleteResponse,
) -> Result<BTreeMap<TopicPartition, Result<(), Error>>, Error> {
    Error::check("OffsetDelete", named(group), answer.error_code, None)?;
    let mut outcomes = BTreeMap::new();
    for topic in &answer.topics {
        for partition in &topic.partitions {
            let at = TopicPartition::new(topic.name.detached(), partition.partition_index);
            let outcome = Error::check("OffsetDelete", &at, partition.error_code, None);
            outcomes.insert(at, outcome);
        }
    }
    Ok(outcomes)
}
