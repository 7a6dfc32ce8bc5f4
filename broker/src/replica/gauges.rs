//! Counts the replicas for the gauges that operators watch, UnderReplicatedPartitions first: when an image or a failed disk
//! may have changed something, and no more often than [`COUNT_INTERVAL_MIN`], for all replicas are looked at.

use std::sync::Arc;
use std::time::Duration;

use metadata::image::{ClusterImage, PartitionImage};

use node::shutdown::Shutdown;
use tokio::time::sleep;

use super::Replicas;
use super::partition::{LogState, Partition};
use crate::Broker;
use crate::metrics::partitions::PartitionCounts;

/// The shortest time between two counts.
const COUNT_INTERVAL_MIN: Duration = Duration::from_millis(500);

/// Keeps the gauges true until shutdown.
pub async fn run(broker: Arc<Broker>, shutdown: Shutdown) {
    tokio::select! {
        () = count(&broker) => {}
        () = shutdown.requested() => {}
    }
}

async fn count(broker: &Broker) {
    let (mut images, mut failures) = (broker.image.subscribe(), broker.replicas.offline_changes());
    loop {
        // The senders live as long as the broker; an error cannot come.
        tokio::select! {
            _ = images.changed() => {}
            _ = failures.changed() => {}
        }
        failures.borrow_and_update();
        let image = images.borrow_and_update().clone();
        broker.replicas.show_gauges(&image);
        sleep(COUNT_INTERVAL_MIN).await;
    }
}

impl Replicas {
    /// Shows what the image and the replicas are like now.
    fn show_gauges(&self, image: &ClusterImage) {
        let stranded = i64::try_from(self.stranded()).unwrap_or(i64::MAX);
        let mut counts = PartitionCounts { offline_replicas: stranded, ..PartitionCounts::default() };
        for partition in self.all() {
            counts.partitions += 1;
            counts.offline_replicas += i64::from(partition.is_offline());
            let state = image.partition(&partition.at.topic, partition.at.partition);
            if let Some(state) = state.filter(|state| state.leader == self.broker) {
                count_leader(&mut counts, state);
            }
        }
        self.gauges.lock().show(counts);
    }

    /// Shows which log directories are in service.
    pub(super) fn show_dirs(&self) {
        let present = self.dirs.iter().map(|dir| (dir.path(), dir.is_online()));
        let missing = self.dirs_missing.iter().map(|path| (path.as_path(), false));
        self.dir_gauges.lock().show(present.chain(missing));
    }
}

fn count_leader(counts: &mut PartitionCounts, state: &PartitionImage) {
    let (isr, replicas) = (state.isr.len(), state.replicas.len());
    let min_isr = usize::try_from(state.min_isr).unwrap_or(1).min(replicas);
    counts.leaders += 1;
    counts.under_replicated += i64::from(isr < replicas);
    counts.under_min_isr += i64::from(isr < min_isr);
    counts.at_min_isr += i64::from(isr == min_isr);
    counts.reassigning += i64::from(!state.adding.is_empty() || !state.removing.is_empty());
}

impl Partition {
    pub(super) fn is_offline(&self) -> bool {
        matches!(self.lock().log, LogState::Offline)
    }

    pub(super) fn is_opening(&self) -> bool {
        matches!(self.lock().log, LogState::Opening)
    }
}
