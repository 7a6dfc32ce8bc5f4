//! Why a fetcher's connection to its leader ends.

use std::io::ErrorKind;

use client::{ConnectionError, Disconnected};
use protocol::ErrorCode;
use tokio::sync::watch;

use super::fetcher::Assigned;

/// Why a connection was given up; the next may do better.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error("the leader is reached elsewhere now")]
    Moved,
    #[error("the leader refused the fetch: {0}")]
    Refused(ErrorCode),
    #[error("work on a log ended abnormally: {0}")]
    Work(#[from] tokio::task::JoinError),
    /// Nobody says any more what to follow.
    #[error("nothing is followed any more")]
    Over,
}

impl Broken {
    /// Nobody listens where the leader should, or it hung up. Silence says nothing.
    pub fn is_gone(&self) -> bool {
        match self {
            Broken::Connection(ConnectionError::Connect { source, .. }) => {
                source.kind() == ErrorKind::ConnectionRefused
            }
            Broken::Connection(ConnectionError::Disconnected { reason, .. }) => match reason {
                Disconnected::Io(error) => error.kind() != ErrorKind::TimedOut,
                reason => matches!(reason, Disconnected::ByPeer),
            },
            _ => false,
        }
    }
}

/// Ends when the leader is reached elsewhere, or nowhere.
pub async fn moves(mut assigned: watch::Receiver<Assigned>, address: &str) -> Broken {
    match assigned.wait_for(|assigned| assigned.address.as_deref() != Some(address)).await {
        Ok(_) => Broken::Moved,
        Err(_) => Broken::Over,
    }
}
