//! Creates the topics that a Metadata request names and that do not exist, and waits until they are known here.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::CreateTopicsRequest;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::wire::Str;

use super::RequestContext;
use super::topic_names::{GROUP_METADATA_TOPIC, is_internal, validate};
use crate::Broker;
use crate::internal_topics;
use crate::link::Caller;

/// How long the client's answer is held back; then it hears that the topic is unknown, and asks again.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// The version of CreateTopics that the broker speaks to the controller.
const VERSION: i16 = 7;
/// "As the controller has it by default."
const DEFAULT: i32 = -1;

/// Creates those of the names that may be created and do not exist.
pub(super) async fn auto_create(broker: &Arc<Broker>, context: &RequestContext, names: &[Str]) {
    let image = broker.image();
    let missing = names.iter().filter(|name| image.topic(name).is_none());
    let topics: Vec<CreatableTopic> = missing.filter_map(|name| creatable(broker, name)).collect();
    if topics.is_empty() {
        return;
    }
    let timeout_ms = i32::try_from(WAIT_MAX.as_millis()).unwrap_or(i32::MAX);
    let request = CreateTopicsRequest { topics, timeout_ms, ..CreateTopicsRequest::default() };
    let created = broker.link.forward(Caller::from(context), &request, VERSION, WAIT_MAX).await;
    let _named = context.span().entered();
    match created {
        Ok(response) => response.topics.iter().for_each(|topic| {
            let (error, message) = (ErrorCode::from_code(topic.error_code), topic.error_message.as_deref());
            match error {
                ErrorCode::None => tracing::info!(topic = topic.name.as_str(), "auto-created"),
                ErrorCode::TopicAlreadyExists => {}
                _ => tracing::warn!(
                    topic = topic.name.as_str(),
                    "auto-creation failed: {}",
                    message.unwrap_or("no reason given")
                ),
            }
        }),
        Err(error) => tracing::warn!("auto-creation of {} topics failed: {error}", request.topics.len()),
    }
}

fn creatable(broker: &Broker, name: &Str) -> Option<CreatableTopic> {
    if name.as_str() == GROUP_METADATA_TOPIC {
        return Some(internal_topics::offsets_topic(&broker.config.offsets_topic));
    }
    let defaults = &broker.config.topics;
    (validate(name).is_ok() && !is_internal(name)).then(|| CreatableTopic {
        name: name.clone(),
        num_partitions: defaults.partitions.unwrap_or(DEFAULT),
        replication_factor: defaults.replication_factor.unwrap_or(DEFAULT as i16),
        ..CreatableTopic::default()
    })
}
