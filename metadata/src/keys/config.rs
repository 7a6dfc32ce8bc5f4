//! `/config/{kind}/{entity}`: what is set on a topic, a broker, all brokers, a group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::json;
use super::{Key, KeyError};
use crate::image::ConfigResource;

/// As ZooKeeper's node had it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ConfigRecord {
    version: i32,
    config: BTreeMap<String, String>,
}

/// The value of a configuration's key.
pub fn encode(values: &BTreeMap<String, String>) -> Vec<u8> {
    json::encode(&ConfigRecord { version: 1, config: values.clone() })
}

pub fn decode(resource: &ConfigResource, value: &[u8]) -> Result<BTreeMap<String, String>, KeyError> {
    json::decode::<ConfigRecord>(&Key::Config(resource.clone()), value).map(|record| record.config)
}
