//! Which resources there are, and what may be set on each.

use metadata::configs::{check_dynamic_broker, check_group, check_topic};
use metadata::image::ConfigResource;
use protocol::ErrorCode;
use protocol::types::BrokerId;

use super::super::refusal::Refusal;
use super::super::topic_name;
use super::operations::key_of;
use super::{invalid_config, invalid_request, text_of};
use crate::state::{State, Values};

/// The longest value.
const VALUE_MAX: usize = i16::MAX as usize;
const MIN_ISR: &str = "min.insync.replicas";

/// The resource of Kafka's `ConfigResource.Type`. What it names may be nothing that exists.
pub(super) fn resource(kind: i8, name: &str) -> Result<ConfigResource, Refusal> {
    let named = |what: &str, resource: fn(String) -> ConfigResource| match name.is_empty() {
        true => Err(invalid_request(&format!("Default {what} resources are not allowed."))),
        false => Ok(resource(name.to_owned())),
    };
    match kind {
        2 => named("topic", ConfigResource::Topic),
        4 => Ok(ConfigResource::Broker(name.to_owned())),
        16 => named("client metrics", ConfigResource::ClientMetrics),
        32 => named("group", ConfigResource::Group),
        other => Err(invalid_request(&format!("Unknown resource type {other}"))),
    }
}

/// Whether these may be all that is set on the resource.
pub(super) fn check(
    state: &State,
    resource: &ConfigResource,
    before: &Values,
    values: &Values,
) -> Result<(), Refusal> {
    if values.values().any(|value| value.len() > VALUE_MAX) {
        return Err(invalid_config(format!(
            "The configuration value cannot be added because it exceeds the maximum value size of {VALUE_MAX} bytes."
        )));
    }
    match resource {
        ConfigResource::Topic(name) => check_topic_values(state, name, values),
        ConfigResource::Broker(name) => check_broker_values(state, name, before, values),
        ConfigResource::Group(_) => check_group(values).map_err(|error| invalid_config(error.to_string())),
        ConfigResource::ClientMetrics(_) => check_keys(resource, values),
    }
}

fn check_topic_values(state: &State, name: &str, values: &Values) -> Result<(), Refusal> {
    if let Some(reason) = topic_name::invalid(name) {
        return Err(Refusal::new(ErrorCode::InvalidTopicException, reason));
    }
    check_topic(values).map_err(|error| invalid_config(error.to_string()))?;
    let message = || format!("The topic '{name}' does not exist.");
    let unknown = || Refusal::new(ErrorCode::UnknownTopicOrPartition, message());
    state.image.topic(name).map(|_| ()).ok_or_else(unknown)
}

fn check_broker_values(state: &State, name: &str, before: &Values, values: &Values) -> Result<(), Refusal> {
    let of_one = !name.is_empty();
    if of_one {
        let integer = || invalid_request(&format!("Node id must be an integer, but it is: {name}"));
        let id = BrokerId(name.parse().map_err(|_| integer())?);
        if !state.image.brokers.contains_key(&id) {
            let message = format!("No broker with id {id} found.");
            return Err(Refusal::new(ErrorCode::BrokerIdNotRegistered, message));
        }
    }
    check_dynamic_broker(values, of_one).map_err(|error| invalid_request(&error.to_string()))?;
    // It decides what is committed, so it is the same everywhere (safety rule 14).
    match of_one && before.get(MIN_ISR) != values.get(MIN_ISR) {
        true => {
            Err(invalid_config(format!("Broker-level {MIN_ISR} cannot be altered while ELR is enabled.")))
        }
        false => Ok(()),
    }
}

fn check_keys(resource: &ConfigResource, values: &Values) -> Result<(), Refusal> {
    for (name, value) in values {
        let unknown = || {
            invalid_config(format!("Unknown client metrics configuration: {name} of {}", text_of(resource)))
        };
        let key = key_of(resource, name).ok_or_else(unknown)?;
        key.read(value).map_err(|error| invalid_config(error.to_string()))?;
    }
    Ok(())
}
