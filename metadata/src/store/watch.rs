//! What a watch tells.

use bytes::Bytes;

use super::{KeyValue, Revision};

/// One message of a watch. When the channel ends without one, the watch is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchMessage {
    /// All changes of one or more revisions, in order; `revision` is the last of them.
    Events { revision: Revision, events: Vec<WatchEvent> },
    /// Changes before this revision are forgotten, and some of them were wanted. The last message of its watch.
    Compacted { before: Revision },
}

/// One key changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchEvent {
    Put(KeyValue),
    /// Deleted, or gone with its lease.
    Deleted {
        key: Bytes,
        revision: Revision,
    },
}

impl WatchEvent {
    pub fn key(&self) -> &Bytes {
        match self {
            WatchEvent::Put(entry) => &entry.key,
            WatchEvent::Deleted { key, .. } => key,
        }
    }
}
