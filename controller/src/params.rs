//! What a controller is told: by `milena dev` as values, by the daemon from its properties.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metadata::configs;
use metadata::store::MetadataStore;
use node::properties::{BadValue, Origin, Properties};
use tokio::net::TcpListener;

use crate::state::Values;

/// Everything that a controller needs, its listener bound.
pub struct ControllerParams {
    /// `node.id`: tells controllers apart in `/controller` and in pushes.
    pub id: i32,
    pub store: Arc<dyn MetadataStore>,
    /// `metadata.prefix`: what every key begins with.
    pub prefix: String,
    /// `controller.listener`, bound: where brokers are served.
    pub listener: TcpListener,
    /// Where brokers reach it: `http://host:port`.
    pub endpoint: String,
    pub config: ControllerConfig,
}

/// The part of the properties that decides.
#[derive(Clone, Debug)]
pub struct ControllerConfig {
    /// `broker.session.timeout.ms`: a broker without a stream for so long is fenced.
    pub broker_session_timeout: Duration,
    /// All that was set, the bottom of every configuration: `num.partitions`, `min.insync.replicas` and the like.
    pub statics: Arc<Values>,
}

impl ControllerConfig {
    /// Reads and checks the properties. Keys that nobody knows are warned of.
    pub fn resolve(properties: &Properties) -> Result<ControllerConfig, BadValue> {
        let mut statics = BTreeMap::new();
        for (key, value) in properties.iter() {
            configs::check_broker(key, value.text.trim())
                .map_err(|allowed| properties.refuse(key, allowed))?;
            if !configs::is_broker_key(key) && value.origin != Origin::Default {
                tracing::warn!(key, "has no effect: no such key is known (set by {})", value.origin);
            }
            statics.insert(key.to_owned(), value.text.clone());
        }
        let timeout = number(properties, "broker.session.timeout.ms")?;
        let broker_session_timeout = Duration::from_millis(timeout);
        Ok(ControllerConfig { broker_session_timeout, statics: Arc::new(statics) })
    }
}

impl Default for ControllerConfig {
    fn default() -> ControllerConfig {
        let broker_session_timeout = Duration::from_secs(6);
        ControllerConfig { broker_session_timeout, statics: Arc::default() }
    }
}

/// A key that is not negative; its default where it is not set.
pub fn number(properties: &Properties, key: &str) -> Result<u64, BadValue> {
    let default = configs::broker_default(key);
    let text = properties.get(key).map(str::to_owned).or(default).unwrap_or_default();
    text.trim().parse().map_err(|_| properties.refuse(key, "a whole number, at least 0"))
}
