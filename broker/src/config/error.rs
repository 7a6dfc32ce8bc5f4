//! Why a broker does not start with what it was told.

use std::path::PathBuf;

/// What is wrong with the properties.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{key}={value} ({source_name}): allowed is {allowed}")]
    Refused { key: String, value: String, source_name: String, allowed: String },
    #[error("{key} is not set: {remedy}")]
    Missing { key: &'static str, remedy: &'static str },
    #[error("cannot learn the name of this host from {path}; set advertised.listeners")]
    HostName { path: PathBuf, source: std::io::Error },
}
