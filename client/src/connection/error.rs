//! Why a call on one connection failed.

use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use protocol::wire::{DecodeError, EncodeError};

/// A failed connection or call.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error("cannot connect to {address}: {source}; is a broker listening there?")]
    Connect { address: String, source: Arc<io::Error> },
    #[error(
        "{address} did not answer within {after:?} after connecting; does it speak the Kafka protocol without TLS?"
    )]
    ConnectTimeout { address: String, after: Duration },
    #[error("the connection to {address} broke during {api}: {reason}")]
    Disconnected { api: &'static str, address: String, reason: Disconnected },
    #[error("{address} did not answer {api} within {after:?}")]
    Timeout { api: &'static str, address: String, after: Duration },
    #[error("{address} does not serve {api}")]
    ApiNotServed { api: &'static str, address: String },
    #[error(
        "{address} serves {api} at versions {}-{}, and this client speaks {}-{}",
        theirs.start(), theirs.end(), ours.start(), ours.end()
    )]
    Version { api: &'static str, address: String, ours: RangeInclusive<i16>, theirs: RangeInclusive<i16> },
    #[error("{address} refused to say what it serves: error code {code}")]
    VersionsRefused { address: String, code: i16 },
    #[error("this {api} cannot be written at version {version}: {source}")]
    Encode { api: &'static str, version: i16, source: EncodeError },
    #[error("the answer of {address} to {api} version {version} cannot be read: {source}")]
    Decode { api: &'static str, address: String, version: i16, source: DecodeError },
}

/// What ended a connection.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Disconnected {
    #[error("the broker closed it")]
    ByPeer,
    #[error("{0}")]
    Io(Arc<io::Error>),
    #[error("the broker sent a frame of {length} bytes, and at most {max} are read")]
    FrameLength { length: i32, max: usize },
    #[error("the broker answered request {received} where {expected} was next")]
    OutOfOrder { expected: i32, received: i32 },
    #[error("the broker answered a request that nobody sent")]
    Unasked,
    #[error("an earlier request on it was not answered in time")]
    TimedOut,
    #[error("it was dropped")]
    Dropped,
}

impl ConnectionError {
    /// Whether another attempt, perhaps on another broker, may succeed.
    pub fn is_retriable(&self) -> bool {
        match self {
            ConnectionError::Connect { .. }
            | ConnectionError::ConnectTimeout { .. }
            | ConnectionError::Disconnected { .. }
            | ConnectionError::Timeout { .. } => true,
            ConnectionError::ApiNotServed { .. }
            | ConnectionError::Version { .. }
            | ConnectionError::VersionsRefused { .. }
            | ConnectionError::Encode { .. }
            | ConnectionError::Decode { .. } => false,
        }
    }
}
