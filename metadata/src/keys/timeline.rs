//! `/timeline`: counts how often the cluster was recovered after its metadata store had gone back to an older state, as one
//! restored from a backup does. Epochs and revisions can be compared within one timeline only.
//!
//! The key is written again with every change that would leave no other key behind, so that the newest change that brokers
//! were told of can always be found in the store.

use serde::{Deserialize, Serialize};

use super::json;
use super::{Key, KeyError};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimelineRecord {
    pub timeline: i64,
    /// What was met that is newer than the store. Until the cluster is recovered its controllers decide nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub went_back: Option<String>,
}

impl TimelineRecord {
    pub fn encode(&self) -> Vec<u8> {
        json::encode(self)
    }

    pub fn decode(value: &[u8]) -> Result<TimelineRecord, KeyError> {
        json::decode(&Key::Timeline, value)
    }
}
