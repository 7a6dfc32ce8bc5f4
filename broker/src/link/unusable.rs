//! The replicas of a broker that can't be used, as it tells the controller of them.

use std::collections::BTreeMap;

use metadata::convert::uuid_to_proto;
use proto::controller::OfflineReplicas;
use protocol::types::Uuid;

/// Partitions by topic.
type ByTopic = BTreeMap<Uuid, Vec<i32>>;

/// All that can't be used now, each under its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnusableReplicas {
    /// Nothing can be read of them.
    pub offline: ByTopic,
    /// They follow, and there is no room for more: what they have they keep.
    pub full: ByTopic,
}

impl UnusableReplicas {
    pub fn is_empty(&self) -> bool {
        self.offline.is_empty() && self.full.is_empty()
    }

    /// How many are offline, and how many are full.
    pub fn counts(&self) -> (usize, usize) {
        let count = |replicas: &ByTopic| replicas.values().map(Vec::len).sum();
        (count(&self.offline), count(&self.full))
    }

    pub(super) fn on_the_wire(&self) -> Vec<OfflineReplicas> {
        let told = |replicas: &ByTopic, full: bool| {
            let topic = |(topic_id, partitions): (&Uuid, &Vec<i32>)| OfflineReplicas {
                topic_id: uuid_to_proto(*topic_id),
                partitions: partitions.clone(),
                full,
            };
            replicas.iter().map(topic).collect::<Vec<_>>()
        };
        [told(&self.offline, false), told(&self.full, true)].concat()
    }
}
