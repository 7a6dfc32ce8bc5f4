//! What a broker was told: `server.properties` under Kafka's names, resolved and validated once, before anything runs.
//!
//! Each part of the broker receives its own small struct from here, never the whole. Types, defaults and bounds of the
//! keys are those of [`metadata::configs`]; what topics inherit is resolved there as well, from [`BrokerConfig::statics`].

use std::collections::BTreeMap;
use std::sync::Arc;

use metadata::configs;
use node::properties::Properties;
use protocol::types::BrokerId;

pub use self::error::ConfigError;
pub use self::groups::GroupSettings;
pub use self::listeners::{Binding, ListenersConfig};
pub use self::logs::LogsConfig;
pub use self::metadata_store::{MetadataConfig, StoreKind};
pub use self::replication::ReplicationConfig;
pub use self::session::SessionConfig;
pub use self::socket::SocketConfig;
pub use self::topics::{InternalTopicConfig, TopicDefaults};

mod error;
mod groups;
mod listeners;
mod logs;
mod metadata_store;
mod replication;
mod session;
mod socket;
mod topics;
mod values;

use self::values::Values;

/// Keys by which Apache Kafka finds its own kind of metadata; harmless here, and of no effect.
const FOREIGN_PREFIXES: [&str; 4] = ["zookeeper.", "controller.quorum.", "metadata.log.", "process.roles"];

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
        check_all(properties)?;
        Ok(BrokerConfig {
            broker_id: broker_id(&values)?,
            rack: values.set("broker.rack").filter(|rack| !rack.is_empty()).map(str::to_owned),
            listeners: ListenersConfig::resolve(&values)?,
            sockets: SocketConfig::resolve(&values)?,
            logs: LogsConfig::resolve(&values)?,
            replication: ReplicationConfig::resolve(&values)?,
            topics: TopicDefaults::resolve(&values)?,
            offsets_topic: InternalTopicConfig::of_offsets(&values)?,
            groups: GroupSettings::resolve(&values)?,
            session: SessionConfig::resolve(&values)?,
            metadata: MetadataConfig::resolve(&values)?,
            metrics_listener: Some(values.text("metrics.listener")?).filter(|address| !address.is_empty()),
            statics: Arc::new(
                properties.iter().map(|(key, value)| (key.to_owned(), value.text.clone())).collect(),
            ),
        })
    }
}

/// `node.id`, or `broker.id` as it was called before; where both stand they agree.
fn broker_id(values: &Values) -> Result<BrokerId, ConfigError> {
    const ALLOWED: &str = "a number from 0";
    let key = if values.is_set("node.id") || !values.is_set("broker.id") { "node.id" } else { "broker.id" };
    let number = |key| values.set(key).and_then(|text| text.parse::<i32>().ok()).filter(|id| *id >= 0);
    let id = number(key).ok_or_else(|| values.refuse(key, ALLOWED))?;
    match values.is_set("broker.id") && number("broker.id") != Some(id) {
        true => Err(values.refuse("broker.id", "what node.id says, or nothing")),
        false => Ok(BrokerId(id)),
    }
}

/// Checks every key that was set, used by this release or not.
fn check_all(properties: &Properties) -> Result<(), ConfigError> {
    for (key, value) in properties.iter() {
        if FOREIGN_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
            tracing::warn!(key, "has no effect: the cluster's metadata is kept in metadata.store");
        } else if !configs::is_broker_key(key) {
            tracing::warn!(key, "is not known, and has no effect (from {})", value.origin);
        } else if let Err(allowed) = configs::check_broker(key, value.text.trim()) {
            return Err(properties.refuse(key, allowed).into());
        }
    }
    Ok(())
}
