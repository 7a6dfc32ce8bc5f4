//! One Fetch to one leader, and the records in its answer.

use std::collections::{BTreeMap, HashMap};

use protocol::messages::FetchRequest;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::fetch_response::PartitionData;
use protocol::records::{RecordBatch, RecordsError, batches};
use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use protocol::wire::{RecordSet, Str};

use super::isolation::Visibility;
use super::positions::Wanted;
use super::{ConsumerConfig, ConsumerRecord};
use crate::{Cluster, Error, Lane, TopicPartition};

const API: &str = "Fetch";
/// What a reader that is no replica calls itself.
const CONSUMER: i32 = -1;
/// Of a fetch that neither uses a session nor opens one.
const NO_SESSION: (i32, i32) = (0, -1);

/// A fetch to be made.
pub struct Read {
    pub cluster: Cluster,
    pub config: ConsumerConfig,
    pub leader: BrokerId,
    pub wanted: Vec<Wanted>,
}

/// What came of it: for each partition the offset that was asked for, and the answer.
pub struct Fetched {
    pub leader: BrokerId,
    pub partitions: Vec<(TopicPartition, i64, Result<Chunk, Error>)>,
}

/// The next records of one partition.
pub struct Chunk {
    pub records: Vec<ConsumerRecord>,
    /// Behind the last batch, whether its records are shown or not.
    pub next_offset: i64,
    pub leader_epoch: LeaderEpoch,
}

impl Read {
    pub async fn run(self) -> Fetched {
        let answers = self.ask().await;
        let answer_to = |(partition, (from, _)): &Wanted| {
            let answer = match &answers {
                Ok(answers) => match answers.get(partition) {
                    Some(data) => self.chunk(partition, *from, data),
                    None => Err(Error::Incomplete { api: API, subject: partition.to_string() }),
                },
                Err(error) => Err(error.clone()),
            };
            (partition.clone(), *from, answer)
        };
        Fetched { leader: self.leader, partitions: self.wanted.iter().map(answer_to).collect() }
    }

    async fn ask(&self) -> Result<HashMap<TopicPartition, PartitionData>, Error> {
        let connection = self.cluster.broker(self.leader, Lane::Fetch).await?;
        let response = connection.send(&self.request()).await?;
        Error::check(API, format!("broker {}", self.leader), response.error_code, None)?;
        let metadata = self.cluster.metadata();
        let mut answers = HashMap::new();
        for answered in response.responses {
            let Some(topic) = metadata.named(&answered.topic, answered.topic_id) else { continue };
            for data in answered.partitions {
                answers.insert(TopicPartition::new(topic.name.clone(), data.partition_index), data);
            }
        }
        Ok(answers)
    }

    fn request(&self) -> FetchRequest {
        let metadata = self.cluster.metadata();
        let mut topics: BTreeMap<&Str, FetchTopic> = BTreeMap::new();
        for (TopicPartition { topic, partition }, (offset, epoch)) in &self.wanted {
            let named = || FetchTopic {
                topic: topic.clone(),
                topic_id: metadata.topic(topic).map_or(Uuid::ZERO, |topic| topic.id),
                ..Default::default()
            };
            topics.entry(topic).or_insert_with(named).partitions.push(FetchPartition {
                partition: *partition,
                current_leader_epoch: epoch.0,
                fetch_offset: *offset,
                partition_max_bytes: clamped(self.config.partition_bytes_max),
                ..Default::default()
            });
        }
        let (session_id, session_epoch) = NO_SESSION;
        FetchRequest {
            replica_id: CONSUMER,
            max_wait_ms: self.config.fetch_wait_max.as_millis() as i32,
            min_bytes: clamped(self.config.fetch_bytes_min),
            max_bytes: clamped(self.config.fetch_bytes_max),
            isolation_level: self.config.isolation.code(),
            session_id,
            session_epoch,
            topics: topics.into_values().collect(),
            ..Default::default()
        }
    }

    fn chunk(&self, partition: &TopicPartition, from: i64, data: &PartitionData) -> Result<Chunk, Error> {
        Error::check(API, partition, data.error_code, None)?;
        let mut chunk = Chunk { records: Vec::new(), next_offset: from, leader_epoch: LeaderEpoch::UNKNOWN };
        let Some(RecordSet::Bytes(bytes)) = &data.records else { return Ok(chunk) };
        let mut visibility = Visibility::new(data.aborted_transactions.clone().unwrap_or_default());
        for batch in batches(bytes) {
            let taken = match batch {
                // The broker cuts where its bytes run out, but never within the first batch.
                Err(RecordsError::Truncated { .. }) if chunk.next_offset > from => break,
                batch => {
                    batch.and_then(|batch| self.take(partition, from, &batch, &mut visibility, &mut chunk))
                }
            };
            taken.map_err(|source| Error::Records {
                partition: partition.clone(),
                offset: chunk.next_offset,
                source,
            })?;
        }
        Ok(chunk)
    }

    /// A batch may begin before the offset that was asked for.
    fn take(
        &self,
        partition: &TopicPartition,
        from: i64,
        batch: &RecordBatch,
        visibility: &mut Visibility,
        chunk: &mut Chunk,
    ) -> Result<(), RecordsError> {
        batch.verify_crc()?;
        let leader_epoch = batch.header.partition_leader_epoch;
        if visibility.shows(batch)? {
            for record in batch.records(self.config.decompressed_bytes_max)? {
                let record = record?;
                if record.offset.0 >= from {
                    let partition = partition.clone();
                    chunk.records.push(ConsumerRecord { partition, leader_epoch, record });
                }
            }
        }
        chunk.next_offset = chunk.next_offset.max(batch.header.next_offset().0);
        chunk.leader_epoch = leader_epoch;
        Ok(())
    }
}

/// Kafka counts bytes in 31 bits.
fn clamped(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
