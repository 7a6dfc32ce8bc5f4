//! Where the cluster's metadata is kept.

use super::ConfigError;
use super::values::Values;

/// What opens the metadata store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataConfig {
    /// `metadata.store`: `etcd` unless set; `embedded` is for one process only.
    pub store: StoreKind,
    /// `metadata.endpoints`: where etcd serves; `http://127.0.0.1:2379` unless set.
    pub endpoints: Vec<String>,
    /// `metadata.prefix`: what every key begins with; `/milena` unless set.
    pub prefix: String,
}

/// The two implementations of the metadata store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    Etcd,
    Embedded,
}

impl MetadataConfig {
    pub(super) fn resolve(values: &Values) -> Result<MetadataConfig, ConfigError> {
        let store = match values.text("metadata.store")?.as_str() {
            "embedded" => StoreKind::Embedded,
            _ => StoreKind::Etcd,
        };
        let endpoints = values.list("metadata.endpoints")?;
        let prefix = values.text("metadata.prefix")?;
        Ok(MetadataConfig { store, endpoints, prefix })
    }
}
