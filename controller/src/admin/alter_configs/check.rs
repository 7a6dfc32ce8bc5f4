//! Which resources there are, and what may be set on each.

use metadata::configs::{
    ConfigError, Layers, check_client_metrics, check_dynamic_broker, check_group, check_topic,
};
use metadata::image::ConfigResource;
use protocol::ErrorCode;
use protocol::types::BrokerId;

use super::super::refusal::Refusal;
use super::super::topic_name;
use super::{invalid_config, invalid_request};
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
        ConfigResource::Group(_) => {
            let layers = Layers::of(&state.image, None, &state.statics);
            check_group(layers, values).map_err(|error| invalid_config(error.to_string()))
        }
        ConfigResource::ClientMetrics(_) => check_client_metrics(values).map_err(refusal_of_subscription),
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
    check_dynamic_broker(before, values, of_one).map_err(|error| invalid_request(&error.to_string()))?;
    // It decides what is committed, so it is the same everywhere (safety rule 14).
    let min_isr_changes = before.get(MIN_ISR) != values.get(MIN_ISR);
    if min_isr_changes && of_one {
        return Err(invalid_config(format!(
            "Broker-level {MIN_ISR} cannot be altered while ELR is enabled."
        )));
    }
    if min_isr_changes && !values.contains_key(MIN_ISR) {
        return Err(invalid_config(format!(
            "Cluster-level {MIN_ISR} cannot be removed while ELR is enabled."
        )));
    }
    Ok(())
}

fn refusal_of_subscription(error: ConfigError) -> Refusal {
    match error {
        ConfigError::UnknownClientMetricsKey { .. } | ConfigError::PushInterval { .. } => {
            invalid_request(&error.to_string())
        }
        other => invalid_config(other.to_string()),
    }
}
