//! One connection per address and lane, opened when first asked for and again when it broke.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::{Connection, ConnectionConfig, ConnectionError};

/// A broker works on one request of a connection at a time. What it may hold for long goes a lane of its own, so that
/// nothing waits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Metadata, produce, offsets, admin calls.
    Requests,
    /// Fetches, which the broker holds until there is something to read.
    Fetch,
    /// Joins, which the broker holds until the whole group has come.
    Group,
    /// Heartbeats and commits, which may not wait for a join.
    Heartbeat,
}

type Slot = Arc<tokio::sync::Mutex<Option<Connection>>>;

#[derive(Debug)]
pub struct Connections {
    config: ConnectionConfig,
    slots: Mutex<HashMap<(String, Lane), Slot>>,
}

impl Connections {
    pub fn new(config: ConnectionConfig) -> Connections {
        Connections { config, slots: Mutex::default() }
    }

    /// The open connection, or a fresh one. Whoever asks meanwhile for the same one waits for it.
    pub async fn open(&self, address: &str, lane: Lane) -> Result<Connection, ConnectionError> {
        let slot = self.slot(address, lane);
        let mut slot = slot.lock().await;
        match &*slot {
            Some(connection) if !connection.is_closed() => Ok(connection.clone()),
            _ => {
                let connection = Connection::connect(address, &self.config).await?;
                *slot = Some(connection.clone());
                Ok(connection)
            }
        }
    }

    fn slot(&self, address: &str, lane: Lane) -> Slot {
        let mut slots = self.slots.lock();
        Arc::clone(slots.entry((address.to_owned(), lane)).or_default())
    }
}
