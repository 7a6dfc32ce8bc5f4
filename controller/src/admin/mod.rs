//! Admin calls of Kafka clients, forwarded by brokers as they came: decoded, decided, and answered in Kafka's own words. Pure:
//! what is to happen is a [`Plan`], which the shell commits before the answer leaves. One API, one file.

mod alter_configs;
mod assignment;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod elect_leaders;
mod refusal;
#[cfg(test)]
mod tests;
mod topic_name;

use bytes::Bytes;
use fastrand::Rng;
use proto::controller::ForwardRequest;
use protocol::ApiKey;
use protocol::types::Uuid;
use protocol::wire::{DecodeError, EncodeError, Message, Reader, Request, Writer};

use crate::plan::Plan;
use crate::state::State;

/// What is to happen and what is answered once it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided<Answer = Bytes> {
    pub answer: Answer,
    pub plan: Plan,
}

/// Why a call has no answer in Kafka's terms.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("the controller does not serve API {key}")]
    NotServed { key: i32 },
    #[error("the request cannot be read: {0}")]
    Decode(#[from] DecodeError),
    #[error("the answer cannot be written: {0}")]
    Encode(#[from] EncodeError),
}

/// Decides a call.
pub fn decide(state: &State, call: &ForwardRequest, rng: &mut Rng) -> Result<Decided, CallError> {
    let not_served = CallError::NotServed { key: call.api_key };
    let key = i16::try_from(call.api_key).ok().and_then(|key| ApiKey::try_from(key).ok());
    match key.ok_or(not_served)? {
        ApiKey::CreateTopics => carried(call, |request, _| create_topics::decide(state, request, rng)),
        ApiKey::DeleteTopics => {
            carried(call, |request, version| delete_topics::decide(state, request, version))
        }
        ApiKey::CreatePartitions => {
            carried(call, |request, _| create_partitions::decide(state, request, rng))
        }
        ApiKey::AlterConfigs => carried(call, |request, _| alter_configs::replace(state, request)),
        ApiKey::IncrementalAlterConfigs => carried(call, |request, _| alter_configs::alter(state, request)),
        ApiKey::ElectLeaders => carried(call, |request, _| elect_leaders::decide(state, request)),
        _ => Err(CallError::NotServed { key: call.api_key }),
    }
}

/// Decodes, decides, encodes.
fn carried<R: Request>(
    call: &ForwardRequest,
    decide: impl FnOnce(&R, i16) -> Decided<R::Response>,
) -> Result<Decided, CallError> {
    let version = i16::try_from(call.api_version).unwrap_or(-1);
    let request = R::decode(&mut Reader::new(call.body.clone()), version)?;
    let Decided { answer, plan } = decide(&request, version);
    let mut writer = Writer::new();
    answer.encode(&mut writer, version)?;
    Ok(Decided { answer: writer.finish().bytes, plan })
}

/// A random topic id, as Java makes them: version 4, and no dash in front of its text.
fn topic_id(rng: &mut Rng) -> Uuid {
    loop {
        let mut bytes = rng.u128(..).to_be_bytes();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let id = Uuid(bytes);
        if !id.to_string().starts_with('-') {
            return id;
        }
    }
}
