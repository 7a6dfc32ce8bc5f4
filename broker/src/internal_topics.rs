//! Kafka's own topics, created when they are first needed: `__consumer_offsets`.

use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::CreateTopicsRequest;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::wire::Str;

use crate::Broker;
use crate::api::topic_names::GROUP_METADATA_TOPIC;
use crate::config::InternalTopicConfig;
use crate::link::ForwardError;

/// How long a client is held back while the controller creates the topic; then it hears a retriable error.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// The version of CreateTopics that the broker speaks to the controller.
const VERSION: i16 = 7;

/// Why an internal topic does not stand.
#[derive(Debug, thiserror::Error)]
pub enum InternalTopicError {
    #[error("'{0}' is no internal topic")]
    Unknown(String),
    #[error(transparent)]
    Forward(#[from] ForwardError),
    #[error("the controller refused: {error}: {message}")]
    Refused { error: ErrorCode, message: String },
}

impl Broker {
    /// Returns once the internal topic is in this broker's image; creates it if it does not exist.
    pub async fn ensure_internal_topic(&self, name: &str) -> Result<(), InternalTopicError> {
        if self.image().topic(name).is_some() {
            return Ok(());
        }
        let topic = match name {
            GROUP_METADATA_TOPIC => offsets_topic(&self.config.offsets_topic),
            other => return Err(InternalTopicError::Unknown(other.to_owned())),
        };
        let timeout_ms = i32::try_from(WAIT_MAX.as_millis()).unwrap_or(i32::MAX);
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms, ..CreateTopicsRequest::default() };
        let response = self.link.forward(self.link.caller(), &request, VERSION, WAIT_MAX).await?;
        let results = response.topics.iter();
        let refusal = results
            .map(|result| (ErrorCode::from_code(result.error_code), result.error_message.as_deref()))
            .find(|(error, _)| !matches!(error, ErrorCode::None | ErrorCode::TopicAlreadyExists));
        match refusal {
            None => Ok(()),
            Some((error, message)) => {
                Err(InternalTopicError::Refused { error, message: message.unwrap_or_default().to_owned() })
            }
        }
    }
}

/// `__consumer_offsets` as it is created: compacted, in small segments, compressed as it comes.
pub(crate) fn offsets_topic(config: &InternalTopicConfig) -> CreatableTopic {
    let segment_bytes = config.segment_bytes.to_string();
    let configs =
        [("cleanup.policy", "compact"), ("compression.type", "producer"), ("segment.bytes", &segment_bytes)];
    let configs = configs
        .map(|(name, value)| CreatableTopicConfig { name: Str::from(name), value: Some(Str::from(value)) });
    CreatableTopic {
        name: Str::from_static(GROUP_METADATA_TOPIC),
        num_partitions: config.partitions,
        replication_factor: config.replication_factor,
        configs: configs.to_vec(),
        ..CreatableTopic::default()
    }
}
