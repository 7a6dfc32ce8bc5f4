//! Every key that Milena keeps in the metadata store, one file per family: its path below the prefix and its JSON value.
//!
//! Values tolerate fields that they do not know and give defaults to those that are missing: one release older and newer
//! run side by side. A key of no known family belongs to another release and is passed over.

pub mod admitted_broker;
pub mod broker_registration;
pub mod config;
pub mod controller_key;
mod json;
pub mod partition;
mod path;
pub mod producer_ids;
pub mod timeline;
pub mod topic;

pub use path::{Key, end_of_prefix};

/// A value that its family cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the value of {key} is malformed: {source}")]
pub struct KeyError {
    /// The key, below the prefix.
    pub key: String,
    #[source]
    pub source: serde_json::Error,
}
