//! Tells a client that came to the wrong broker, or with an old epoch, who leads, and where that broker is (KIP-951).
//!
//! A replica takes its role before the image is published that gave it: what the replica knows counts where it is newer. A
//! leader that is out of reach is not named.

use std::collections::BTreeSet;

use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use protocol::wire::Str;

use super::Listener;
use super::cluster_view::{ClusterView, Outlook};
use crate::Broker;

/// The leaders that one response names.
pub struct LeaderHints<'a> {
    broker: &'a Broker,
    /// The one that the client came in by.
    listener: &'a Listener,
    outlook: Outlook,
    named: BTreeSet<BrokerId>,
}

impl<'a> LeaderHints<'a> {
    pub fn new(broker: &'a Broker, listener: &'a Listener) -> LeaderHints<'a> {
        LeaderHints { broker, listener, outlook: Outlook::of(broker), named: BTreeSet::new() }
    }

    /// Who leads a partition, if a client can be led there; the topic is named by id or, where that is zero, by name.
    pub fn leader(&mut self, name: &str, id: Uuid, partition: i32) -> Option<(BrokerId, LeaderEpoch)> {
        let image = &self.outlook.image;
        let topic = if id.is_zero() { image.topic(name) } else { image.topic_by_id(id) }?;
        let state = topic.partitions.get(usize::try_from(partition).ok()?)?;
        let hosted = self.broker.replicas.partition(&topic.name, partition).ok();
        let hosted = hosted.map(|partition| partition.leadership());
        let (leader, epoch) = newer((state.leader, state.leader_epoch), hosted);
        self.view().reached(leader)?;
        self.named.insert(leader);
        Some((leader, epoch))
    }

    /// Where the leaders named are reached, by the listener that the client came in by: id, host, port and rack.
    pub fn into_nodes<N>(self, node: impl Fn(i32, Str, i32, Option<Str>) -> N) -> Vec<N> {
        let view = self.view();
        let found = self.named.iter().filter_map(|id| {
            let (broker, endpoint) = view.reached(*id)?;
            let rack = broker.rack.as_deref().map(Str::from);
            Some(node(id.0, Str::from(endpoint.host.as_str()), endpoint.port.into(), rack))
        });
        found.collect()
    }

    fn view(&self) -> ClusterView<'_> {
        self.outlook.through(&self.listener.name)
    }
}

/// What the image says, or what the replica here knows of a later epoch.
fn newer(image: (BrokerId, LeaderEpoch), hosted: Option<(BrokerId, LeaderEpoch)>) -> (BrokerId, LeaderEpoch) {
    hosted.filter(|(_, epoch)| *epoch > image.1).unwrap_or(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_epoch_counts() {
        let (one, two) = ((BrokerId(1), LeaderEpoch(4)), (BrokerId(2), LeaderEpoch(5)));
        assert_eq!(newer(one, Some(two)), two);
        assert_eq!(newer(two, Some(one)), two);
        assert_eq!(newer(one, Some((BrokerId(3), LeaderEpoch(4)))), one);
        assert_eq!(newer(one, None), one);
    }
}
