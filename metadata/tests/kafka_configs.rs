//! The table of configuration keys against what Apache Kafka 4.3.1's own tables say: `data/kafka-configs.tsv`, written by
//! `data/KafkaConfigs.java`.

use metadata::configs::{self, ConfigKey, Dynamic};

const FACTS: &str = include_str!("data/kafka-configs.tsv");

/// Defaults in which we differ on purpose.
const OTHER_DEFAULTS: [(&str, &str); 2] =
    [("broker.session.timeout.ms", "6000"), ("socket.listen.backlog.size", "4096")];
/// Keys of a quorum that is not here: any text does.
const UNCHECKED: [&str; 2] = ["controller.quorum.voters", "controller.quorum.bootstrap.servers"];

fn facts(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = FACTS.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    lines.filter(move |fields| fields[0] == kind)
}

fn key(scope: &str, name: &str) -> &'static ConfigKey {
    let key = match scope {
        "topic" => configs::topic_key(name),
        "broker" => configs::broker_key(name),
        "group" => configs::group_key(name),
        _ => configs::client_metrics_key(name),
    };
    key.unwrap_or_else(|| panic!("{scope} key {name} is not in the table"))
}

#[test]
fn every_key_has_kafkas_type_default_and_scope() {
    for fact in facts("key") {
        let [_, scope, name, kind, default, dynamic, internal] = fact[..] else { panic!("{fact:?}") };
        let key = key(scope, name);
        assert_eq!(key.kind.to_string(), kind, "{name}");
        assert_eq!(key.internal, internal == "internal", "{name}");
        let expected = match default {
            "<required>" | "<null>" => None,
            default => Some(default),
        };
        let other = OTHER_DEFAULTS.iter().find(|(other, _)| scope == "broker" && *other == name);
        assert_eq!(key.default(), other.map(|(_, ours)| *ours).or(expected), "{name}");
        assert_eq!(key.is_required(), default == "<required>", "{name}");
        let expected = match dynamic {
            "cluster-wide" => Dynamic::ClusterWide,
            "per-broker" => Dynamic::PerBroker,
            _ => Dynamic::ReadOnly,
        };
        assert_eq!(key.dynamic, expected, "{name}");
    }
}

#[test]
fn values_are_taken_and_refused_in_kafkas_words() {
    let mut refused = 0;
    for fact in facts("value").filter(|fact| !UNCHECKED.contains(&fact[2])) {
        let [_, scope, name, value, expected] = fact[..] else { panic!("{fact:?}") };
        let answer = key(scope, name).read(value).map_or_else(|error| error.to_string(), |_| String::new());
        assert_eq!(answer, expected, "{scope} {name}={value}");
        refused += usize::from(!expected.is_empty());
    }
    assert!(refused > 1000);
}

#[test]
fn topics_and_groups_inherit_from_kafkas_synonyms_in_order() {
    for topic_key in configs::topic_keys() {
        let synonyms = facts("synonym").filter(|fact| fact[1] == topic_key.name);
        let expected: Vec<_> = synonyms.map(|fact| (fact[2], fact[3].parse().unwrap())).collect();
        let ours: Vec<_> = topic_key.inherits.iter().map(|from| (from.name, from.factor)).collect();
        assert_eq!(ours, expected, "{}", topic_key.name);
    }
    for group_key in configs::group_keys() {
        let expected: Vec<_> =
            facts("group-synonym").filter(|fact| fact[1] == group_key.name).map(|fact| fact[2]).collect();
        let ours: Vec<_> = group_key.inherits.iter().map(|from| from.name).collect();
        assert_eq!(ours, expected, "{}", group_key.name);
    }
}

#[test]
fn there_is_no_key_that_kafka_does_not_have_but_our_own() {
    let known: Vec<_> = facts("key").map(|fact| (fact[1], fact[2])).collect();
    let ours = ["metadata.store", "metadata.endpoints", "metadata.prefix", "controller.listener"];
    let ours = [
        &ours[..],
        &["controller.advertised.listener", "metrics.listener"],
        &["logging.level", "logging.format"],
    ];
    let ours = ours.concat();
    let unknown = |key: &&ConfigKey| !known.contains(&("broker", key.name)) && !ours.contains(&key.name);
    assert_eq!(configs::broker_keys().filter(unknown).map(|key| key.name).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(configs::topic_keys().len(), facts("key").filter(|fact| fact[1] == "topic").count());
}
