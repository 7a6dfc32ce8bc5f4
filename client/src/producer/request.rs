//! One Produce to one leader, and what became of each batch in it.

use std::collections::HashMap;

use protocol::ErrorCode;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::produce_response::PartitionProduceResponse;
use protocol::messages::{ProduceRequest, ProduceResponse};
use protocol::types::{BrokerId, Uuid};
use protocol::wire::{RecordSet, Str};

use super::Acks;
use super::batch::{Appended, Batch};
use crate::{Cluster, Error, Lane, Metadata, TopicPartition};

const API: &str = "Produce";

/// A batch and what came of it.
pub struct Outcome {
    pub batch: Batch,
    pub result: Result<Appended, Error>,
}

/// Sends batches to the broker that leads their partitions. Where that went wrong for reasons that fresher metadata
/// may mend, it is asked for before this returns.
pub async fn produce(
    cluster: Cluster,
    leader: Option<BrokerId>,
    acks: Acks,
    mut batches: Vec<Batch>,
) -> Vec<Outcome> {
    let results = match send(&cluster, leader, acks, &mut batches).await {
        Ok(results) => results,
        Err(error) => vec![Err(error); batches.len()],
    };
    let outcomes = batches.into_iter().zip(results).map(|(batch, result)| Outcome { batch, result });
    let outcomes: Vec<_> = outcomes.collect();
    refresh_stale(&cluster, &outcomes).await;
    outcomes
}

async fn send(
    cluster: &Cluster,
    leader: Option<BrokerId>,
    acks: Acks,
    batches: &mut [Batch],
) -> Result<Vec<Result<Appended, Error>>, Error> {
    let Some(leader) = leader else {
        let nobody = |batch: &Batch| Err(Error::NoLeader { partition: batch.partition.clone() });
        return Ok(batches.iter().map(nobody).collect());
    };
    let connection = cluster.broker(leader, Lane::Requests).await?;
    let request = request(cluster, acks, batches)?;
    batches.iter_mut().for_each(|batch| batch.attempts += 1);
    if acks == Acks::None {
        connection.send_unanswered(&request).await?;
        return Ok(vec![Ok(Appended { base_offset: None, log_append_time: None }); batches.len()]);
    }
    let response = connection.send(&request).await?;
    Ok(results(&cluster.metadata(), &response, batches))
}

fn request(cluster: &Cluster, acks: Acks, batches: &mut [Batch]) -> Result<ProduceRequest, Error> {
    let metadata = cluster.metadata();
    let mut topics: HashMap<Str, TopicProduceData> = HashMap::new();
    for batch in batches {
        let records = Some(RecordSet::Bytes(batch.bytes()?));
        let name = &batch.partition.topic;
        let topic = topics.entry(name.clone()).or_insert_with(|| TopicProduceData {
            name: name.clone(),
            topic_id: metadata.topic(name).map_or(Uuid::ZERO, |topic| topic.id),
            ..Default::default()
        });
        topic.partition_data.push(PartitionProduceData { index: batch.partition.partition, records });
    }
    Ok(ProduceRequest {
        acks: acks.code(),
        timeout_ms: cluster.config().connection.request_timeout.as_millis() as i32,
        topic_data: topics.into_values().collect(),
        ..Default::default()
    })
}

fn results(
    metadata: &Metadata,
    response: &ProduceResponse,
    batches: &[Batch],
) -> Vec<Result<Appended, Error>> {
    let mut answers = HashMap::new();
    for topic in &response.responses {
        let Some(name) = metadata.named(&topic.name, topic.topic_id).map(|topic| topic.name.clone()) else {
            continue;
        };
        for answer in &topic.partition_responses {
            answers.insert(TopicPartition::new(name.clone(), answer.index), answer);
        }
    }
    let result_of = |batch: &Batch| match answers.get(&batch.partition) {
        Some(answer) => result(batch, answer),
        None => Err(Error::Incomplete { api: API, subject: batch.partition.to_string() }),
    };
    batches.iter().map(result_of).collect()
}

fn result(batch: &Batch, answer: &PartitionProduceResponse) -> Result<Appended, Error> {
    let known = |value: i64| (value >= 0).then_some(value);
    match ErrorCode::from_code(answer.error_code) {
        ErrorCode::None => Ok(Appended {
            base_offset: known(answer.base_offset),
            log_append_time: known(answer.log_append_time_ms),
        }),
        // It was appended by an earlier attempt, so long ago that the leader forgot where.
        ErrorCode::DuplicateSequenceNumber => Ok(Appended { base_offset: None, log_append_time: None }),
        code => Err(Error::refused(API, &batch.partition, code, reason(answer))),
    }
}

fn reason(answer: &PartitionProduceResponse) -> Option<&str> {
    let of_record = answer.record_errors.first().and_then(|error| error.batch_index_error_message.as_deref());
    of_record.or(answer.error_message.as_deref())
}

async fn refresh_stale(cluster: &Cluster, outcomes: &[Outcome]) {
    let stale = outcomes.iter().filter(|outcome| outcome.result.as_ref().is_err_and(Error::is_retriable));
    let mut topics: Vec<_> = stale.map(|outcome| &outcome.batch.partition.topic).collect();
    topics.sort();
    topics.dedup();
    for topic in topics {
        if let Err(error) = cluster.refresh_topic_once(topic).await {
            tracing::debug!(%topic, %error, "metadata could not be refreshed");
        }
    }
}

impl Acks {
    fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}
