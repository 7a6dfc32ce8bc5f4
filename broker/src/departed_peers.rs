//! Brokers that have just left the cluster, or were fenced, and that Metadata goes on naming for a while.
//!
//! A client that learns by one answer that partitions have new leaders and that their old one is no broker any more may drop
//! the old one first, and with it what was queued for those partitions (librdkafka since 2.10 does, and finds its way again a
//! second or two later). So the leaders change first, and the broker is taken off the list later. Nobody is sent to it: it
//! leads nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metadata::image::{BrokerImage, ClusterImage};
use parking_lot::RwLock;
use protocol::types::BrokerId;

/// So long after it left, a broker is still on the list. Clients ask for new leaders within a second.
const LISTED_FOR: Duration = Duration::from_secs(5);

/// Who left, and when.
#[derive(Debug, Default)]
pub struct DepartedPeers {
    departed: RwLock<BTreeMap<BrokerId, (Arc<BrokerImage>, Instant)>>,
}

impl DepartedPeers {
    /// Sees who leaves by the new image, and who is back.
    pub fn follow(&self, old: &ClusterImage, new: &ClusterImage) {
        self.follow_at(old, new, Instant::now());
    }

    /// Whom Metadata names beside the brokers of the image.
    pub fn now(&self) -> Vec<Arc<BrokerImage>> {
        self.at(Instant::now())
    }

    fn follow_at(&self, old: &ClusterImage, new: &ClusterImage, now: Instant) {
        let leaving = old.live_brokers().filter(|broker| !new.is_live(broker.id));
        let leaving: Vec<_> = leaving.map(|broker| (broker.id, (broker.clone(), now))).collect();
        let mut departed = self.departed.write();
        departed.extend(leaving);
        departed.retain(|id, (_, left)| !new.is_live(*id) && is_listed(*left, now));
    }

    fn at(&self, now: Instant) -> Vec<Arc<BrokerImage>> {
        let departed = self.departed.read();
        departed
            .values()
            .filter(|(_, left)| is_listed(*left, now))
            .map(|(broker, _)| broker.clone())
            .collect()
    }
}

fn is_listed(left: Instant, now: Instant) -> bool {
    now.saturating_duration_since(left) < LISTED_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(live: &[i32]) -> ClusterImage {
        let broker =
            |id| (BrokerId(id), Arc::new(BrokerImage { id: BrokerId(id), ..BrokerImage::default() }));
        ClusterImage { brokers: live.iter().copied().map(broker).collect(), ..ClusterImage::default() }
    }

    fn ids(peers: &DepartedPeers, now: Instant) -> Vec<i32> {
        peers.at(now).iter().map(|broker| broker.id.0).collect()
    }

    #[test]
    fn who_leaves_is_listed_for_a_while() {
        let (peers, began) = (DepartedPeers::default(), Instant::now());
        peers.follow_at(&cluster(&[1, 2, 3]), &cluster(&[1, 2]), began);
        assert_eq!(ids(&peers, began), [3]);
        assert_eq!(ids(&peers, began + LISTED_FOR), [0; 0]);
    }

    #[test]
    fn who_is_back_is_no_longer_listed_as_one_who_left() {
        let (peers, began) = (DepartedPeers::default(), Instant::now());
        peers.follow_at(&cluster(&[1, 2, 3]), &cluster(&[1]), began);
        peers.follow_at(&cluster(&[1]), &cluster(&[1, 2]), began);
        assert_eq!(ids(&peers, began), [3]);
    }
}
