//! How a client sees the cluster through the listener that it came in by: which brokers, which leaders, which replicas are
//! away. Pure; Metadata, FindCoordinator, DescribeCluster and DescribeTopicPartitions answer with it.

use std::sync::Arc;

use metadata::image::{BrokerImage, ClusterImage, Endpoint, PartitionImage};
use protocol::types::{BrokerId, Uuid};

/// The image, seen through one listener.
#[derive(Clone, Copy)]
pub(super) struct ClusterView<'a> {
    pub(super) image: &'a ClusterImage,
    pub(super) listener: &'a str,
    /// Brokers that this one does not reach, for the moment: no client is sent there.
    pub(super) unreachable: &'a [BrokerId],
}

/// Why a client cannot be led to a partition's leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoLeader {
    /// There is none, or it is not there, as far as this broker knows.
    NotAvailable,
    /// It is registered, but not reached by this listener.
    NoListener,
}

impl<'a> ClusterView<'a> {
    /// The brokers that may be named to clients, with their addresses, by id.
    pub(super) fn live_brokers(self) -> impl Iterator<Item = (&'a BrokerImage, &'a Endpoint)> {
        self.brokers().filter(|(broker, _)| !broker.fenced)
    }

    /// Every registered broker that is reached by this listener, by id.
    pub(super) fn brokers(self) -> impl Iterator<Item = (&'a BrokerImage, &'a Endpoint)> {
        let listener = self.listener;
        self.image.brokers.values().filter_map(move |broker| Some((&**broker, broker.endpoint(listener)?)))
    }

    /// The broker that is named as the controller: any live one forwards admin calls, this one as well as another.
    pub(super) fn controller_id(self, this: BrokerId) -> BrokerId {
        match self.image.is_live(this) {
            true => this,
            false => self.image.live_brokers().next().map_or(BrokerId::NONE, |broker| broker.id),
        }
    }

    /// Where a partition's records are to be sent and fetched.
    pub(super) fn leader(self, partition: &PartitionImage) -> Result<BrokerId, NoLeader> {
        let leader = self.image.brokers.get(&partition.leader);
        let is_there = |leader: &&Arc<BrokerImage>| !leader.fenced && !self.unreachable.contains(&leader.id);
        let leader = leader.filter(is_there).ok_or(NoLeader::NotAvailable)?;
        leader.endpoint(self.listener).map(|_| leader.id).ok_or(NoLeader::NoListener)
    }

    /// A broker that a client can be sent to, and where it is.
    pub(super) fn reached(self, id: BrokerId) -> Option<(&'a BrokerImage, &'a Endpoint)> {
        let broker = self.image.brokers.get(&id)?;
        let endpoint = broker.endpoint(self.listener)?;
        (!broker.fenced && !self.unreachable.contains(&id)).then_some((&**broker, endpoint))
    }

    /// Whether a client can reach this broker.
    pub(super) fn is_reached(self, id: BrokerId) -> bool {
        self.image
            .brokers
            .get(&id)
            .is_some_and(|broker| !broker.fenced && broker.endpoint(self.listener).is_some())
    }

    /// The replicas that a client cannot reach, or whose log directory is gone.
    pub(super) fn offline_replicas(self, partition: &PartitionImage) -> Vec<i32> {
        let is_offline = |(at, id): &(usize, &BrokerId)| {
            !self.is_reached(**id) || !self.has_directory(**id, partition.directories.get(*at).copied())
        };
        partition.replicas.iter().enumerate().filter(is_offline).map(|(_, id)| id.0).collect()
    }

    /// Whether the broker has that log directory online. One that it chose itself (zero), and any of a broker that names
    /// none, counts as online.
    fn has_directory(self, id: BrokerId, directory: Option<Uuid>) -> bool {
        let Some(directory) = directory.filter(|directory| !directory.is_zero()) else { return true };
        let Some(broker) = self.image.brokers.get(&id) else { return false };
        broker.log_dirs.is_empty() || broker.log_dirs.contains(&directory)
    }
}

/// Broker ids as the wire carries them.
pub(super) fn ids(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|id| id.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sample::{image, led_by, view};

    #[test]
    fn fenced_brokers_and_those_of_other_listeners_are_not_named() {
        let image = image();
        assert_eq!(view(&image).live_brokers().map(|(broker, _)| broker.id.0).collect::<Vec<_>>(), [1]);
        assert_eq!(view(&image).offline_replicas(&led_by(1)), [2, 3, 4]);
    }

    #[test]
    fn a_leader_is_named_where_the_client_can_reach_it() {
        let image = image();
        assert_eq!(view(&image).leader(&led_by(1)), Ok(BrokerId(1)));
        assert_eq!(view(&image).leader(&led_by(3)), Err(NoLeader::NoListener));
        assert_eq!(view(&image).leader(&led_by(-1)), Err(NoLeader::NotAvailable));
    }

    #[test]
    fn a_leader_that_is_fenced_or_out_of_reach_is_not_named() {
        let image = image();
        assert_eq!(view(&image).leader(&led_by(2)), Err(NoLeader::NotAvailable));
        let view = ClusterView { unreachable: &[BrokerId(1)], ..view(&image) };
        assert_eq!(view.leader(&led_by(1)), Err(NoLeader::NotAvailable));
        assert!(view.reached(BrokerId(1)).is_none());
        assert_eq!(view.live_brokers().count(), 1, "it is a broker still");
    }

    #[test]
    fn a_replica_in_a_directory_that_is_gone_is_offline() {
        let image = image();
        let mut partition = led_by(1);
        partition.directories[0] = Uuid([9; 16]);
        assert_eq!(view(&image).offline_replicas(&partition), [1, 2, 3, 4]);
    }

    #[test]
    fn the_controller_that_is_named_is_a_live_broker() {
        let image = image();
        assert_eq!(view(&image).controller_id(BrokerId(3)), BrokerId(3));
        assert_eq!(view(&image).controller_id(BrokerId(2)), BrokerId(1));
    }
}
