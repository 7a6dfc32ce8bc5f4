//! `/brokers/admitted/{id}`: the last registration of a broker that a controller admitted, and whether it is fenced since.
//!
//! It outlives the registration. A registration with another epoch stays fenced until safety rule 7 has been applied to
//! every ISR and ELR that names the broker; only then is this key written.

use protocol::types::{BrokerId, Uuid};
use serde::{Deserialize, Serialize};

use super::json;
use super::{Key, KeyError};

/// What was known of the broker when it was admitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdmittedBroker {
    /// Create revision of the registration that was admitted.
    pub epoch: i64,
    #[serde(with = "json::uuid")]
    pub incarnation: Uuid,
    pub boot_id: String,
    #[serde(with = "json::uuids")]
    pub log_dirs: Vec<Uuid>,
    /// Gone or silent since: out of every ISR that has another member, and leads nothing.
    pub fenced: bool,
}

impl AdmittedBroker {
    pub fn encode(&self) -> Vec<u8> {
        json::encode(self)
    }

    pub fn decode(id: BrokerId, value: &[u8]) -> Result<AdmittedBroker, KeyError> {
        json::decode(&Key::AdmittedBroker(id), value)
    }
}
