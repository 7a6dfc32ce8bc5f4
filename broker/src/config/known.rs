//! Every key that was set, used by the broker or not: bad values stop the start, what has no effect is warned of.

use metadata::configs::{ConfigKey, Kind, broker_areas, broker_key};
use node::properties::Properties;

use super::ConfigError;

/// Keys of Java classes that guard something: to go on without them would be unsafe.
const GUARDS: [&str; 5] = [
    "authorizer.class.name",
    "principal.builder.class",
    "create.topic.policy.class.name",
    "alter.config.policy.class.name",
    "client.quota.callback.class",
];

/// Keys that list Java classes, of which none is missed.
const REPORTERS: [&str; 2] = ["metric.reporters", "kafka.metrics.reporters"];

/// Keys that are known and settle nothing here, and why.
const SETTLED_OTHERWISE: [(&str, &str); 5] = [
    ("num.network.threads", "all work is done by one thread for each processor"),
    ("num.io.threads", "all work is done by one thread for each processor"),
    ("background.threads", "housekeeping shares the threads of the runtime"),
    ("socket.send.buffer.bytes", "the kernel tunes the buffers of each socket, which a fixed size would end"),
    (
        "socket.receive.buffer.bytes",
        "the kernel tunes the buffers of each socket, which a fixed size would end",
    ),
];

/// How the keys of the store before KRaft begin.
const ZOOKEEPER: &str = "zookeeper.";

/// Refuses the first value that its key does not allow, and warns of each key without effect.
pub(super) fn check(properties: &Properties) -> Result<(), ConfigError> {
    for (name, value) in properties.iter() {
        let key = broker_key(name);
        let text = value.text.trim();
        if let Some(key) = key.filter(|key| key.read(text).is_err()) {
            return Err(properties.refuse(name, key.allowed()).into());
        }
        if let Some(why) = without_effect(name) {
            tracing::warn!(key = name, "has no effect: {why} (set by {})", value.origin);
        } else if key.is_some_and(|key| names_class(key) && !text.is_empty() && key.default() != Some(text)) {
            check_class(properties, name)?;
        }
    }
    Ok(())
}

fn names_class(key: &ConfigKey) -> bool {
    key.kind == Kind::Class || GUARDS.contains(&key.name) || REPORTERS.contains(&key.name)
}

fn check_class(properties: &Properties, name: &str) -> Result<(), ConfigError> {
    if GUARDS.contains(&name) {
        let allowed =
            "nothing (Java classes cannot be loaded, and to go on without this one would be unsafe)";
        return Err(properties.refuse(name, allowed).into());
    }
    tracing::warn!(key = name, "has no effect: Java classes cannot be loaded");
    Ok(())
}

fn without_effect(name: &str) -> Option<&'static str> {
    if name.starts_with(ZOOKEEPER) {
        return Some("metadata is kept in metadata.store");
    }
    if let Some((_, why)) = SETTLED_OTHERWISE.iter().find(|(key, _)| *key == name) {
        return Some(why);
    }
    let Some(known) = broker_key(name) else { return Some("no such key is known") };
    let area = broker_areas().iter().find(|(_, keys, _)| keys.iter().any(|key| key.name == known.name));
    area.and_then(|(_, _, why)| *why)
}
