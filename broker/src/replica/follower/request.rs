//! A follower's requests as the wire has them, and the answers to them.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic, ReplicaState};
use protocol::messages::fetch_response::PartitionData;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse};
use protocol::types::{BrokerId, LeaderEpoch, Offset, Uuid};
use protocol::wire::Str;

use super::ask::{Ask, PartitionKey};
use super::divergence::Divergence;
use super::reaction::Answer;
use super::session::Outgoing;
use crate::config::ReplicationConfig;

/// What ListOffsets takes for the end of a log, and for its beginning.
pub const LATEST: i64 = -1;
pub const EARLIEST: i64 = -2;

/// Kafka's word for an epoch or offset that is not known.
const UNKNOWN: i32 = -1;

/// The session epoch of a fetch that begins no session.
const FINAL_EPOCH: i32 = -1;

/// The broker that follows.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    pub broker: BrokerId,
    /// `None` while it is not registered.
    pub broker_epoch: Option<i64>,
}

impl Sender {
    fn state(self) -> ReplicaState {
        ReplicaState { replica_id: self.broker.0, replica_epoch: self.broker_epoch.unwrap_or(UNKNOWN.into()) }
    }
}

/// A fetch of records; of no more bytes than the configuration allows.
pub fn fetch(
    sender: Sender,
    config: &ReplicationConfig,
    bytes_max: i32,
    outgoing: &Outgoing,
) -> FetchRequest {
    let max_bytes = config.fetch_response_bytes_max.min(bytes_max);
    let wait = if outgoing.may_wait { config.fetch_wait_max.as_millis() } else { 0 };
    FetchRequest {
        replica_state: sender.state(),
        max_wait_ms: i32::try_from(wait).unwrap_or(i32::MAX),
        min_bytes: config.fetch_bytes_min,
        max_bytes,
        session_id: outgoing.session_id,
        session_epoch: outgoing.session_epoch,
        topics: topics(config, outgoing),
        forgotten_topics_data: forgotten(outgoing),
        ..Default::default()
    }
}

/// Says under which later epochs partitions are followed, of which the leader they had may not have heard. From offset −1 there
/// is nothing to read, and such a fetch counts as none, should it have heard meanwhile.
pub fn farewell(sender: Sender, later: &BTreeMap<PartitionKey, LeaderEpoch>) -> FetchRequest {
    let partition = |(key, epoch): (&PartitionKey, &LeaderEpoch)| FetchPartition {
        partition: key.index,
        current_leader_epoch: epoch.0,
        fetch_offset: UNKNOWN.into(),
        last_fetched_epoch: UNKNOWN,
        log_start_offset: UNKNOWN.into(),
        ..Default::default()
    };
    let by_topic = by_topic(later.iter().map(|one| (one.0.topic, partition(one))));
    let topic = |(topic_id, partitions)| FetchTopic { topic_id, partitions, ..Default::default() };
    FetchRequest {
        replica_state: sender.state(),
        session_epoch: FINAL_EPOCH,
        topics: by_topic.map(topic).collect(),
        ..Default::default()
    }
}

fn topics(config: &ReplicationConfig, outgoing: &Outgoing) -> Vec<FetchTopic> {
    let partition = |(key, ask): &(PartitionKey, Ask)| FetchPartition {
        partition: key.index,
        current_leader_epoch: ask.leader_epoch.0,
        fetch_offset: ask.position.log_end.0,
        last_fetched_epoch: ask.position.last_epoch.map_or(UNKNOWN, |epoch| epoch.0),
        log_start_offset: ask.position.log_start.0,
        partition_max_bytes: config.fetch_bytes_max,
        ..Default::default()
    };
    let by_topic = by_topic(outgoing.named.iter().map(|named| (named.0.topic, partition(named))));
    by_topic.map(|(topic_id, partitions)| FetchTopic { topic_id, partitions, ..Default::default() }).collect()
}

fn forgotten(outgoing: &Outgoing) -> Vec<ForgottenTopic> {
    let by_topic = by_topic(outgoing.forgotten.iter().map(|key| (key.topic, key.index)));
    by_topic
        .map(|(topic_id, partitions)| ForgottenTopic { topic_id, partitions, ..Default::default() })
        .collect()
}

fn by_topic<T>(items: impl Iterator<Item = (Uuid, T)>) -> impl Iterator<Item = (Uuid, Vec<T>)> {
    let mut topics = BTreeMap::<Uuid, Vec<T>>::new();
    for (topic, item) in items {
        topics.entry(topic).or_default().push(item);
    }
    topics.into_iter()
}

/// What a fetch's response says of each partition in it.
pub fn answers(response: FetchResponse) -> impl Iterator<Item = (PartitionKey, Answer)> {
    response.responses.into_iter().flat_map(|topic| {
        let id = topic.topic_id;
        topic
            .partitions
            .into_iter()
            .map(move |data| (PartitionKey { topic: id, index: data.partition_index }, answer(data)))
    })
}

fn answer(data: PartitionData) -> Answer {
    let diverging = &data.diverging_epoch;
    Answer {
        error: ErrorCode::from_code(data.error_code),
        diverging: (diverging.epoch >= 0 && diverging.end_offset >= 0)
            .then_some(Divergence { epoch: LeaderEpoch(diverging.epoch), end: Offset(diverging.end_offset) }),
        high_watermark: Offset(data.high_watermark),
        log_start: Offset(data.log_start_offset),
        records: data.records.as_ref().and_then(|records| records.bytes().cloned()).unwrap_or_default(),
    }
}

/// Asks for one end of each log; `timestamp` is [`LATEST`] or [`EARLIEST`].
pub fn list_offsets<'a>(
    sender: Sender,
    timestamp: i64,
    wanted: impl Iterator<Item = (&'a str, i32, LeaderEpoch)>,
) -> ListOffsetsRequest {
    let mut topics = BTreeMap::<&str, Vec<ListOffsetsPartition>>::new();
    for (topic, partition_index, epoch) in wanted {
        let current_leader_epoch = epoch.0;
        let partition = ListOffsetsPartition { partition_index, current_leader_epoch, timestamp };
        topics.entry(topic).or_default().push(partition);
    }
    let topics =
        topics.into_iter().map(|(name, partitions)| ListOffsetsTopic { name: Str::from(name), partitions });
    ListOffsetsRequest { replica_id: sender.broker.0, topics: topics.collect(), ..Default::default() }
}

/// What was found, by topic name and partition.
pub fn listed(response: ListOffsetsResponse) -> BTreeMap<(Str, i32), Result<Offset, ErrorCode>> {
    let topics = response.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |found| {
            let offset = match ErrorCode::from_code(found.error_code) {
                ErrorCode::None => Ok(Offset(found.offset)),
                error => Err(error),
            };
            ((name.clone(), found.partition_index), offset)
        })
    });
    topics.collect()
}
