//! OffsetDelete: a group forgets what it has committed for topics that it no longer consumes (KIP-496).

use std::sync::Arc;

use metadata::image::ClusterImage;
use protocol::ErrorCode;
use protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use protocol::messages::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use super::RequestContext;
use crate::Broker;

/// Partitions that do not exist are refused here; the coordinator is asked in any case, since it knows the group.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    mut request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let asked = std::mem::take(&mut request.topics);
    let image = broker.image();
    let mut refused = Vec::new();
    for topic in asked {
        let (known, unknown) = split(&image, topic);
        request.topics.extend(known);
        refused.extend(unknown);
    }
    match broker.groups.delete_offsets(request).await {
        Ok(mut response) => {
            let told = std::mem::replace(&mut response.topics, refused);
            told.into_iter().for_each(|topic| merge(&mut response.topics, topic));
            response
        }
        Err(error) => OffsetDeleteResponse { error_code: error.code(), ..OffsetDeleteResponse::default() },
    }
}

/// The partitions that exist, and what is told of the others.
fn split(
    image: &ClusterImage,
    topic: OffsetDeleteRequestTopic,
) -> (Option<OffsetDeleteRequestTopic>, Option<OffsetDeleteResponseTopic>) {
    let OffsetDeleteRequestTopic { name, partitions } = topic;
    let exists = |index: i32| image.partition(&name, index).is_some();
    let (known, unknown): (Vec<_>, Vec<_>) =
        partitions.into_iter().partition(|it| exists(it.partition_index));
    let unknown: Vec<_> = unknown.into_iter().map(|it| refuse(it.partition_index)).collect();
    let refused = OffsetDeleteResponseTopic { name: name.clone(), partitions: unknown };
    let asked = OffsetDeleteRequestTopic { name, partitions: known };
    (Some(asked).filter(|it| !it.partitions.is_empty()), Some(refused).filter(|it| !it.partitions.is_empty()))
}

fn refuse(partition_index: i32) -> OffsetDeleteResponsePartition {
    OffsetDeleteResponsePartition { partition_index, error_code: ErrorCode::UnknownTopicOrPartition.code() }
}

/// Each topic is told of once.
fn merge(topics: &mut Vec<OffsetDeleteResponseTopic>, told: OffsetDeleteResponseTopic) {
    match topics.iter_mut().find(|topic| topic.name == told.name) {
        Some(topic) => topic.partitions.extend(told.partitions),
        None => topics.push(told),
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::offset_delete_request::OffsetDeleteRequestPartition;

    use super::*;
    use crate::api::sample::{image, with_topic};

    #[test]
    fn partitions_that_do_not_exist_are_refused() {
        let image = with_topic(image(), "topic", &[1]);
        let partitions =
            [0, 1].map(|partition_index| OffsetDeleteRequestPartition { partition_index }).to_vec();
        let (known, refused) = split(&image, OffsetDeleteRequestTopic { name: "topic".into(), partitions });
        assert_eq!(known.map(|topic| topic.partitions[0].partition_index), Some(0));
        assert_eq!(refused.map(|topic| topic.partitions[0].partition_index), Some(1));
    }
}
