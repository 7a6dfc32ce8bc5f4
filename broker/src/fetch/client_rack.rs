//! Where a consumer stands, and which replica is near to it (KIP-392).

use metadata::image::ClusterImage;
use protocol::messages::FetchRequest;
use protocol::types::{BrokerId, Offset};

use crate::Broker;
use crate::api::Listener;
use crate::config::ReplicaSelector;
use crate::replica::partition::Partition;
use crate::replica::preferred::in_rack;

/// The rack of a consumer that had rather read there than here.
pub struct ClientRack(String);

impl ClientRack {
    /// None of a follower, of a consumer that does not say, of one that stands where this broker does; and none at all
    /// where `replica.selector.class` has every consumer read from leaders.
    pub fn of(broker: &Broker, request: &FetchRequest) -> Option<ClientRack> {
        let is_consumer = request.replica_id.max(request.replica_state.replica_id) < 0;
        let rack_aware = broker.config.replication.replica_selector == ReplicaSelector::RackAware;
        let is_elsewhere =
            !request.rack_id.is_empty() && broker.config.rack.as_deref() != Some(&*request.rack_id);
        (rack_aware && is_consumer && is_elsewhere).then(|| ClientRack(request.rack_id.to_string()))
    }

    /// The in-sync replica in this rack that has the offset, and that the consumer can reach.
    pub fn replica_in_it(
        &self,
        image: &ClusterImage,
        listener: &Listener,
        partition: &Partition,
        offset: Offset,
    ) -> Option<BrokerId> {
        in_rack(&partition.readable_followers(offset), |id| {
            image.live_brokers().any(|broker| {
                let is_here = broker.id == id && broker.rack.as_ref() == Some(&self.0);
                is_here && broker.endpoint(&listener.name).is_some()
            })
        })
    }
}
