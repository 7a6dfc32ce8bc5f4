//! What a broker was told: `server.properties` under Kafka's names, resolved and validated once, before anything runs.
//!
//! Each part of the broker receives its own small struct from here, never the whole. Types, defaults and bounds of the
//! keys are those of [`metadata::configs`]; what topics inherit is resolved there as well, from [`BrokerConfig::statics`].

use std::collections::BTreeMap;
use std::sync::Arc;

use node::properties::Properties;
use protocol::types::BrokerId;

pub use self::connections::{ConnectionLimits, Limits};
pub use self::dynamic::DynamicConfig;
pub use self::error::ConfigError;
pub use self::groups::GroupSettings;
pub use self::listeners::{Binding, ListenersConfig};
pub use self::logs::LogsConfig;
pub use self::metadata_store::{MetadataConfig, StoreKind};
pub use self::replication::{ReplicaSelector, ReplicationConfig};
pub use self::session::SessionConfig;
pub use self::socket::SocketConfig;
pub use self::topics::{InternalTopicConfig, TopicDefaults};

pub(crate) mod connections;
mod dynamic;
mod error;
mod groups;
mod known;
mod listeners;
mod logs;
mod metadata_store;
mod replication;
mod session;
mod socket;
mod topics;
mod values;

use self::values::Values;

/// Everything that a broker was told.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// `node.id` (or `broker.id`): who this broker is; no default, at least 0.
    pub broker_id: BrokerId,
    /// `broker.rack`: where it stands, for the placement of replicas.
    pub rack: Option<String>,
    pub listeners: ListenersConfig,
    pub sockets: SocketConfig,
    pub logs: LogsConfig,
    pub replication: ReplicationConfig,
    pub topics: TopicDefaults,
    pub offsets_topic: InternalTopicConfig,
    pub groups: GroupSettings,
    pub session: SessionConfig,
    /// What may change later, as it is at the start.
    pub at_start: DynamicConfig,
    /// `controlled.shutdown.enable`: whether a stop begins with handing every leadership to others; it does unless unset.
    pub controlled_shutdown: bool,
    pub metadata: MetadataConfig,
    /// `metrics.listener`: host and port of `/metrics`, `/healthz` and `/readyz`; none of them if it is empty.
    pub metrics_listener: Option<String>,
    /// Every key that was set, by name: what DescribeConfigs calls static, and what topics inherit.
    pub statics: Arc<BTreeMap<String, String>>,
}

impl BrokerConfig {
    /// Resolves and checks all of it. Keys that are not known, or of no effect here, are warned of.
    pub fn resolve(properties: &Properties) -> Result<BrokerConfig, ConfigError> {
        let values = Values::new(properties);
        known::check(properties)?;
        let (listeners, logs) = (ListenersConfig::resolve(&values)?, LogsConfig::resolve(&values)?);
        Ok(BrokerConfig {
            broker_id: broker_id(&values)?,
            rack: values.set("broker.rack").filter(|rack| !rack.is_empty()).map(str::to_owned),
            at_start: DynamicConfig::at_start(&values, &listeners, &logs)?,
            listeners,
            sockets: SocketConfig::resolve(&values)?,
            logs,
            replication: ReplicationConfig::resolve(&values)?,
            topics: TopicDefaults::resolve(&values)?,
            offsets_topic: InternalTopicConfig::of_offsets(&values)?,
            groups: GroupSettings::resolve(&values)?,
            session: SessionConfig::resolve(&values)?,
            controlled_shutdown: values.flag("controlled.shutdown.enable")?,
            metadata: MetadataConfig::resolve(&values)?,
            metrics_listener: Some(values.text("metrics.listener")?).filter(|address| !address.is_empty()),
            statics: Arc::new(statics(properties)),
        })
    }
}

/// Every key that was set; each of the two names of the id stands for both.
fn statics(properties: &Properties) -> BTreeMap<String, String> {
    let trimmed = |key: &str| properties.get(key).unwrap_or_default().to_owned();
    let mut statics: BTreeMap<_, _> =
        properties.iter().map(|(key, _)| (key.to_owned(), trimmed(key))).collect();
    for (one, other) in [("node.id", "broker.id"), ("broker.id", "node.id")] {
        if let Some(id) = statics.get(one).cloned() {
            statics.entry(other.to_owned()).or_insert(id);
        }
    }
    statics
}

/// `node.id`, or `broker.id` as it was called before; where both stand they agree.
fn broker_id(values: &Values) -> Result<BrokerId, ConfigError> {
    const ALLOWED: &str = "a number from 0";
    let key = if values.is_set("node.id") || !values.is_set("broker.id") { "node.id" } else { "broker.id" };
    let number = |key| values.set(key).and_then(|text| text.parse::<i32>().ok()).filter(|id| *id >= 0);
    let id = number(key).ok_or_else(|| values.refuse(key, ALLOWED))?;
    match values.is_set("broker.id") && number("broker.id") != Some(id) {
        true => Err(values.refuse("broker.id", "nothing but what node.id says")),
        false => Ok(BrokerId(id)),
    }
}

#[cfg(test)]
mod tests {
    use node::properties::Origin;

    use super::*;

    const LISTENERS: (&str, &str) = ("listeners", "PLAINTEXT://127.0.0.1:9092");

    fn resolve(pairs: &[(&str, &str)]) -> Result<BrokerConfig, ConfigError> {
        let mut properties = Properties::default();
        for (key, value) in pairs {
            properties.set(*key, *value, Origin::Override);
        }
        BrokerConfig::resolve(&properties)
    }

    #[track_caller]
    fn check_refused(pair: (&str, &str), words: &[&str]) {
        let error = resolve(&[("node.id", "1"), LISTENERS, pair]).expect_err("is refused").to_string();
        for word in words {
            assert!(error.contains(word), "{word} is missing in: {error}");
        }
    }

    #[test]
    fn an_id_is_all_that_must_be_set() {
        let config = resolve(&[("node.id", "7"), LISTENERS]).expect("is enough");
        assert_eq!(config.broker_id, BrokerId(7));
        assert_eq!(config.sockets.request_bytes_max, 100 * 1024 * 1024);
        assert_eq!((config.topics.partitions, config.topics.auto_create), (None, true));
        assert_eq!((config.session.timeout.as_secs(), config.offsets_topic.partitions), (6, 50));
        assert_eq!(config.logs.flush_scheduler_interval, None);
        assert_eq!(config.statics.get("broker.id").map(String::as_str), Some("7"));
    }

    #[test]
    fn the_older_name_of_the_id_will_do_but_may_not_contradict() {
        assert_eq!(resolve(&[("broker.id", "3"), LISTENERS]).expect("will do").broker_id, BrokerId(3));
        let error = resolve(&[("node.id", "1"), ("broker.id", "3"), LISTENERS]).expect_err("contradicts");
        assert!(error.to_string().contains("broker.id"), "{error}");
        assert!(resolve(&[LISTENERS]).expect_err("no id").to_string().contains("node.id"));
    }

    #[test]
    fn a_bad_value_is_refused_with_key_value_origin_and_what_is_allowed() {
        check_refused(("num.partitions", "0"), &["num.partitions", "'0'", "--override", "at least 1"]);
        check_refused(("socket.request.max.bytes", "many"), &["socket.request.max.bytes", "'many'"]);
        check_refused(("log.dirs", "/a,/a"), &["log.dirs"]);
        check_refused(("max.connections.per.ip.overrides", "x"), &["--override", "a list of address:count"]);
        check_refused(("group.consumer.session.timeout.ms", "70000"), &["group.consumer.max.session"]);
        check_refused(("broker.heartbeat.interval.ms", "4000"), &["half of broker.session.timeout.ms"]);
        check_refused(("metadata.store", "zookeeper"), &["etcd", "embedded"]);
    }

    #[test]
    fn a_class_that_guards_something_is_not_ignored() {
        check_refused(("authorizer.class.name", "com.example.Guard"), &["authorizer.class.name", "unsafe"]);
        assert!(resolve(&[("node.id", "1"), LISTENERS, ("metric.reporters", "com.example.R")]).is_ok());
    }

    #[test]
    fn the_server_properties_of_apache_kafka_start_a_broker() {
        let config = resolve(&[
            ("process.roles", "broker,controller"),
            ("node.id", "1"),
            ("controller.quorum.bootstrap.servers", "localhost:9093"),
            ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
            ("inter.broker.listener.name", "PLAINTEXT"),
            ("advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
            ("controller.listener.names", "CONTROLLER"),
            ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL"),
            ("num.network.threads", "3"),
            ("socket.send.buffer.bytes", "102400"),
            ("log.dirs", "/tmp/kraft-combined-logs"),
            ("num.recovery.threads.per.data.dir", "2"),
            ("offsets.topic.replication.factor", "1"),
            ("share.coordinator.state.topic.min.isr", "1"),
            ("transaction.state.log.min.isr", "1"),
            ("log.retention.hours", "168"),
            ("zookeeper.connect", "localhost:2181"),
        ]);
        let config = config.expect("starts");
        assert_eq!((config.listeners.bindings.len(), config.offsets_topic.replication_factor), (1, 1));
    }
}
