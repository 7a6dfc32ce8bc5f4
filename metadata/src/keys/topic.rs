//! `/topics/{name}`: a topic that exists. Brokers see a topic only with this key: it is written after the keys of its
//! partitions and deleted before them.

use protocol::types::Uuid;
use serde::{Deserialize, Serialize};

use super::json;
use super::{Key, KeyError};

/// One topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopicRecord {
    #[serde(with = "json::uuid")]
    pub topic_id: Uuid,
    /// How many partitions it has; keys of partitions beyond are orphans of a growth that did not end.
    pub partitions: i32,
}

impl TopicRecord {
    pub fn encode(&self) -> Vec<u8> {
        json::encode(self)
    }

    pub fn decode(name: &str, value: &[u8]) -> Result<TopicRecord, KeyError> {
        json::decode(&Key::Topic(name.to_owned()), value)
    }
}
