//! DescribeProducers: who writes to a partition, as its log remembers it (KIP-664). Any replica answers for its own log.

use std::sync::Arc;

use metadata::image::ClusterImage;
use protocol::ErrorCode;
use protocol::messages::describe_producers_request::TopicRequest;
use protocol::messages::describe_producers_response::{PartitionResponse, ProducerState, TopicResponse};
use protocol::messages::{DescribeProducersRequest, DescribeProducersResponse};
use protocol::types::Offset;
use protocol::wire::Str;
use storage::producer::ProducerEntry;

use super::topic_names::validate;
use super::{RequestContext, hosted};
use crate::Broker;
use crate::replica::errors::PartitionError;

/// Answers for each partition by itself.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let image = broker.image();
    let topics = request.topics.iter().map(|topic| describe(broker, &image, topic));
    DescribeProducersResponse { topics: topics.collect(), ..DescribeProducersResponse::default() }
}

fn describe(broker: &Broker, image: &ClusterImage, topic: &TopicRequest) -> TopicResponse {
    let refusal = refusal(image, &topic.name);
    let partitions = topic.partition_indexes.iter().map(|&index| match &refusal {
        Some((error, message)) => {
            PartitionResponse { error_message: Some(message.clone()), ..failed(index, *error) }
        }
        None => match producers_of(broker, &topic.name, index) {
            Ok(producers) => PartitionResponse {
                partition_index: index,
                active_producers: producers.iter().map(shown).collect(),
                ..PartitionResponse::default()
            },
            Err(error) => failed(index, error.code()),
        },
    });
    TopicResponse { name: topic.name.clone(), partitions: partitions.collect() }
}

/// What is told of every partition of a topic that does not exist.
fn refusal(image: &ClusterImage, topic: &str) -> Option<(ErrorCode, Str)> {
    if let Err(invalid) = validate(topic) {
        return Some((ErrorCode::InvalidTopicException, invalid.to_string().into()));
    }
    let unknown = ErrorCode::UnknownTopicOrPartition;
    image.topic(topic).is_none().then(|| (unknown, Str::from_static(unknown.message())))
}

fn producers_of(
    broker: &Broker,
    topic: &str,
    index: i32,
) -> Result<Vec<(i64, ProducerEntry)>, PartitionError> {
    hosted::by_name(broker, topic, index)?.producers()
}

fn shown((producer_id, producer): &(i64, ProducerEntry)) -> ProducerState {
    ProducerState {
        producer_id: *producer_id,
        producer_epoch: producer.producer_epoch.into(),
        last_sequence: producer.last_sequence(),
        last_timestamp: producer.last_timestamp,
        coordinator_epoch: producer.coordinator_epoch,
        current_txn_start_offset: producer.current_txn_first_offset.unwrap_or(Offset::UNKNOWN).0,
    }
}

fn failed(partition_index: i32, error: ErrorCode) -> PartitionResponse {
    PartitionResponse { partition_index, error_code: error.code(), ..PartitionResponse::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sample::{image, with_topic};

    #[test]
    fn a_topic_is_refused_for_its_name_or_because_it_is_not_there() {
        let image = with_topic(image(), "t", &[1]);
        let code = |topic| refusal(&image, topic).map(|(error, _)| error);
        assert_eq!(code("t"), None);
        assert_eq!(code("u"), Some(ErrorCode::UnknownTopicOrPartition));
        assert_eq!(code("no name"), Some(ErrorCode::InvalidTopicException));
    }

    #[test]
    fn a_producer_without_a_transaction_has_no_start_of_one() {
        let shown = shown(&(7, ProducerEntry::default()));
        assert_eq!((shown.producer_id, shown.producer_epoch, shown.last_sequence), (7, -1, -1));
        assert_eq!((shown.coordinator_epoch, shown.current_txn_start_offset), (-1, -1));
    }
}
