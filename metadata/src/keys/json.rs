//! How the values of all families are read and written: JSON, with uuids in Kafka's text form.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Key, KeyError};

pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Structs of texts, numbers and lists have no way to fail.
    serde_json::to_vec(value).unwrap_or_default()
}

pub(super) fn decode<T: DeserializeOwned>(key: &Key, value: &[u8]) -> Result<T, KeyError> {
    serde_json::from_slice(value).map_err(|source| KeyError { key: key.to_string(), source })
}

/// A uuid, for `#[serde(with)]`.
pub(super) mod uuid {
    use protocol::types::Uuid;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(uuid: &Uuid, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(uuid)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Uuid, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A list of uuids, for `#[serde(with)]`.
pub(super) mod uuids {
    use protocol::types::Uuid;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(uuids: &[Uuid], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(uuids.iter().map(Uuid::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Uuid>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
