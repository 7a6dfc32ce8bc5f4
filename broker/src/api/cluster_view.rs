//! How a client sees the cluster through the listener that it came in by: which brokers, which leaders, which replicas are
//! away. Pure, but for the look at what is so now; Metadata, FindCoordinator, DescribeCluster and DescribeTopicPartitions
//! answer with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use metadata::image::{BrokerImage, ClusterImage, Endpoint, PartitionImage, TopicImage};
use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use storage::TopicPartition;

use crate::Broker;

/// The newest image, and what this broker knows beyond it.
#[derive(Default)]
pub(super) struct Outlook {
    pub(super) image: Arc<ClusterImage>,
    /// Brokers that this one does not reach, for the moment: no client is sent there.
    pub(super) unreachable: Vec<BrokerId>,
    /// Leader epochs by which nobody leads any more.
    pub(super) stood_down: BTreeMap<TopicPartition, LeaderEpoch>,
}

impl Outlook {
    /// What is so now.
    pub(super) fn of(broker: &Broker) -> Outlook {
        Outlook {
            image: broker.image(),
            unreachable: broker.unreachable_peers.now(),
            stood_down: broker.replicas.stood_down(),
        }
    }

    /// What one sees of it through a listener.
    pub(super) fn through<'a>(&'a self, listener: &'a str) -> ClusterView<'a> {
        ClusterView { outlook: self, image: &self.image, listener }
    }
}

/// An outlook, seen through one listener.
#[derive(Clone, Copy)]
pub(super) struct ClusterView<'a> {
    outlook: &'a Outlook,
    pub(super) image: &'a ClusterImage,
    pub(super) listener: &'a str,
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
    pub(super) fn leader(self, topic: &TopicImage, index: usize) -> Result<BrokerId, NoLeader> {
        let partition = topic.partitions.get(index).ok_or(NoLeader::NotAvailable)?;
        let leader = self.image.brokers.get(&partition.leader).filter(|leader| self.is_there(leader));
        let leader = leader.ok_or(NoLeader::NotAvailable)?;
        if self.has_stood_down(&topic.name, index, partition.leader_epoch) {
            return Err(NoLeader::NotAvailable);
        }
        leader.endpoint(self.listener).map(|_| leader.id).ok_or(NoLeader::NoListener)
    }

    /// A broker that a client can be sent to, and where it is.
    pub(super) fn reached(self, id: BrokerId) -> Option<(&'a BrokerImage, &'a Endpoint)> {
        let broker = self.image.brokers.get(&id).filter(|broker| self.is_there(broker))?;
        Some((&**broker, broker.endpoint(self.listener)?))
    }

    fn is_there(self, broker: &BrokerImage) -> bool {
        !broker.fenced && !self.outlook.unreachable.contains(&broker.id)
    }

    fn has_stood_down(self, topic: &str, index: usize, epoch: LeaderEpoch) -> bool {
        let (stood_down, index) = (&self.outlook.stood_down, i32::try_from(index).unwrap_or(i32::MAX));
        // There is hardly ever any, and so no need to copy the name.
        !stood_down.is_empty() && stood_down.get(&TopicPartition::new(topic, index)) == Some(&epoch)
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
    use crate::api::sample::{CLIENTS, image, led_by, outlook, with_topic};

    fn ids(view: ClusterView<'_>) -> Vec<i32> {
        view.live_brokers().map(|(broker, _)| broker.id.0).collect()
    }

    /// A topic whose partitions are led by broker 1, by a fenced one, by one of another listener, and by nobody.
    fn led() -> Outlook {
        outlook(with_topic(image(), "t", &[1, 2, 3, -1]))
    }

    fn leaders(outlook: &Outlook) -> [Result<BrokerId, NoLeader>; 4] {
        let view = outlook.through(CLIENTS);
        [0, 1, 2, 3].map(|index| view.leader(&outlook.image.topics["t"], index))
    }

    #[test]
    fn fenced_brokers_and_those_of_other_listeners_are_not_named() {
        let outlook = led();
        assert_eq!(ids(outlook.through(CLIENTS)), [1]);
        assert_eq!(outlook.through(CLIENTS).offline_replicas(&led_by(1)), [2, 3, 4]);
    }

    #[test]
    fn a_leader_is_named_where_the_client_can_reach_it() {
        let away = Err(NoLeader::NotAvailable);
        assert_eq!(leaders(&led()), [Ok(BrokerId(1)), away, Err(NoLeader::NoListener), away]);
    }

    #[test]
    fn a_leader_that_is_out_of_reach_is_not_named() {
        let outlook = Outlook { unreachable: vec![BrokerId(1)], ..led() };
        assert_eq!(leaders(&outlook)[0], Err(NoLeader::NotAvailable));
        assert!(outlook.through(CLIENTS).reached(BrokerId(1)).is_none());
        assert_eq!(ids(outlook.through(CLIENTS)), [1], "it is a broker still");
    }

    #[test]
    fn a_leader_that_has_stood_down_is_not_named_until_a_later_epoch_is_known() {
        let from = |epoch| [(TopicPartition::new("t", 0), LeaderEpoch(epoch))].into();
        let outlook = Outlook { stood_down: from(led_by(1).leader_epoch.0), ..led() };
        assert_eq!(leaders(&outlook)[0], Err(NoLeader::NotAvailable));
        let outlook = Outlook { stood_down: from(led_by(1).leader_epoch.0 - 1), ..led() };
        assert_eq!(leaders(&outlook)[0], Ok(BrokerId(1)));
    }

    #[test]
    fn a_replica_in_a_directory_that_is_gone_is_offline() {
        let mut partition = led_by(1);
        partition.directories[0] = Uuid([9; 16]);
        assert_eq!(led().through(CLIENTS).offline_replicas(&partition), [1, 2, 3, 4]);
    }

    #[test]
    fn the_controller_that_is_named_is_a_live_broker() {
        let outlook = led();
        assert_eq!(outlook.through(CLIENTS).controller_id(BrokerId(3)), BrokerId(3));
        assert_eq!(outlook.through(CLIENTS).controller_id(BrokerId(2)), BrokerId(1));
    }
}
