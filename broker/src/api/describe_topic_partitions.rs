//! DescribeTopicPartitions: topics in the order of their names, page by page (KIP-966).
//!
//! A page ends after so many partitions; its cursor says where the next one begins.

use std::collections::BTreeSet;
use std::sync::Arc;

use metadata::image::{PartitionImage, TopicImage};
use protocol::ErrorCode;
use protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};
use protocol::types::BrokerId;

use super::RequestContext;
use super::authorized::ALL_OF_TOPIC;
use super::cluster_view::{ClusterView, Outlook, ids};
use super::topic_names::{is_internal, validate};
use crate::Broker;

/// Answers from the image.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let outlook = Outlook::of(broker);
    let view = outlook.through(&context.listener.name);
    let limit = request.response_partition_limit.min(broker.config.topics.describe_partitions_max).max(1);
    match names(view, &request) {
        Some(names) => Page::new(view, &request, limit).fill(names),
        None => refuse(&request),
    }
}

/// The topics to describe, from the cursor on; none if the cursor is not among them.
fn names<'a>(
    view: ClusterView<'a>,
    request: &'a DescribeTopicPartitionsRequest,
) -> Option<BTreeSet<&'a str>> {
    let start = request.cursor.as_ref().map_or("", |cursor| cursor.topic_name.as_str());
    if request.cursor.as_ref().is_some_and(|cursor| cursor.partition_index < 0) {
        return None;
    }
    if request.topics.is_empty() {
        return Some(view.image.topics.keys().map(String::as_str).filter(|name| *name >= start).collect());
    }
    let names = request.topics.iter().map(|topic| topic.name.as_str());
    let names: BTreeSet<&str> = names.filter(|name| *name >= start).collect();
    (request.cursor.is_none() || names.contains(start)).then_some(names)
}

/// One response while it is filled.
struct Page<'a> {
    view: ClusterView<'a>,
    request: &'a DescribeTopicPartitionsRequest,
    /// How many more partitions fit.
    room: usize,
    response: DescribeTopicPartitionsResponse,
}

impl<'a> Page<'a> {
    fn new(view: ClusterView<'a>, request: &'a DescribeTopicPartitionsRequest, limit: i32) -> Page<'a> {
        let room = usize::try_from(limit).unwrap_or(1);
        Page { view, request, room, response: DescribeTopicPartitionsResponse::default() }
    }

    fn fill(mut self, names: BTreeSet<&str>) -> DescribeTopicPartitionsResponse {
        for name in names {
            if self.room == 0 {
                self.end_at(name, 0);
                break;
            }
            let topic = self.view.image.topic(name);
            match topic.map(|topic| self.describe(topic)) {
                Some(Some(next)) => {
                    self.end_at(name, next);
                    break;
                }
                Some(None) => {}
                None if self.request.topics.is_empty() => {}
                None => self.response.topics.push(unknown(name)),
            }
        }
        self.response
    }

    /// Adds the topic; the partition at which it does not fit any more, if there is one.
    fn describe(&mut self, topic: &TopicImage) -> Option<usize> {
        let cursor = self.request.cursor.as_ref().filter(|cursor| cursor.topic_name.as_str() == topic.name);
        let start = cursor.map_or(0, |cursor| usize::try_from(cursor.partition_index).unwrap_or(0));
        let end = topic.partitions.len().min(start.saturating_add(self.room));
        let shown = topic.partitions.get(start..end).unwrap_or(&[]);
        let partitions =
            shown.iter().enumerate().map(|(at, state)| partition(self.view, topic, start + at, state));
        self.response.topics.push(DescribeTopicPartitionsResponseTopic {
            name: Some(topic.name.as_str().into()),
            topic_id: topic.id,
            is_internal: is_internal(&topic.name),
            partitions: partitions.collect(),
            topic_authorized_operations: ALL_OF_TOPIC,
            ..DescribeTopicPartitionsResponseTopic::default()
        });
        self.room -= shown.len();
        (end < topic.partitions.len()).then_some(end)
    }

    fn end_at(&mut self, topic: &str, partition: usize) {
        let partition_index = i32::try_from(partition).unwrap_or(i32::MAX);
        self.response.next_cursor = Some(Cursor { topic_name: topic.into(), partition_index });
    }
}

fn partition(
    view: ClusterView<'_>,
    topic: &TopicImage,
    index: usize,
    state: &PartitionImage,
) -> DescribeTopicPartitionsResponsePartition {
    DescribeTopicPartitionsResponsePartition {
        partition_index: i32::try_from(index).unwrap_or(i32::MAX),
        leader_id: view.leader(topic, index).unwrap_or(BrokerId::NONE).0,
        leader_epoch: state.leader_epoch.0,
        replica_nodes: ids(&state.replicas),
        isr_nodes: ids(&state.isr),
        eligible_leader_replicas: Some(ids(&state.elr)),
        last_known_elr: Some(ids(&state.last_known_elr)),
        offline_replicas: view.offline_replicas(state),
        ..DescribeTopicPartitionsResponsePartition::default()
    }
}

fn unknown(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let error = match validate(name) {
        Ok(()) => ErrorCode::UnknownTopicOrPartition,
        Err(_) => ErrorCode::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        name: Some(name.into()),
        is_internal: is_internal(name),
        topic_authorized_operations: ALL_OF_TOPIC,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

/// A cursor that points nowhere: the request has no room for an error but at its topics.
fn refuse(request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let refused = request.topics.iter().map(|topic| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(topic.name.clone()),
        ..DescribeTopicPartitionsResponseTopic::default()
    });
    DescribeTopicPartitionsResponse {
        topics: refused.collect(),
        ..DescribeTopicPartitionsResponse::default()
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::describe_topic_partitions_request::{Cursor as RequestCursor, TopicRequest};

    use super::*;

    /// The topics described with their counts of partitions, and where the next page begins.
    type Described = (Vec<(String, usize)>, Option<(String, i32)>);
    use crate::api::sample::{CLIENTS, image, outlook, with_topic};

    fn cluster() -> Outlook {
        outlook(with_topic(with_topic(image(), "b", &[1, 1, 1]), "a", &[1, 1]))
    }

    fn request(topics: &[&str], cursor: Option<(&str, i32)>) -> DescribeTopicPartitionsRequest {
        let topics = topics.iter().map(|name| TopicRequest { name: (*name).into() }).collect();
        let cursor = cursor.map(|(topic_name, partition_index)| RequestCursor {
            topic_name: topic_name.into(),
            partition_index,
        });
        DescribeTopicPartitionsRequest { topics, cursor, ..DescribeTopicPartitionsRequest::default() }
    }

    /// The topics with their partitions, and where the next page begins.
    fn page(request: &DescribeTopicPartitionsRequest, limit: i32) -> Described {
        let cluster = cluster();
        let view = cluster.through(CLIENTS);
        let names = names(view, request).expect("the cursor is fine");
        let response = Page::new(view, request, limit).fill(names);
        let topics = response
            .topics
            .into_iter()
            .map(|topic| (topic.name.map_or_else(String::new, String::from), topic.partitions.len()));
        let cursor = response.next_cursor.map(|cursor| (cursor.topic_name.into(), cursor.partition_index));
        (topics.collect(), cursor)
    }

    fn topics(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
        expected.iter().map(|(name, partitions)| ((*name).to_owned(), *partitions)).collect()
    }

    #[test]
    fn pages_follow_each_other_through_all_topics() {
        assert_eq!(page(&request(&[], None), 4), (topics(&[("a", 2), ("b", 2)]), Some(("b".into(), 2))));
        assert_eq!(page(&request(&[], Some(("b", 2))), 4), (topics(&[("b", 1)]), None));
    }

    #[test]
    fn a_page_that_ends_with_a_topic_points_at_the_next_one() {
        assert_eq!(page(&request(&[], None), 2), (topics(&[("a", 2)]), Some(("b".into(), 0))));
    }

    #[test]
    fn a_topic_that_is_asked_for_and_missing_is_named_with_its_error() {
        assert_eq!(page(&request(&["b", "x"], None), 10), (topics(&[("b", 3), ("x", 0)]), None));
    }

    #[test]
    fn a_cursor_outside_of_what_is_asked_for_is_refused() {
        let cluster = cluster();
        let view = cluster.through(CLIENTS);
        assert!(names(view, &request(&["b"], Some(("a", 0)))).is_none());
        assert!(names(view, &request(&[], Some(("a", -1)))).is_none());
    }
}
