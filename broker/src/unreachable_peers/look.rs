//! A look whether a peer listens, before clients are sent to it.
//!
//! A client that loses its leader asks another broker for Metadata at once, and may come before that broker has noticed: its
//! own connection to the dead one broke in the same moment, but waits for a thread. Told once more of the leader that died,
//! the client believes it for a second (librdkafka looks for leaders that often). A process that died refuses connections by
//! then, so a look tells. Who neither refuses nor answers in time may well live, and is named as before.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::types::BrokerId;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::UnreachablePeers;

/// So long a peer that listened is taken for one that listens.
const COUNTS_FOR: Duration = Duration::from_millis(20);
/// The longest that anybody waits for a look.
const TIME_MAX: Duration = Duration::from_millis(5);

/// When a peer was last found to listen; locked by whoever looks.
type Seen = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// The looks at each peer.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<BTreeMap<BrokerId, Seen>>);

impl UnreachablePeers {
    /// Notes the peer if it refuses connections. Whoever comes meanwhile, or a moment later, goes by the same look.
    pub async fn look_for(&self, peer: BrokerId, host: &str, port: u16) {
        let seen = self.looks.0.lock().entry(peer).or_default().clone();
        let look = async {
            let mut seen = seen.lock().await;
            if seen.is_some_and(|seen| counts(seen, Instant::now())) || self.now().contains(&peer) {
                return;
            }
            let dialled = TcpStream::connect((host, port)).await;
            match dialled.map_err(|error| error.kind()) {
                Err(ErrorKind::ConnectionRefused) => self.note(peer),
                _ => *seen = Some(Instant::now()),
            }
        };
        // Whatever came of it: this is about those who refuse.
        let _ = timeout(TIME_MAX, look).await;
    }
}

fn counts(seen: Instant, now: Instant) -> bool {
    now.saturating_duration_since(seen) < COUNTS_FOR
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const PEER: BrokerId = BrokerId(2);

    #[tokio::test]
    async fn a_peer_that_refuses_is_noted_and_one_that_listens_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let peers = UnreachablePeers::default();
        peers.look_for(PEER, "127.0.0.1", port).await;
        assert_eq!(peers.now(), []);
        drop(listener);
        // A busy machine may take its time, and then nothing is noted.
        while peers.since.read().is_empty() {
            peers.look_for(PEER, "127.0.0.1", port).await;
        }
    }

    #[test]
    fn a_look_counts_for_a_moment() {
        let seen = Instant::now();
        assert!(counts(seen, seen + COUNTS_FOR / 2));
        assert!(!counts(seen, seen + COUNTS_FOR));
    }
}
