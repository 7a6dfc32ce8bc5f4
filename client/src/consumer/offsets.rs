//! Where to begin: words and times turned into offsets by those who lead the partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use protocol::types::BrokerId;
use protocol::wire::Str;

use super::IsolationLevel;
use crate::{Cluster, Error, Lane, TopicPartition};

/// What a reader that is no replica calls itself.
const CONSUMER: i32 = -1;

/// An offset, said in one of the ways that people say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first that is still there.
    Earliest,
    /// The one after the last that may be read.
    Latest,
    At(i64),
    /// The first record at or after this time, in milliseconds since 1970; the end where there is none.
    Timestamp(i64),
}

impl fmt::Display for OffsetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OffsetSpec::Earliest => f.write_str("earliest"),
            OffsetSpec::Latest => f.write_str("latest"),
            OffsetSpec::At(offset) => write!(f, "offset {offset}"),
            OffsetSpec::Timestamp(ms) => write!(f, "timestamp {ms}"),
        }
    }
}

impl OffsetSpec {
    /// What ListOffsets asks by, and the offset where nothing is to be asked.
    fn query(self) -> Result<i64, i64> {
        match self {
            OffsetSpec::Earliest => Ok(-2),
            OffsetSpec::Latest => Ok(-1),
            OffsetSpec::Timestamp(ms) => Ok(ms.max(0)),
            OffsetSpec::At(offset) => Err(offset),
        }
    }
}

/// The offset of each partition; none where there is no record at or after the time that was asked for. Retries while
/// leaders move.
pub async fn resolve(
    cluster: &Cluster,
    isolation: IsolationLevel,
    wanted: &[(TopicPartition, OffsetSpec)],
) -> Result<Vec<(TopicPartition, Option<i64>)>, Error> {
    let mut backoff = cluster.config().retry.start();
    loop {
        match try_resolve(cluster, isolation, wanted).await {
            Err(error) if error.is_retriable() && backoff.wait().await => refresh(cluster, wanted).await?,
            resolved => return resolved,
        }
    }
}

async fn try_resolve(
    cluster: &Cluster,
    isolation: IsolationLevel,
    wanted: &[(TopicPartition, OffsetSpec)],
) -> Result<Vec<(TopicPartition, Option<i64>)>, Error> {
    let mut resolved = Vec::with_capacity(wanted.len());
    let mut by_leader: BTreeMap<BrokerId, Vec<(TopicPartition, i64)>> = BTreeMap::new();
    for (partition, spec) in wanted {
        match spec.query() {
            Ok(timestamp) => {
                let asked = by_leader.entry(cluster.leader(partition).await?).or_default();
                asked.push((partition.clone(), timestamp));
            }
            Err(offset) => resolved.push((partition.clone(), Some(offset))),
        }
    }
    for (leader, asked) in by_leader {
        let connection = cluster.broker(leader, Lane::Requests).await?;
        let response = connection.send(&request(isolation, &asked)).await?;
        answers(&response, &mut resolved)?;
    }
    Ok(resolved)
}

fn request(isolation: IsolationLevel, asked: &[(TopicPartition, i64)]) -> ListOffsetsRequest {
    let mut topics: BTreeMap<Str, ListOffsetsTopic> = BTreeMap::new();
    for (TopicPartition { topic, partition }, timestamp) in asked {
        let named = || ListOffsetsTopic { name: topic.clone(), ..Default::default() };
        topics.entry(topic.clone()).or_insert_with(named).partitions.push(ListOffsetsPartition {
            partition_index: *partition,
            timestamp: *timestamp,
            ..Default::default()
        });
    }
    ListOffsetsRequest {
        replica_id: CONSUMER,
        isolation_level: isolation.code(),
        topics: topics.into_values().collect(),
        ..Default::default()
    }
}

fn answers(
    response: &ListOffsetsResponse,
    resolved: &mut Vec<(TopicPartition, Option<i64>)>,
) -> Result<(), Error> {
    for topic in &response.topics {
        for answer in &topic.partitions {
            let partition = TopicPartition::new(topic.name.detached(), answer.partition_index);
            Error::check("ListOffsets", &partition, answer.error_code, None)?;
            resolved.push((partition, (answer.offset >= 0).then_some(answer.offset)));
        }
    }
    Ok(())
}

async fn refresh(cluster: &Cluster, wanted: &[(TopicPartition, OffsetSpec)]) -> Result<(), Error> {
    let topics: BTreeSet<_> = wanted.iter().map(|(partition, _)| &partition.topic).collect();
    for topic in topics {
        cluster.refresh_topic(topic, false).await?;
    }
    Ok(())
}
