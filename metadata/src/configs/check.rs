//! Whether values may be set: one broker key at the start, or all that is to stand on a topic or a subscription.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ConfigError;
use super::table::{broker_key, client_metrics_key, topic_key};
use super::value::Value;

/// Whether a broker key allows this value; else what it allows. Keys that are not known allow anything.
pub fn check_broker(name: &str, value: &str) -> Result<(), String> {
    match broker_key(name) {
        Some(key) => key.read(value).map(|_| ()).map_err(|_| key.allowed()),
        None => Ok(()),
    }
}

/// The default of a broker key; `None` where there is none.
pub fn broker_default(name: &str) -> Option<String> {
    broker_key(name)?.default().map(str::to_owned)
}

/// Whether these may be all that is set on a topic: names first, then values, then what they say together.
pub fn check_topic(values: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    if let Some(name) = values.keys().find(|name| topic_key(name).is_none()) {
        return Err(ConfigError::UnknownTopicKey { name: name.clone() });
    }
    for (name, value) in values {
        if let Some(key) = topic_key(name) {
            key.read(value)?;
        }
    }
    check_compaction_lags(values)?;
    let wants_tiering =
        values.get("remote.storage.enable").is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    if wants_tiering { Err(ConfigError::TieredStorage) } else { Ok(()) }
}

fn check_compaction_lags(values: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let lag = |name: &str| {
        let key = topic_key(name)?;
        let text = values.get(name).map(String::as_str).or(key.default())?;
        key.read(text).ok()?.as_number()
    };
    match (lag("min.compaction.lag.ms"), lag("max.compaction.lag.ms")) {
        (Some(min), Some(max)) if min > max => Err(ConfigError::CompactionLags { min, max }),
        _ => Ok(()),
    }
}

/// Whether a call may name these keys together, each with or without a value: none twice, none to be set to nothing.
pub fn check_keys<'a>(keys: impl Iterator<Item = (&'a str, bool)> + Clone) -> Result<(), ConfigError> {
    let mut names = BTreeSet::new();
    if !keys.clone().all(|(name, _)| names.insert(name)) {
        return Err(ConfigError::DuplicateKeys);
    }
    let null: Vec<&str> = keys.filter(|(_, has_value)| !has_value).map(|(name, _)| name).collect();
    if null.is_empty() { Ok(()) } else { Err(ConfigError::NullValues { names: null.join(", ") }) }
}

/// What may be told of a client, so that a subscription can be for it alone.
const CLIENT_LABELS: [&str; 6] = [
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Whether these may be all that is set on a subscription to clients' metrics. Patterns are Java's, and not looked into.
pub fn check_client_metrics(values: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    if let Some(name) = values.keys().find(|name| client_metrics_key(name).is_none()) {
        return Err(ConfigError::UnknownClientMetricsKey { name: name.clone() });
    }
    for (name, value) in values {
        let Some(key) = client_metrics_key(name) else { continue };
        match (name.as_str(), key.read(value)?) {
            ("interval.ms", Value::Number(value)) if !(100..=3_600_000).contains(&value) => {
                return Err(ConfigError::PushInterval { value });
            }
            ("match", Value::List(patterns)) => patterns.into_iter().try_for_each(check_client_match)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_client_match(pattern: String) -> Result<(), ConfigError> {
    let parts: Vec<&str> = pattern.trim_end_matches('=').split('=').collect();
    match parts.as_slice() {
        [label, _] if CLIENT_LABELS.contains(&label.trim()) => Ok(()),
        _ => Err(ConfigError::ClientMatch { pattern }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[(&str, &str)]) -> String {
        let values = values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        check_topic(&values).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn a_topic_is_refused_in_kafkas_words() {
        assert_eq!(check(&[("retention.ms", "-1"), ("cleanup.policy", "compact,delete")]), "fine");
        assert_eq!(check(&[("a.b", "1"), ("retention.ms", "x")]), "Unknown topic config name: a.b");
        assert_eq!(
            check(&[("retention.ms", "x")]),
            "Invalid value x for configuration retention.ms: Not a number of type LONG"
        );
        assert_eq!(
            check(&[("min.compaction.lag.ms", "100"), ("max.compaction.lag.ms", "10")]),
            "conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (10)"
        );
    }

    #[test]
    fn a_subscription_says_which_clients_it_is_for() {
        let check = |name: &str, value: &str| {
            let values = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            check_client_metrics(&values).map_err(|error| error.to_string())
        };
        assert_eq!(check("match", "client_id=a.*, client_software_name = Java"), Ok(()));
        let refused = [
            ("match", "client_id=", "Illegal client matching pattern: client_id="),
            ("match", "name=x", "Illegal client matching pattern: name=x"),
            ("push", "1", "Unknown client metrics configuration: push"),
            (
                "interval.ms",
                "99",
                "Invalid value 99 for interval.ms, interval must be between 100 and 3600000 (1 hour)",
            ),
        ];
        for (name, value, words) in refused {
            assert_eq!(check(name, value), Err(words.to_owned()));
        }
    }

    #[test]
    fn a_broker_key_says_what_it_allows() {
        assert_eq!(
            check_broker("num.partitions", "0"),
            Err("a whole number of 32 bits, at least 1".to_owned())
        );
        assert_eq!(check_broker("num.partitions", " 3 "), Ok(()));
        assert_eq!(broker_default("log.retention.hours").as_deref(), Some("168"));
        assert_eq!(broker_default("log.retention.ms"), None);
    }
}
