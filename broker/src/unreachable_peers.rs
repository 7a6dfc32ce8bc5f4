//! Brokers whose connection to this one broke or was refused, just now, or that a [`look`] has found to refuse: dead, by all
//! appearances.
//!
//! Clients are not sent to them for a moment, in which the controller most likely finds other leaders: a client that is told
//! once more of a leader that died believes it for a second. It may be a firewall as well, so nothing but what clients are
//! told depends on it, and not for long: the moment begins with the first failure, and there is no other before the peer was
//! reached again.

mod look;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use protocol::types::BrokerId;

/// So long after it was first found unreachable, a leader is named again.
pub const UNNAMED_FOR: Duration = Duration::from_millis(500);

/// Since when each of them is out of reach.
#[derive(Debug, Default)]
pub struct UnreachablePeers {
    since: RwLock<BTreeMap<BrokerId, Instant>>,
    looks: look::Looks,
}

impl UnreachablePeers {
    /// A connection to this peer broke, or was refused.
    pub fn note(&self, peer: BrokerId) {
        self.note_at(peer, Instant::now());
    }

    /// A connection to this peer stands.
    pub fn reached(&self, peer: BrokerId) {
        if self.since.read().contains_key(&peer) {
            self.since.write().remove(&peer);
        }
    }

    /// Whom clients are not sent to now.
    pub fn now(&self) -> Vec<BrokerId> {
        self.at(Instant::now())
    }

    fn note_at(&self, peer: BrokerId, now: Instant) {
        self.since.write().entry(peer).or_insert(now);
    }

    fn at(&self, now: Instant) -> Vec<BrokerId> {
        let since = self.since.read();
        let lately = |since: &Instant| now.saturating_duration_since(*since) < UNNAMED_FOR;
        since.iter().filter(|(_, since)| lately(since)).map(|(peer, _)| *peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_named_again_after_a_moment_however_often_it_fails() {
        let (peers, began) = (UnreachablePeers::default(), Instant::now());
        peers.note_at(BrokerId(2), began);
        assert_eq!(peers.at(began), [BrokerId(2)]);
        peers.note_at(BrokerId(2), began + UNNAMED_FOR / 2);
        assert_eq!(peers.at(began + UNNAMED_FOR), []);
    }

    #[test]
    fn a_peer_that_was_reached_may_fail_anew() {
        let (peers, began) = (UnreachablePeers::default(), Instant::now());
        peers.note_at(BrokerId(2), began);
        peers.reached(BrokerId(2));
        assert_eq!(peers.at(began), []);
        peers.note_at(BrokerId(2), began + UNNAMED_FOR);
        assert_eq!(peers.at(began + UNNAMED_FOR), [BrokerId(2)]);
    }
}
