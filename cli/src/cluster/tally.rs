//! What each broker has to do: how many partitions it leads and copies, how far it lags, how much it stores.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::types::BrokerId;

use super::census::{BrokerSeen, Census};

/// One broker's share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub leads: usize,
    /// Partitions whose first replica it is.
    pub preferred: usize,
    pub replicas: usize,
    pub in_sync: usize,
    /// Of all its replicas, the one that lags most; none where it did not say.
    pub lag_max: Option<i64>,
    pub bytes: Option<u64>,
    /// Of the directory that has the least room.
    pub usable_bytes: Option<u64>,
    pub failed_dirs: usize,
}

/// The share of every broker that is registered, or holds a replica without being so.
pub fn tallies(census: &Census) -> BTreeMap<BrokerId, Tally> {
    let mut tallies: BTreeMap<BrokerId, Tally> =
        census.brokers.iter().map(|broker| (broker.id, of_dirs(broker))).collect();
    for partition in &census.partitions {
        if let Some(leader) = partition.leader {
            tallies.entry(leader).or_default().leads += 1;
        }
        if let Some(preferred) = partition.replicas.first() {
            tallies.entry(*preferred).or_default().preferred += 1;
        }
        for replica in &partition.replicas {
            tallies.entry(*replica).or_default().replicas += 1;
        }
        for member in &partition.isr {
            tallies.entry(*member).or_default().in_sync += 1;
        }
    }
    tallies
}

fn of_dirs(broker: &BrokerSeen) -> Tally {
    let Some(dirs) = &broker.dirs else { return Tally::default() };
    let replicas = || dirs.iter().flat_map(|dir| &dir.replicas).filter(|replica| !replica.is_future);
    Tally {
        lag_max: Some(replicas().map(|replica| replica.lag).max().unwrap_or(0)),
        bytes: Some(replicas().map(|replica| replica.bytes).sum()),
        usable_bytes: dirs.iter().filter_map(|dir| dir.usable_bytes).min(),
        failed_dirs: dirs.iter().filter(|dir| dir.error != ErrorCode::None).count(),
        ..Tally::default()
    }
}
