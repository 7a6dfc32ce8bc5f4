//! What every broker of a simulation is told, and the topic that they hold.

use std::path::PathBuf;
use std::sync::LazyLock;

use broker::config::BrokerConfig;
use node::properties::Properties;
use protocol::types::{BrokerId, Uuid};

pub const TOPIC: &str = "t";
pub const TOPIC_ID: Uuid = Uuid([7; 16]);

/// Resolved once: the rest of it plays no part.
static RESOLVED: LazyLock<BrokerConfig> = LazyLock::new(|| {
    let mut properties = Properties::default();
    properties.read_overrides(&["node.id=0".to_owned()]).expect("one key");
    BrokerConfig::resolve(&properties).expect("Kafka's defaults are valid")
});

/// The configuration of one broker.
pub fn broker(id: BrokerId, log_dir: PathBuf) -> BrokerConfig {
    let mut config = RESOLVED.clone();
    config.broker_id = id;
    config.logs.dirs = vec![log_dir];
    config
}
