//! What a broker was told: `server.properties` under Kafka's names, resolved and validated once, before anything runs.
//!
//! Each part of the broker receives its own small struct from here, never the whole. Types, defaults and bounds of the
//! keys are those of [`metadata::configs`]; what topics inherit is resolved there as well, from [`BrokerConfig::statics`].

use std::collections::BTreeMap;
use std::sync::Arc;

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

/// Everything that a broker was told.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// `node.id` (or `broker.id`): who this broker is; no default, at least 0.
    pub broker_id: BrokerId,
    /// `broker.rack`: where it stands, for the placement of replicas.
    pub rack: Option<String>,
    pub listeners: ListenersConfig,
    pub socket: SocketConfig,
    pub logs: LogsConfig,
    pub replication: ReplicationConfig,
    pub topics: TopicDefaults,
    pub offsets_topic: InternalTopicConfig,
    pub groups: GroupSettings,
    pub session: SessionConfig,
    pub metadata: MetadataConfig,
    /// Every key that was set, by name: what DescribeConfigs calls static, and what topics inherit.
    pub statics: Arc<BTreeMap<String, String>>,
}
