//! What a leader knows of its followers in the present epoch: how far each has fetched.

use std::collections::HashMap;

use protocol::types::{BrokerId, Offset};

/// Log ends by follower. Empty at the start of an epoch (safety rule 6).
#[derive(Clone, Debug, Default)]
pub struct Followers {
    log_ends: HashMap<BrokerId, Offset>,
}

impl Followers {
    /// How far a follower's log reaches; `None` until it has fetched in this epoch.
    pub fn log_end(&self, follower: BrokerId) -> Option<Offset> {
        self.log_ends.get(&follower).copied()
    }

    /// A follower fetched from here: all before it is in its log.
    pub fn fetched_from(&mut self, follower: BrokerId, offset: Offset) {
        self.log_ends.insert(follower, offset);
    }
}
