//! Whether broker keys may change while brokers run: what all brokers have in common is checked here, in Kafka's order and
//! words.

use std::collections::BTreeMap;

use super::effect::{Told, When};
use super::error::ConfigError;
use super::key::{ConfigKey, Dynamic};
use super::layers::Layers;
use super::table::{broker_key, without_listener};

/// Keys that may be set on all brokers at once though they bear a listener's prefix.
const OF_ALL_BROKERS_BY_LISTENER: [&str; 3] =
    ["max.connections", "max.connection.creation.rate", "num.network.threads"];

/// Keys that may change while brokers run, for one listener at a time.
const BY_LISTENER_ALONE: [&str; 10] = [
    "ssl.keystore.type",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.key.password",
    "ssl.truststore.type",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.truststore.certificates",
];

/// Keys of which a change halves or doubles the value at most.
const THREADS: [&str; 5] = [
    "num.io.threads",
    "num.network.threads",
    "num.replica.fetchers",
    "num.recovery.threads.per.data.dir",
    "background.threads",
];

type Values = BTreeMap<String, String>;

/// Whether these may be all that is set while brokers run, on one broker or on all of them, where `before` was set until
/// now. Keys that are not known may be some plug-in's.
pub fn check_dynamic_broker(before: &Values, values: &Values, of_one: bool) -> Result<(), ConfigError> {
    let fixed =
        names(values, |name, key| without_listener(name).is_none() && key.dynamic == Dynamic::ReadOnly);
    if let Some(names) = fixed {
        return Err(ConfigError::NotDynamic { names });
    }
    if let Some(names) = names(values, |name, _| BY_LISTENER_ALONE.contains(&name)) {
        return Err(ConfigError::NotPerListener { names });
    }
    for (name, value) in values {
        if let Some(key) = broker_key(name) {
            key.read(value)?;
        }
    }
    if let Some(names) = names(values, is_of_one).filter(|_| !of_one) {
        return Err(ConfigError::NotClusterWide { names });
    }
    let changed = values.iter().filter(|(name, value)| before.get(*name) != Some(value));
    changed.into_iter().try_for_each(|(name, value)| refuse_if_unsafe(name, value))
}

/// The names of all known keys for which `wanted` holds; none if there are none.
fn names(values: &Values, wanted: impl Fn(&str, &ConfigKey) -> bool) -> Option<String> {
    let names = values.keys().filter(|name| broker_key(name).is_some_and(|key| wanted(name, key)));
    let names: Vec<&str> = names.map(String::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn is_of_one(name: &str, key: &ConfigKey) -> bool {
    match without_listener(name) {
        Some(base) => !OF_ALL_BROKERS_BY_LISTENER.contains(&base),
        None => key.dynamic == Dynamic::PerBroker,
    }
}

fn refuse_if_unsafe(name: &str, value: &str) -> Result<(), ConfigError> {
    match broker_key(name).map(|key| key.told(value, When::Running)) {
        Some(Told::Refusal(why)) => {
            Err(ConfigError::Refused { name: name.to_owned(), value: value.to_owned(), why })
        }
        Some(Told::Nothing | Told::Warning(_)) | None => Ok(()),
    }
}

/// Whether a number of threads may become this one, as the broker sees it whose `layers` these are.
pub fn check_threads(layers: Layers, name: &str, value: &str) -> Result<(), ConfigError> {
    let key = broker_key(name).filter(|key| THREADS.contains(&key.name));
    let Some(key) = key else { return Ok(()) };
    let number = |text: &str| key.read(text).ok().and_then(|value| value.as_number());
    let now = layers.resolve_broker(key).value.as_deref().and_then(number);
    let (Some(threads), Some(now)) = (number(value), now) else { return Ok(()) };
    let refuse = |allowed| ConfigError::Threads { name: name.to_owned(), threads, allowed, now };
    match threads {
        _ if threads < now / 2 => Err(refuse("be at least half")),
        _ if threads > now.saturating_mul(2) => Err(refuse("not be greater than double")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], of_one: bool, expected: &str) {
        let values = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let answer = check_dynamic_broker(&Values::new(), &values, of_one);
        assert_eq!(answer.map_or_else(|error| error.to_string(), |()| String::new()), expected);
    }

    #[test]
    fn a_broker_is_refused_in_kafkas_order_and_words() {
        check(&[("log.retention.ms", "1000"), ("a.plug.in", "x")], false, "");
        check(
            &[("node.id", "1"), ("log.retention.ms", "x")],
            true,
            "Cannot update these configs dynamically: [node.id]",
        );
        let by_listener = "These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.key.password]";
        check(&[("ssl.key.password", "x")], true, by_listener);
        check(&[("listener.name.a.ssl.key.password", "x")], true, "");
        check(&[("listener.name.a.max.connections", "5")], false, "");
        let broker = "Cannot update these configs at default cluster level, broker id must be specified: [listener.name.a.ssl.key.password]";
        check(&[("listener.name.a.ssl.key.password", "x")], false, broker);
    }

    #[test]
    fn what_would_be_unsafe_to_ignore_is_refused_when_it_changes() {
        let listeners = Values::from([("listeners".to_owned(), "A://:1".to_owned())]);
        let refused = check_dynamic_broker(&Values::new(), &listeners, true);
        assert!(matches!(refused, Err(ConfigError::Refused { .. })), "{refused:?}");
        assert_eq!(check_dynamic_broker(&listeners, &listeners, true), Ok(()));
    }

    #[test]
    fn threads_are_halved_or_doubled_at_most() {
        let (none, statics) = (None, Values::from([("num.io.threads".to_owned(), "8".to_owned())]));
        let layers = Layers { dynamic_broker: none, dynamic_default: none, statics: &statics };
        let check = |value| check_threads(layers, "num.io.threads", value).map_err(|error| error.to_string());
        assert_eq!((check("4"), check("16")), (Ok(()), Ok(())));
        let failed = "Dynamic thread count update validation failed for num.io.threads";
        assert_eq!(check("3"), Err(format!("{failed}=3, value should be at least half the current value 8")));
        let doubled = format!("{failed}=17, value should not be greater than double the current value 8");
        assert_eq!(check("17"), Err(doubled));
    }
}
