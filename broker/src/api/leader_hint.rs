//! Tells a client that came to the wrong broker who leads, and where that broker is (KIP-951).

use std::collections::BTreeSet;
use std::sync::Arc;

use metadata::image::ClusterImage;
use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use protocol::wire::Str;

use super::RequestContext;
use crate::Broker;

/// The leaders that one response names.
pub struct LeaderHints<'a> {
    image: Arc<ClusterImage>,
    context: &'a RequestContext,
    named: BTreeSet<BrokerId>,
}

impl<'a> LeaderHints<'a> {
    pub fn new(broker: &Broker, context: &'a RequestContext) -> LeaderHints<'a> {
        LeaderHints { image: broker.image(), context, named: BTreeSet::new() }
    }

    /// Who leads a partition, if anyone does; the topic is named by id or, where that is zero, by name.
    pub fn leader(&mut self, name: &str, id: Uuid, partition: i32) -> Option<(BrokerId, LeaderEpoch)> {
        let topic = if id.is_zero() { self.image.topic(name) } else { self.image.topic_by_id(id) }?;
        let state = topic.partitions.get(usize::try_from(partition).ok()?)?;
        let leader = state.leader.known()?;
        self.named.insert(leader);
        Some((leader, state.leader_epoch))
    }

    /// Where the leaders named are reached, by the listener that the client came in by: id, host, port and rack.
    pub fn into_nodes<N>(self, node: impl Fn(i32, Str, i32, Option<Str>) -> N) -> Vec<N> {
        let found = self.named.iter().filter_map(|id| {
            let broker = self.image.brokers.get(id)?;
            let endpoint = broker.endpoint(&self.context.listener.name)?;
            let rack = broker.rack.as_deref().map(Str::from);
            Some(node(id.0, Str::from(endpoint.host.as_str()), endpoint.port.into(), rack))
        });
        found.collect()
    }
}
