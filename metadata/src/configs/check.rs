//! Whether values may be set: one broker key, or all that is to stand on a topic or a group.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::key::Dynamic;
use super::table::{broker_key, group_key, topic_key};

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

/// Whether these may be all that is set while brokers run, on one broker or on all of them. Keys that are not known may be
/// some plug-in's.
pub fn check_dynamic_broker(values: &BTreeMap<String, String>, of_one: bool) -> Result<(), ConfigError> {
    let of_kind = |dynamic: Dynamic| {
        let known = values.keys().filter(|name| broker_key(name).is_some_and(|key| key.dynamic == dynamic));
        known.cloned().collect::<Vec<String>>()
    };
    let fixed = of_kind(Dynamic::ReadOnly);
    if !fixed.is_empty() {
        return Err(ConfigError::NotDynamic { names: fixed.join(", ") });
    }
    for (name, value) in values {
        if let Some(key) = broker_key(name) {
            key.read(value)?;
        }
    }
    let of_brokers = of_kind(Dynamic::PerBroker);
    match of_one || of_brokers.is_empty() {
        true => Ok(()),
        false => Err(ConfigError::NotClusterWide { names: of_brokers.join(", ") }),
    }
}

/// Whether these may be all that is set on a group, name by name and value by value.
pub fn check_group(values: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    for (name, value) in values {
        let key = group_key(name).ok_or_else(|| ConfigError::UnknownGroupKey { name: name.clone() })?;
        key.read(value)?;
    }
    Ok(())
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
