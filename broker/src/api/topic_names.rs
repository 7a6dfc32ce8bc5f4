//! Which names a topic may have, and which are Kafka's own.

use storage::{MAX_TOPIC_NAME_BYTES, is_topic_name};

/// Where groups keep their offsets.
pub const GROUP_METADATA_TOPIC: &str = "__consumer_offsets";
/// Where transactions are kept.
pub const TRANSACTION_STATE_TOPIC: &str = "__transaction_state";
/// Where share groups keep their state.
pub const SHARE_GROUP_STATE_TOPIC: &str = "__share_group_state";

/// A name that no topic may have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{name}' is no topic name: 1 to {MAX_TOPIC_NAME_BYTES} ASCII letters, digits, '.', '_' and '-' are expected, and neither '.' nor '..'"
)]
pub struct InvalidTopicName {
    name: String,
}

/// Refuses a name that Kafka refuses.
pub fn validate(name: &str) -> Result<(), InvalidTopicName> {
    match is_topic_name(name) {
        true => Ok(()),
        false => Err(InvalidTopicName { name: name.to_owned() }),
    }
}

/// Whether the topic is Kafka's own.
pub fn is_internal(name: &str) -> bool {
    [GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC, SHARE_GROUP_STATE_TOPIC].contains(&name)
}
