//! OffsetCommit: a group remembers how far it has come. Topics that do not exist are refused here, one by one; the rest
//! is the coordinator's to take or refuse as a whole.

use std::sync::Arc;

use metadata::image::ClusterImage;
use protocol::ErrorCode;
use protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use protocol::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use protocol::types::Uuid;

use super::RequestContext;
use crate::Broker;

/// From here on a missing group has an error of its own (KIP-848).
const GROUP_ID_NOT_FOUND_SINCE: i16 = 9;
/// From here on topics are said by their ids.
const TOPIC_IDS_SINCE: i16 = 10;

/// Commits what can be committed.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    mut request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let sorted = sort(&broker.image(), context.api_version, std::mem::take(&mut request.topics));
    let mut topics = sorted.refused;
    if !sorted.known.is_empty() {
        let asked = sorted.known.clone();
        request.topics = sorted.known;
        let committed = broker.groups.commit(request, context.api_version >= GROUP_ID_NOT_FOUND_SINCE).await;
        let told = match committed {
            Ok(response) => response.topics,
            Err(error) => asked.iter().map(|topic| refuse(topic, error)).collect(),
        };
        told.into_iter().for_each(|topic| merge(&mut topics, topic));
    }
    OffsetCommitResponse { topics, ..OffsetCommitResponse::default() }
}

/// The topics of a request, those that exist with their names and ids.
#[derive(Default)]
struct Sorted {
    known: Vec<OffsetCommitRequestTopic>,
    refused: Vec<OffsetCommitResponseTopic>,
}

fn sort(image: &ClusterImage, version: i16, topics: Vec<OffsetCommitRequestTopic>) -> Sorted {
    let mut sorted = Sorted::default();
    for mut topic in topics {
        match identify(image, version, &mut topic) {
            Ok(()) => sorted.take(image, topic),
            Err(error) => merge(&mut sorted.refused, refuse(&topic, error)),
        }
    }
    sorted
}

/// Fills in what the version leaves out: the name or the id.
fn identify(
    image: &ClusterImage,
    version: i16,
    topic: &mut OffsetCommitRequestTopic,
) -> Result<(), ErrorCode> {
    if version >= TOPIC_IDS_SINCE {
        let known = image.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)?;
        topic.name = known.name.as_str().into();
        return Ok(());
    }
    topic.topic_id = Uuid::ZERO;
    topic.topic_id = image.topic(&topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)?.id;
    Ok(())
}

impl Sorted {
    /// Keeps the partitions that exist.
    fn take(&mut self, image: &ClusterImage, mut topic: OffsetCommitRequestTopic) {
        let exists = |index: i32| image.partition(&topic.name, index).is_some();
        let (known, unknown) = topic.partitions.iter().cloned().partition(|it| exists(it.partition_index));
        topic.partitions = unknown;
        if !topic.partitions.is_empty() {
            merge(&mut self.refused, refuse(&topic, ErrorCode::UnknownTopicOrPartition));
        }
        topic.partitions = known;
        if !topic.partitions.is_empty() {
            self.known.push(topic);
        }
    }
}

fn refuse(topic: &OffsetCommitRequestTopic, error: ErrorCode) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.iter().map(|partition| OffsetCommitResponsePartition {
        partition_index: partition.partition_index,
        error_code: error.code(),
    });
    OffsetCommitResponseTopic {
        partitions: partitions.collect(),
        name: topic.name.clone(),
        topic_id: topic.topic_id,
    }
}

/// Each topic is told of once.
fn merge(topics: &mut Vec<OffsetCommitResponseTopic>, told: OffsetCommitResponseTopic) {
    match topics.iter_mut().find(|topic| topic.name == told.name && topic.topic_id == told.topic_id) {
        Some(topic) => topic.partitions.extend(told.partitions),
        None => topics.push(told),
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::offset_commit_request::OffsetCommitRequestPartition;

    use super::*;
    use crate::api::sample::{image, topic_id, with_topic};

    fn asked(name: &str, id: Uuid, partitions: &[i32]) -> OffsetCommitRequestTopic {
        let partition =
            |index: &i32| OffsetCommitRequestPartition { partition_index: *index, ..Default::default() };
        OffsetCommitRequestTopic {
            name: name.into(),
            topic_id: id,
            partitions: partitions.iter().map(partition).collect(),
        }
    }

    /// Each refused partition with its error.
    fn errors(sorted: &Sorted) -> Vec<(i32, ErrorCode)> {
        let partitions = sorted.refused.iter().flat_map(|topic| &topic.partitions);
        partitions.map(|it| (it.partition_index, ErrorCode::from_code(it.error_code))).collect()
    }

    #[test]
    fn what_does_not_exist_is_refused_and_the_rest_goes_on() {
        let image = with_topic(image(), "topic", &[1, 1]);
        let topics = vec![asked("topic", Uuid::ZERO, &[0, 2]), asked("absent", Uuid::ZERO, &[0])];
        let sorted = sort(&image, 9, topics);
        let unknown = ErrorCode::UnknownTopicOrPartition;
        assert_eq!(errors(&sorted), [(2, unknown), (0, unknown)]);
        assert_eq!((sorted.known.len(), sorted.known[0].partitions.len()), (1, 1));
        assert_eq!(sorted.known[0].topic_id, topic_id("topic"));
    }

    #[test]
    fn topics_are_found_by_their_ids() {
        let image = with_topic(image(), "topic", &[1]);
        let sorted =
            sort(&image, 10, vec![asked("", topic_id("topic"), &[0]), asked("", Uuid([9; 16]), &[0])]);
        assert_eq!(&*sorted.known[0].name, "topic");
        assert_eq!(errors(&sorted), [(0, ErrorCode::UnknownTopicId)]);
    }

    #[test]
    fn a_topic_that_is_said_twice_is_told_of_once() {
        let image = with_topic(image(), "topic", &[1]);
        let twice = vec![asked("topic", Uuid::ZERO, &[7]), asked("topic", Uuid::ZERO, &[8])];
        let sorted = sort(&image, 9, twice);
        assert_eq!((sorted.refused.len(), errors(&sorted).len()), (1, 2));
    }
}
