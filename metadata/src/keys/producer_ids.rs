//! `/producer_ids`: the last block of producer ids that was given to a broker, as ZooKeeper's `/latest_producer_id_block`.

use serde::{Deserialize, Serialize};

use super::json;
use super::{Key, KeyError};

/// Ids `[block_start, block_start + block_size)` belong to `broker`; those behind are free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProducerIdBlock {
    pub broker: i32,
    pub block_start: i64,
    pub block_size: i32,
}

impl ProducerIdBlock {
    /// The first id that no block holds yet; `None` once all are used up.
    pub fn next_start(&self) -> Option<i64> {
        self.block_start.checked_add(self.block_size.into())
    }

    pub fn encode(&self) -> Vec<u8> {
        json::encode(self)
    }

    pub fn decode(value: &[u8]) -> Result<ProducerIdBlock, KeyError> {
        json::decode(&Key::ProducerIds, value)
    }
}
