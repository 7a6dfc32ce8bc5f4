//! How a call to a store can fail, told apart by what the caller may conclude from it.

use super::Revision;

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No answer. Whether a transaction was applied is **not known**: read before deciding anything on those keys.
    #[error("the metadata store is not available: {reason}")]
    Unavailable { reason: String },
    /// The store has no room. Nothing was written; reading goes on.
    #[error("the metadata store has no space left: {reason}")]
    NoSpace { reason: String },
    /// The lease has expired or was revoked, and its keys are gone. Nothing was written.
    #[error("the lease has expired")]
    LeaseGone,
    /// What was asked for lies before this revision and is forgotten: read the present state instead.
    #[error("the metadata store has forgotten all revisions before {before}")]
    Compacted { before: Revision },
    /// The store can never carry this out. Nothing was written.
    #[error("the metadata store refuses the request: {reason}")]
    Invalid { reason: String },
}

impl StoreError {
    /// Its name in metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            StoreError::Unavailable { .. } => "unavailable",
            StoreError::NoSpace { .. } => "no_space",
            StoreError::LeaseGone => "lease_gone",
            StoreError::Compacted { .. } => "compacted",
            StoreError::Invalid { .. } => "invalid",
        }
    }
}
