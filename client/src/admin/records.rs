//! Records deleted from the front of partitions, by those who lead them.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use protocol::types::BrokerId;
use protocol::wire::Str;

use crate::{Admin, Error, TopicPartition};

/// "All that is committed", as the offset before which records are deleted.
pub const HIGH_WATERMARK: i64 = -1;

/// What became of each partition: its new first offset, or why it has none.
type Outcomes = BTreeMap<TopicPartition, Result<i64, Error>>;

impl Admin {
    /// Deletes every record before an offset of each partition; what remains begins at the offset that is returned.
    /// Retries while leaders move.
    pub async fn delete_records(&self, before: &BTreeMap<TopicPartition, i64>) -> Outcomes {
        let mut backoff = self.cluster().config().retry.start();
        let mut outcomes = self.try_delete_records(before).await;
        loop {
            let again: BTreeMap<_, _> = before
                .iter()
                .filter(|(partition, _)| outcomes.get(partition).is_none_or(is_worth_another_attempt))
                .map(|(partition, offset)| (partition.clone(), *offset))
                .collect();
            if again.is_empty() || !backoff.wait().await {
                return outcomes;
            }
            for partition in again.keys() {
                // Where this fails the attempt itself says so.
                let _ = self.cluster().refresh_topic_once(&partition.topic).await;
            }
            outcomes.extend(self.try_delete_records(&again).await);
        }
    }

    async fn try_delete_records(&self, before: &BTreeMap<TopicPartition, i64>) -> Outcomes {
        let mut outcomes = Outcomes::new();
        let mut by_leader: BTreeMap<BrokerId, Vec<(&TopicPartition, i64)>> = BTreeMap::new();
        for (partition, offset) in before {
            match self.cluster().leader(partition).await {
                Ok(leader) => by_leader.entry(leader).or_default().push((partition, *offset)),
                Err(error) => _ = outcomes.insert(partition.clone(), Err(error)),
            }
        }
        for (leader, asked) in by_leader {
            match self.call_broker(leader, &self.deletion(&asked)).await {
                Ok(answer) => read_answer(&answer, &mut outcomes),
                Err(error) => {
                    let failed =
                        asked.iter().map(|(partition, _)| ((*partition).clone(), Err(error.clone())));
                    outcomes.extend(failed);
                }
            }
        }
        outcomes
    }

    fn deletion(&self, asked: &[(&TopicPartition, i64)]) -> DeleteRecordsRequest {
        let mut topics: BTreeMap<&Str, DeleteRecordsTopic> = BTreeMap::new();
        for (TopicPartition { topic, partition }, offset) in asked {
            let named = || DeleteRecordsTopic { name: topic.clone(), partitions: Vec::new() };
            let partition = DeleteRecordsPartition { partition_index: *partition, offset: *offset };
            topics.entry(topic).or_insert_with(named).partitions.push(partition);
        }
        DeleteRecordsRequest { topics: topics.into_values().collect(), timeout_ms: self.change_timeout_ms() }
    }
}

fn read_answer(answer: &DeleteRecordsResponse, outcomes: &mut Outcomes) {
    for topic in &answer.topics {
        for deleted in &topic.partitions {
            let partition = TopicPartition::new(topic.name.detached(), deleted.partition_index);
            let outcome = Error::check("DeleteRecords", &partition, deleted.error_code, None);
            outcomes.insert(partition, outcome.map(|()| deleted.low_watermark));
        }
    }
}

/// The search for a leader has had its own retries.
fn is_worth_another_attempt(outcome: &Result<i64, Error>) -> bool {
    let Err(error) = outcome else { return false };
    let missing = error.code() == Some(ErrorCode::UnknownTopicOrPartition);
    !missing && !matches!(error, Error::NoLeader { .. }) && error.is_retriable()
}
