//! OffsetFetch: what groups have committed. Old versions ask for one group, newer ones for many.

use std::sync::Arc;

use futures_util::future::join_all;
use metadata::image::ClusterImage;
use protocol::ErrorCode;
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use protocol::messages::{OffsetFetchRequest, OffsetFetchResponse};
use protocol::wire::Str;

use super::RequestContext;
use crate::Broker;

/// From here on a group has an error of its own; before, each partition bears it.
const GROUP_ERROR_SINCE: i16 = 2;
/// From here on many groups are asked for at once (KIP-709).
const MANY_GROUPS_SINCE: i16 = 8;
/// From here on topics are said by their ids.
const TOPIC_IDS_SINCE: i16 = 10;

/// What stands where there is no offset to tell.
const NO_OFFSET: i64 = -1;

/// Asks the coordinator of each group.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let (version, require_stable) = (context.api_version, request.require_stable);
    let image = broker.image();
    let asked = asked(version, request);
    let groups =
        join_all(asked.into_iter().map(|group| fetch(broker, &image, version, group, require_stable))).await;
    if version >= MANY_GROUPS_SINCE {
        return OffsetFetchResponse { groups, ..OffsetFetchResponse::default() };
    }
    groups.into_iter().next().map(alone).unwrap_or_default()
}

/// The groups of the request, whatever its version.
fn asked(version: i16, request: OffsetFetchRequest) -> Vec<OffsetFetchRequestGroup> {
    if version >= MANY_GROUPS_SINCE {
        return request.groups;
    }
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..OffsetFetchRequestTopics::default()
        });
        topics.collect()
    });
    vec![OffsetFetchRequestGroup { group_id: request.group_id, topics, ..OffsetFetchRequestGroup::default() }]
}

async fn fetch(
    broker: &Arc<Broker>,
    image: &ClusterImage,
    version: i16,
    mut group: OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let unknown = name_topics(image, version, &mut group);
    match broker.groups.fetch(group.clone(), require_stable).await {
        Ok(mut response) => {
            response.topics.extend(unknown);
            identify_topics(image, version, response)
        }
        Err(error) => failed(version, &group, error),
    }
}

/// Fills in the names of topics that are said by their ids; returns what is to be told of ids that nobody has.
fn name_topics(
    image: &ClusterImage,
    version: i16,
    group: &mut OffsetFetchRequestGroup,
) -> Vec<OffsetFetchResponseTopics> {
    let Some(topics) = group.topics.as_mut().filter(|_| version >= TOPIC_IDS_SINCE) else {
        return Vec::new();
    };
    let mut unknown = Vec::new();
    topics.retain_mut(|topic| match image.topic_by_id(topic.topic_id) {
        Some(known) => {
            topic.name = known.name.as_str().into();
            true
        }
        None => {
            unknown.push(refuse(topic, ErrorCode::UnknownTopicId));
            false
        }
    });
    unknown
}

/// Fills in the ids of topics where all were asked for; one that is no more has no id to be told by.
fn identify_topics(
    image: &ClusterImage,
    version: i16,
    mut response: OffsetFetchResponseGroup,
) -> OffsetFetchResponseGroup {
    if version >= TOPIC_IDS_SINCE {
        response.topics.retain_mut(|topic| {
            if topic.topic_id.is_zero() {
                topic.topic_id = image.topic(&topic.name).map(|known| known.id).unwrap_or_default();
            }
            !topic.topic_id.is_zero()
        });
    }
    response
}

fn failed(version: i16, group: &OffsetFetchRequestGroup, error: ErrorCode) -> OffsetFetchResponseGroup {
    let group_id = group.group_id.clone();
    if version >= GROUP_ERROR_SINCE {
        return OffsetFetchResponseGroup {
            group_id,
            error_code: error.code(),
            ..OffsetFetchResponseGroup::default()
        };
    }
    let topics = group.topics.iter().flatten().map(|topic| refuse(topic, error)).collect();
    OffsetFetchResponseGroup { group_id, topics, ..OffsetFetchResponseGroup::default() }
}

fn refuse(topic: &OffsetFetchRequestTopics, error: ErrorCode) -> OffsetFetchResponseTopics {
    let partitions = topic.partition_indexes.iter().map(|index| OffsetFetchResponsePartitions {
        partition_index: *index,
        committed_offset: NO_OFFSET,
        metadata: Some(Str::default()),
        error_code: error.code(),
        ..OffsetFetchResponsePartitions::default()
    });
    OffsetFetchResponseTopics {
        partitions: partitions.collect(),
        name: topic.name.clone(),
        topic_id: topic.topic_id,
    }
}

/// One group, as versions with a single group say it.
fn alone(group: OffsetFetchResponseGroup) -> OffsetFetchResponse {
    let topics = group.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| OffsetFetchResponsePartition {
            partition_index: partition.partition_index,
            committed_offset: partition.committed_offset,
            committed_leader_epoch: partition.committed_leader_epoch,
            metadata: partition.metadata,
            error_code: partition.error_code,
        });
        OffsetFetchResponseTopic { name: topic.name, partitions: partitions.collect() }
    });
    OffsetFetchResponse {
        topics: topics.collect(),
        error_code: group.error_code,
        ..OffsetFetchResponse::default()
    }
}

#[cfg(test)]
mod tests {
    use protocol::types::Uuid;

    use super::*;
    use crate::api::sample::{image, topic_id, with_topic};

    fn by_id(id: Uuid) -> OffsetFetchRequestTopics {
        OffsetFetchRequestTopics { topic_id: id, partition_indexes: vec![0], ..Default::default() }
    }

    #[test]
    fn ids_that_nobody_has_are_told_of_and_the_others_named() {
        let image = with_topic(image(), "topic", &[1]);
        let topics = Some(vec![by_id(topic_id("topic")), by_id(Uuid([9; 16]))]);
        let mut group = OffsetFetchRequestGroup { topics, ..Default::default() };
        let unknown = name_topics(&image, 10, &mut group);
        assert_eq!(unknown[0].partitions[0].error_code, ErrorCode::UnknownTopicId.code());
        let named: Vec<Str> = group.topics.into_iter().flatten().map(|topic| topic.name).collect();
        assert_eq!(named, [Str::from("topic")]);
    }

    #[test]
    fn all_topics_come_with_their_ids_where_they_still_exist() {
        let image = with_topic(image(), "topic", &[1]);
        let told = |name: &str| OffsetFetchResponseTopics { name: name.into(), ..Default::default() };
        let response =
            OffsetFetchResponseGroup { topics: vec![told("topic"), told("gone")], ..Default::default() };
        assert_eq!(identify_topics(&image, 9, response.clone()).topics.len(), 2);
        let identified = identify_topics(&image, 10, response).topics;
        assert_eq!((identified.len(), identified[0].topic_id), (1, topic_id("topic")));
    }

    #[test]
    fn an_error_goes_where_the_version_looks_for_it() {
        let topics = Some(vec![by_id(Uuid::ZERO)]);
        let group = OffsetFetchRequestGroup { topics, ..Default::default() };
        let error = ErrorCode::NotCoordinator;
        assert_eq!(alone(failed(2, &group, error)).error_code, error.code());
        assert_eq!(alone(failed(1, &group, error)).topics[0].partitions[0].error_code, error.code());
    }
}
