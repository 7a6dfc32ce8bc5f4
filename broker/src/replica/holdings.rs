//! What this broker tells a controller of its replicas with each hello: by it the controller notices a metadata store that
//! went back to an older state, and knows after a recovery which replica holds everything that was acknowledged.

use std::collections::BTreeMap;

use bytes::Bytes;
use proto::controller::SeenEpochs;
use protocol::types::{LeaderEpoch, Offset, Uuid};

use super::Replicas;
use super::partition::{LogState, Partition};

/// One replica, as it stands.
struct Holding {
    /// The newest that it was told or that stands in its log.
    leader_epoch: LeaderEpoch,
    log_epoch: LeaderEpoch,
    /// [`Offset::UNKNOWN`] where the log cannot be read, or not yet.
    log_end_offset: Offset,
    leading: bool,
}

impl Replicas {
    /// All replicas whose topic's id is known, by topic.
    pub fn holdings(&self) -> Vec<SeenEpochs> {
        let mut topics: BTreeMap<Uuid, SeenEpochs> = BTreeMap::new();
        for (topic_id, partition) in self.all_by_id() {
            let topic = topics.entry(topic_id).or_insert_with(|| SeenEpochs {
                topic_id: Bytes::copy_from_slice(&topic_id.0),
                topic: partition.at.topic.clone(),
                ..SeenEpochs::default()
            });
            let Holding { leader_epoch, log_epoch, log_end_offset, leading } = partition.holding();
            topic.partitions.push(partition.at.partition);
            topic.leader_epochs.push(leader_epoch.0);
            topic.log_epochs.push(log_epoch.0);
            topic.log_end_offsets.push(log_end_offset.0);
            topic.leading.push(leading);
        }
        topics.into_values().collect()
    }
}

impl Partition {
    fn holding(&self) -> Holding {
        let state = self.lock();
        let (log_epoch, log_end_offset) = match &state.log {
            LogState::Open(log) => (log.latest_epoch().unwrap_or(LeaderEpoch::UNKNOWN), log.log_end_offset()),
            _ => (LeaderEpoch::UNKNOWN, Offset::UNKNOWN),
        };
        let leader_epoch = log_epoch.max(state.role.epoch());
        Holding { leader_epoch, log_epoch, log_end_offset, leading: state.role.is_leader() }
    }
}
