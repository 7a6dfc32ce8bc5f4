//! Why a broker does not start with what it was told.

use std::path::PathBuf;

use node::properties::BadValue;

/// What is wrong with the properties.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Refused(#[from] BadValue),
    #[error("cannot learn the name of this host from {}; set advertised.listeners", path.display())]
    HostName { path: PathBuf, source: std::io::Error },
}
