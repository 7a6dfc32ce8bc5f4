//! What the broker settles itself of a call that changes configurations, before the rest goes to the controller: the levels
//! of its loggers, and whether it could work with what is to be set on it. Afterwards it warns of what was set and does
//! nothing. The order of the checks, and their words, are Apache Kafka's.

use std::sync::Arc;

use metadata::configs::{
    ConfigKey, Layers, Told, When, broker_key, check_keys, check_threads, client_metrics_key, group_key,
    topic_key,
};
use metadata::image::{ClusterImage, ConfigResource};
use protocol::ErrorCode;
use protocol::wire::Str;

use super::config_resource::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};
use super::forward::Failure;
use super::logger_levels;
use crate::Broker;
use crate::config::{BrokerConfig, DynamicConfig};

pub(super) const SET: i8 = 0;
pub(super) const DELETE: i8 = 1;

/// One resource of a call.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    pub kind: i8,
    pub name: &'a Str,
    pub changes: Vec<Change<'a>>,
}

/// One key of it.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub name: &'a Str,
    pub value: Option<&'a Str>,
    pub operation: i8,
}

/// What becomes of a resource.
pub(super) type Outcome = Result<(), Failure>;

/// A resource's error code and message.
pub(super) type Answer = (i16, Option<Str>);

/// Per resource what was settled here; `None` is the controller's to settle.
pub(super) fn settle(
    broker: &Arc<Broker>,
    resources: &[Resource],
    validate_only: bool,
) -> Vec<Option<Outcome>> {
    let image = broker.image();
    let settled = resources.iter().map(|resource| {
        let comes_twice = resources
            .iter()
            .filter(|other| (other.kind, other.name) == (resource.kind, resource.name))
            .count()
            > 1;
        match resource.kind {
            BROKER_LOGGER | BROKER if comes_twice => {
                Some(Err(invalid("Each resource must appear at most once.".into())))
            }
            BROKER_LOGGER => Some(logger_levels::change(broker.config.broker_id, resource, validate_only)),
            BROKER => check_broker(&broker.config, &image, resource).err().map(Err),
            _ => None,
        }
    });
    settled.collect()
}

/// Whether this broker could go on with what is to be set on it, or on all.
fn check_broker(config: &BrokerConfig, image: &ClusterImage, resource: &Resource) -> Outcome {
    check_names(resource)?;
    if !resource.name.is_empty() {
        let integer = |_| invalid(format!("Node id must be an integer, but it is: {}", resource.name));
        let (id, this) = (resource.name.parse::<i32>().map_err(integer)?, config.broker_id);
        if id != this.0 {
            let name = resource.name;
            return Err(invalid(format!("Unexpected broker id, expected {this}, but received {name}")));
        }
    }
    let layers = Layers::of(image, Some(config.broker_id), &config.statics);
    for change in resource.changes.iter().filter(|change| change.operation == SET) {
        let value = change.value.map_or("", |value| value);
        check_threads(layers, change.name, value).map_err(|error| invalid(error.to_string()))?;
    }
    check_together(config, image, resource)
}

/// No key twice, and each with a value that needs one.
pub(super) fn check_names(resource: &Resource) -> Outcome {
    let keys = resource.changes.iter();
    let keys = keys.map(|change| (&**change.name, change.operation == DELETE || change.value.is_some()));
    check_keys(keys).map_err(|error| invalid(error.to_string()))
}

/// Whether all that would be set then can be read.
fn check_together(config: &BrokerConfig, image: &ClusterImage, resource: &Resource) -> Outcome {
    let stands = image.config(&ConfigResource::Broker(resource.name.to_string()));
    let mut values = stands.map(|values| (**values).clone()).unwrap_or_default();
    for change in &resource.changes {
        match change.operation {
            SET => drop(values.insert(change.name.to_string(), change.value.map_or("", |v| v).to_owned())),
            DELETE => drop(values.remove(&**change.name)),
            _ => {}
        }
    }
    let layers = Layers::of(image, Some(config.broker_id), &config.statics);
    let layers = match resource.name.is_empty() {
        true => Layers { dynamic_default: Some(&values), ..layers },
        false => Layers { dynamic_broker: Some(&values), ..layers },
    };
    DynamicConfig::resolve(config, layers).map(|_| ()).map_err(|error| invalid(error.to_string()))
}

/// All answers in the order of the request: what was settled here, and between it what the controller said of the rest.
pub(super) fn assembled(settled: Vec<Option<Outcome>>, rest: Vec<Answer>) -> Vec<Answer> {
    let (mut rest, unanswered) = (rest.into_iter(), ErrorCode::UnknownServerError);
    let answers = settled.into_iter().map(|settled| match settled {
        Some(Ok(())) => (ErrorCode::None.code(), None),
        Some(Err(Failure { error, message })) => (error.code(), Some(message)),
        None => rest.next().unwrap_or((unanswered.code(), Some(unanswered.message().into()))),
    });
    answers.collect()
}

/// Warns of everything that is set now and does nothing.
pub(super) fn warn_of_idle(resources: &[Resource], answers: &[Answer]) {
    let done = resources.iter().zip(answers).filter(|(_, (error, _))| *error == ErrorCode::None.code());
    for (resource, _) in done {
        for change in resource.changes.iter().filter(|change| change.operation != DELETE) {
            let value = change.value.map_or("", |value| value);
            let told = match key_of(resource.kind, change.name) {
                Some(key) => key.told(value, When::Running),
                None => Told::Warning("no such key is known"),
            };
            if let (Told::Warning(why), true) = (told, resource.kind != BROKER_LOGGER) {
                let (kind, resource, key) = (name_of(resource.kind), &**resource.name, &**change.name);
                tracing::warn!(kind, resource, key, "is set and has no effect: {why}");
            }
        }
    }
}

fn key_of(kind: i8, name: &str) -> Option<&'static ConfigKey> {
    match kind {
        TOPIC => topic_key(name),
        BROKER => broker_key(name),
        GROUP => group_key(name),
        CLIENT_METRICS => client_metrics_key(name),
        _ => None,
    }
}

fn name_of(kind: i8) -> &'static str {
    match kind {
        TOPIC => "topic",
        BROKER => "broker",
        GROUP => "group",
        _ => "client-metrics",
    }
}

pub(super) fn invalid(message: String) -> Failure {
    Failure { error: ErrorCode::InvalidRequest, message: message.into() }
}

#[cfg(test)]
mod tests {
    use node::properties::{Origin, Properties};

    use super::*;
    use crate::api::sample;

    fn check(name: &str, changes: &[(&str, &str)]) -> String {
        let mut properties = Properties::default();
        for (key, value) in [("node.id", "1"), ("listeners", "PLAINTEXT://:1"), ("num.replica.fetchers", "2")]
        {
            properties.set(key, value, Origin::Override);
        }
        let config = BrokerConfig::resolve(&properties).expect("is allowed");
        let (name, changes): (Str, Vec<(Str, Str)>) =
            (name.into(), changes.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect());
        let change = |(name, value)| Change { name, value: Some(value), operation: SET };
        let changes = changes.iter().map(|(name, value)| change((name, value))).collect();
        let outcome =
            check_broker(&config, &sample::image(), &Resource { kind: BROKER, name: &name, changes });
        outcome.map_or_else(|failure| failure.message.to_string(), |()| String::new())
    }

    #[test]
    fn a_broker_judges_what_is_set_on_itself_and_on_all() {
        assert_eq!(check("1", &[("num.replica.fetchers", "4")]), "");
        assert_eq!(check("", &[("max.connections.per.ip.overrides", "127.0.0.1:5")]), "");
        assert_eq!(
            check("7", &[("num.replica.fetchers", "4")]),
            "Unexpected broker id, expected 1, but received 7"
        );
        assert_eq!(check("x", &[]), "Node id must be an integer, but it is: x");
        assert_eq!(check("1", &[("a", "1"), ("a", "2")]), "Error due to duplicate config keys");
        let threads = check("1", &[("num.replica.fetchers", "5")]);
        assert!(threads.ends_with("not be greater than double the current value 2"), "{threads}");
        let overrides = check("", &[("max.connections.per.ip.overrides", "here:5")]);
        assert!(overrides.ends_with("from a call: a list of address:count is allowed"), "{overrides}");
    }

    #[test]
    fn answers_come_in_the_order_of_the_request() {
        let settled = vec![None, Some(Ok(())), Some(Err(invalid("no".into()))), None, None];
        let answers = assembled(settled, vec![(7, None), (0, None)]);
        let codes: Vec<i16> = answers.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [7, 0, ErrorCode::InvalidRequest.code(), 0, ErrorCode::UnknownServerError.code()]);
    }
}
