//! How far a group has read: stored at its coordinator, and asked of it.

use std::collections::{BTreeMap, HashMap};

use protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::{OffsetCommitRequest, OffsetFetchRequest};
use protocol::types::{LeaderEpoch, Uuid};
use protocol::wire::Str;

use super::OffsetSpec;
use super::coordinator::{Coordinator, Member};
use crate::{Error, Lane, TopicPartition};

impl Coordinator {
    /// Stores offsets, with retries while the coordinator moves.
    pub async fn commit(
        &self,
        member: &Member,
        offsets: &[(TopicPartition, i64, LeaderEpoch)],
    ) -> Result<(), Error> {
        let request = self.commit_request(member, offsets);
        let mut backoff = self.cluster().config().retry.start();
        loop {
            match self.try_commit(&request).await {
                Err(error) if error.is_retriable() && backoff.wait().await => {}
                committed => return committed,
            }
        }
    }

    async fn try_commit(&self, request: &OffsetCommitRequest) -> Result<(), Error> {
        let answer = self.call(request, Lane::Heartbeat, self.request_timeout()).await?;
        let mut codes = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|p| p.error_code);
        codes.try_for_each(|code| self.check("OffsetCommit", code))
    }

    fn commit_request(
        &self,
        member: &Member,
        offsets: &[(TopicPartition, i64, LeaderEpoch)],
    ) -> OffsetCommitRequest {
        let mut topics: BTreeMap<&Str, OffsetCommitRequestTopic> = BTreeMap::new();
        for (TopicPartition { topic, partition }, offset, epoch) in offsets {
            let named = || OffsetCommitRequestTopic {
                name: topic.clone(),
                topic_id: self.topic_id(topic),
                ..Default::default()
            };
            topics.entry(topic).or_insert_with(named).partitions.push(OffsetCommitRequestPartition {
                partition_index: *partition,
                committed_offset: *offset,
                committed_leader_epoch: epoch.0,
                committed_metadata: Some(Str::default()),
            });
        }
        OffsetCommitRequest {
            group_id: self.group(),
            generation_id_or_member_epoch: member.generation(),
            member_id: member.id(),
            group_instance_id: self.instance(),
            topics: topics.into_values().collect(),
            ..Default::default()
        }
    }

    /// Where the group had come to; `otherwise` for partitions that it has not read yet.
    pub async fn committed(
        &self,
        partitions: &[TopicPartition],
        otherwise: OffsetSpec,
    ) -> Result<Vec<(TopicPartition, OffsetSpec)>, Error> {
        for partition in partitions {
            self.cluster().topic(&partition.topic).await?;
        }
        let request = self.committed_request(partitions);
        let mut backoff = self.cluster().config().retry.start();
        let committed = loop {
            match self.try_committed(&request).await {
                Err(error) if error.is_retriable() && backoff.wait().await => {}
                committed => break committed?,
            }
        };
        let begin = |partition: &TopicPartition| {
            let offset = committed.get(partition).filter(|offset| **offset >= 0);
            (partition.clone(), offset.map_or(otherwise, |offset| OffsetSpec::At(*offset)))
        };
        Ok(partitions.iter().map(begin).collect())
    }

    fn committed_request(&self, partitions: &[TopicPartition]) -> OffsetFetchRequest {
        let mut topics: BTreeMap<&Str, OffsetFetchRequestTopics> = BTreeMap::new();
        for TopicPartition { topic, partition } in partitions {
            let named = || OffsetFetchRequestTopics {
                name: topic.clone(),
                topic_id: self.topic_id(topic),
                ..Default::default()
            };
            topics.entry(topic).or_insert_with(named).partition_indexes.push(*partition);
        }
        let topics = Some(topics.into_values().collect());
        let group = OffsetFetchRequestGroup { group_id: self.group(), topics, ..Default::default() };
        OffsetFetchRequest { groups: vec![group], ..Default::default() }
    }

    async fn try_committed(
        &self,
        request: &OffsetFetchRequest,
    ) -> Result<HashMap<TopicPartition, i64>, Error> {
        let answer = self.call(request, Lane::Heartbeat, self.request_timeout()).await?;
        let metadata = self.cluster().metadata();
        let mut committed = HashMap::new();
        for group in &answer.groups {
            self.check("OffsetFetch", group.error_code)?;
            for answered in &group.topics {
                let Some(topic) = metadata.named(&answered.name, answered.topic_id) else { continue };
                for partition in &answered.partitions {
                    self.check("OffsetFetch", partition.error_code)?;
                    let at = TopicPartition::new(topic.name.clone(), partition.partition_index);
                    committed.insert(at, partition.committed_offset);
                }
            }
        }
        Ok(committed)
    }

    fn topic_id(&self, topic: &Str) -> Uuid {
        self.cluster().metadata().topic(topic).map_or(Uuid::ZERO, |topic| topic.id)
    }
}
