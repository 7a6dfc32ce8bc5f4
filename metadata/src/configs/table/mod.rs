//! The table itself, one file an area, and how a key is found by its name.
//!
//! The facts are those of Apache Kafka 4.3.1; `tests/kafka_configs.rs` compares them with what its own tables say.

mod cleaner;
mod client_metrics;
mod group;
mod groups;
mod logs;
mod milena;
mod quotas;
mod raft;
mod remote_storage;
mod replication;
mod sasl;
mod server;
mod share_groups;
mod sockets;
mod tls;
mod topic;
mod transactions;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::key::ConfigKey;

/// What a broker key begins with that is meant for one listener.
const LISTENER_PREFIX: &str = "listener.name.";

/// Broker keys that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub title: &'static str,
    pub keys: &'static [ConfigKey],
}

const fn area(title: &'static str, keys: &'static [ConfigKey]) -> Area {
    Area { title, keys }
}

/// All areas of broker keys, those of most use first.
pub fn broker_areas() -> &'static [Area] {
    const {
        &[
            area("Broker", server::KEYS),
            area("Milena's own", milena::KEYS),
            area("Listeners and connections", sockets::KEYS),
            area("Logs", logs::KEYS),
            area("Compaction", cleaner::KEYS),
            area("Replication", replication::KEYS),
            area("Groups", groups::KEYS),
            area("Transactions", transactions::KEYS),
            area("Quotas and metrics", quotas::KEYS),
            area("TLS", tls::KEYS),
            area("SASL, tokens and authorization", sasl::KEYS),
            area("Share groups", share_groups::KEYS),
            area("Tiered storage", remote_storage::KEYS),
            area("Raft", raft::KEYS),
        ]
    }
}

/// All broker keys.
pub fn broker_keys() -> impl Iterator<Item = &'static ConfigKey> {
    broker_areas().iter().flat_map(|area| area.keys)
}

pub fn topic_keys() -> &'static [ConfigKey] {
    topic::KEYS
}

pub fn group_keys() -> &'static [ConfigKey] {
    group::KEYS
}

pub fn client_metrics_keys() -> &'static [ConfigKey] {
    client_metrics::KEYS
}

type ByName = LazyLock<HashMap<&'static str, &'static ConfigKey>>;

/// The broker key of this name; one with a listener's prefix is the key behind the prefix.
pub fn broker_key(name: &str) -> Option<&'static ConfigKey> {
    static BY_NAME: ByName = LazyLock::new(|| broker_keys().map(|key| (key.name, key)).collect());
    match without_listener(name) {
        // A mechanism may stand between the listener and the key: listener.name.x.scram-sha-256.sasl.jaas.config.
        Some(rest) => {
            let behind_mechanism = || BY_NAME.get(rest.split_once('.')?.1);
            BY_NAME.get(rest).or_else(behind_mechanism).copied()
        }
        None => BY_NAME.get(name).copied(),
    }
}

/// Whether some broker key has this name.
pub fn is_broker_key(name: &str) -> bool {
    broker_key(name).is_some()
}

pub fn topic_key(name: &str) -> Option<&'static ConfigKey> {
    topic::KEYS.iter().find(|key| key.name == name)
}

pub fn group_key(name: &str) -> Option<&'static ConfigKey> {
    group::KEYS.iter().find(|key| key.name == name)
}

pub fn client_metrics_key(name: &str) -> Option<&'static ConfigKey> {
    client_metrics::KEYS.iter().find(|key| key.name == name)
}

/// A key with a listener's prefix, without it.
pub fn without_listener(name: &str) -> Option<&str> {
    Some(name.strip_prefix(LISTENER_PREFIX)?.split_once('.')?.1)
}

/// What a key is called that is meant for one listener.
pub fn for_listener(listener: &str, key: &str) -> String {
    format!("{LISTENER_PREFIX}{}.{key}", listener.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_stands_once_and_allows_its_own_default() {
        let mut names = BTreeSet::new();
        for key in broker_keys() {
            assert!(names.insert(key.name), "{} stands twice", key.name);
        }
        let others = topic_keys().iter().chain(group_keys()).chain(client_metrics_keys());
        for key in broker_keys().chain(others) {
            if let Some(default) = key.default() {
                assert!(key.read(default).is_ok(), "{}: {default}", key.name);
            }
            assert!(key.documentation.ends_with('.'), "{}", key.name);
            assert!(key.inherits.iter().all(|from| is_broker_key(from.name)), "{}", key.name);
        }
    }

    #[test]
    fn a_key_is_found_behind_the_prefix_of_a_listener() {
        assert_eq!(
            broker_key("listener.name.internal.ssl.keystore.location").unwrap().name,
            "ssl.keystore.location"
        );
        let jaas = "listener.name.x.scram-sha-256.sasl.jaas.config";
        assert_eq!(broker_key(jaas).unwrap().name, "sasl.jaas.config");
        assert!(!is_broker_key("listener.name.internal.what"));
    }
}
