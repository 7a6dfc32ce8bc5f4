//! What `/readyz` says of a broker: registered and admitted, its metadata there, its logs open, and each of its replicas that
//! has a live leader, and a log directory that works, once seen in the ISR.
//!
//! It latches: later lag, a lost lease or an absent controller never take it back, for a broker that has been ready goes on
//! with what it leads.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use metadata::image::ClusterImage;
use node::metrics_listener::Ready;
use parking_lot::Mutex;
use protocol::types::{BrokerId, Uuid};

use crate::Broker;
use crate::link::NotReady;

/// Partitions by topic id and number.
type Partitions = HashSet<(Uuid, i32)>;

/// Why a broker is not ready.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Unready {
    #[error(transparent)]
    Link(#[from] NotReady),
    #[error("logs are still being opened")]
    Recovering,
    #[error("{0} replicas have not been in the ISR yet")]
    CatchingUp(usize),
}

/// What is asked at each `/readyz`.
pub fn readiness(broker: Arc<Broker>) -> Ready {
    let (latched, behind) = (AtomicBool::new(false), Mutex::new(None));
    Arc::new(move || {
        if latched.load(Ordering::Relaxed) {
            return Ok(());
        }
        check(&broker, &mut behind.lock()).map_err(|unready| unready.to_string())?;
        latched.store(true, Ordering::Relaxed);
        Ok(())
    })
}

/// `behind` holds the replicas that were never seen in the ISR; none before the first look.
fn check(broker: &Broker, behind: &mut Option<Partitions>) -> Result<(), Unready> {
    broker.link.readiness()?;
    if !broker.replicas.is_recovered() {
        return Err(Unready::Recovering);
    }
    let mut now = out_of_isr(&broker.image(), broker.config.broker_id);
    // Those of a failed log directory are not going to return while this process lives.
    for (topic_id, partitions) in broker.replicas.offline_replicas() {
        now.retain(|(id, index)| *id != topic_id || !partitions.contains(index));
    }
    let still = match behind.take() {
        Some(before) => before.intersection(&now).copied().collect(),
        None => now,
    };
    let count = still.len();
    *behind = Some(still);
    if count == 0 { Ok(()) } else { Err(Unready::CatchingUp(count)) }
}

/// The replicas of this broker that have a live leader and are not in its ISR.
fn out_of_isr(image: &ClusterImage, this: BrokerId) -> Partitions {
    let mut found = Partitions::new();
    for topic in image.topics.values() {
        for (index, partition) in (0..).zip(&topic.partitions) {
            let is_replica = partition.replicas.contains(&this);
            if is_replica && image.is_live(partition.leader) && !partition.isr.contains(&this) {
                found.insert((topic.id, index));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use metadata::image::{BrokerImage, PartitionImage, TopicImage};

    use super::*;

    fn image(leader: i32, isr: &[i32]) -> ClusterImage {
        let members = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect();
        let partition = PartitionImage {
            replicas: members(&[1, 2]),
            isr: members(isr),
            leader: BrokerId(leader),
            ..PartitionImage::default()
        };
        let topic = TopicImage { name: "t".into(), id: Uuid([1; 16]), partitions: vec![Arc::new(partition)] };
        let broker = BrokerImage { id: BrokerId(1), ..BrokerImage::default() };
        ClusterImage {
            brokers: [(BrokerId(1), Arc::new(broker))].into(),
            topics: [("t".to_owned(), Arc::new(topic))].into(),
            ..ClusterImage::default()
        }
    }

    #[test]
    fn only_a_replica_with_a_live_leader_is_waited_for() {
        let two = BrokerId(2);
        assert_eq!(out_of_isr(&image(1, &[1]), two).len(), 1);
        assert!(out_of_isr(&image(1, &[1, 2]), two).is_empty());
        assert!(out_of_isr(&image(3, &[1]), two).is_empty(), "its leader is not alive");
        assert!(out_of_isr(&image(1, &[1]), BrokerId(3)).is_empty(), "it is no replica");
    }
}
