//! `/controller` and `/controller_epoch`: which controller is active, and the how-manieth it is.
//!
//! Brokers watch `/controller` and nothing else. Its create revision is the fence that every write of the controller
//! compares (design §2).

use protocol::types::Uuid;
use serde::{Deserialize, Serialize};

use super::json;
use super::{Key, KeyError};

/// The active controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActiveController {
    pub id: i32,
    /// Where its gRPC is reached: `http://host:port`.
    pub endpoint: String,
    pub epoch: i32,
    /// 16 random bytes that name its process; zero where an older release did not say.
    #[serde(with = "json::uuid")]
    pub incarnation: Uuid,
}

/// The whole path of `/controller`.
pub fn key(prefix: &str) -> Vec<u8> {
    Key::Controller.path(prefix)
}

impl ActiveController {
    pub fn encode(&self) -> Vec<u8> {
        json::encode(self)
    }

    pub fn decode(value: &[u8]) -> Result<ActiveController, KeyError> {
        json::decode(&Key::Controller, value)
    }
}

/// The value of `/controller_epoch`.
pub fn encode_epoch(epoch: i32) -> Vec<u8> {
    json::encode(&epoch)
}

pub fn decode_epoch(value: &[u8]) -> Result<i32, KeyError> {
    json::decode(&Key::ControllerEpoch, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_tolerates_what_it_does_not_know() {
        let active = ActiveController {
            id: 1,
            endpoint: "http://[::1]:9190".into(),
            epoch: 7,
            incarnation: Uuid([1; 16]),
        };
        assert_eq!(ActiveController::decode(&active.encode()).unwrap(), active);
        let newer = br#"{"id":1,"endpoint":"e","epoch":7,"zone":"x"}"#;
        assert_eq!(ActiveController::decode(newer).unwrap().epoch, 7);
        assert_eq!(decode_epoch(&encode_epoch(12)).unwrap(), 12);
        assert!(ActiveController::decode(b"[]x").is_err());
    }
}
