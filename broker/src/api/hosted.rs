//! From the partition that a request names to its replica here.
//!
//! A partition that exists elsewhere is told apart from one that does not exist: the client is to look for its leader, not to
//! give it up.

use std::sync::Arc;

use protocol::types::Uuid;

use crate::Broker;
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;

/// The replica of a partition whose topic is named.
pub(super) fn by_name(broker: &Broker, topic: &str, index: i32) -> Result<Arc<Partition>, PartitionError> {
    let hosted = broker.replicas.partition(topic, index);
    hosted.map_err(|unknown| match broker.image().partition(topic, index) {
        Some(_) => PartitionError::NotLeader,
        None => unknown,
    })
}

/// The replica of a partition whose topic's id is given.
pub(super) fn by_id(broker: &Broker, topic: Uuid, index: i32) -> Result<Arc<Partition>, PartitionError> {
    let hosted = broker.replicas.partition_by_id(topic, index);
    hosted.map_err(|unknown| match broker.image().topic_by_id(topic) {
        Some(known) if usize::try_from(index).is_ok_and(|index| index < known.partitions.len()) => {
            PartitionError::NotLeader
        }
        Some(_) => PartitionError::Unknown,
        None => unknown,
    })
}
