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

/// Each area's title, its keys, and, where they are known but without effect, why.
pub fn broker_areas() -> &'static [(&'static str, &'static [ConfigKey], Option<&'static str>)] {
    &[
        ("Broker", server::KEYS, None),
        ("Milena's own", milena::KEYS, None),
        ("Listeners and connections", sockets::KEYS, None),
        ("Logs", logs::KEYS, None),
        ("Compaction", cleaner::KEYS, None),
        ("Replication", replication::KEYS, None),
        ("Groups", groups::KEYS, None),
        ("Transactions", transactions::KEYS, None),
        ("Quotas and metrics", quotas::KEYS, None),
        ("TLS", tls::KEYS, None),
        ("SASL, tokens and authorization", sasl::KEYS, None),
        ("Share groups", share_groups::KEYS, Some("share groups are not served")),
        ("Tiered storage", remote_storage::KEYS, Some("tiered storage is not served")),
        ("Raft", raft::KEYS, Some("metadata is kept in metadata.store")),
    ]
}

/// All broker keys.
pub fn broker_keys() -> impl Iterator<Item = &'static ConfigKey> {
    broker_areas().iter().flat_map(|(_, keys, _)| *keys)
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
    let of_listener = name.strip_prefix(LISTENER_PREFIX).and_then(|rest| rest.split_once('.'));
    match of_listener {
        // A mechanism may stand between the listener and the key: listener.name.x.scram-sha-256.sasl.jaas.config.
        Some((_, rest)) => {
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
