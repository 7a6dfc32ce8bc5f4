//! The smallest steps by which a [`ClusterImage`] changes, and how a step is applied.
//!
//! A push holds the changes of one or more revisions in order; applying one is idempotent.

use std::collections::BTreeMap;

use protocol::types::{BrokerId, Uuid};

use crate::image::{BrokerImage, ClusterImage, ConfigResource, PartitionImage};

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    BrokerChanged(BrokerImage),
    BrokerGone(BrokerId),
    /// The topic exists under this name; its partitions follow as changes of their own.
    TopicCreated { name: String, id: Uuid },
    TopicDeleted { name: String, id: Uuid },
    /// The partition exists with this state. Partitions of a topic come in order, without gaps.
    PartitionChanged { topic_id: Uuid, partition: i32, state: PartitionImage },
    /// All that is now set on the resource; empty: nothing.
    ConfigChanged { resource: ConfigResource, values: BTreeMap<String, String> },
}

/// A change that does not fit the image it was applied to: the receiver asks for the whole image.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("partition {partition} of topic id {topic_id} belongs to no known topic")]
    UnknownTopic { topic_id: Uuid, partition: i32 },
    #[error("partition {partition} of topic id {topic_id} leaves a gap: {known} partitions are known")]
    Gap { topic_id: Uuid, partition: i32, known: usize },
}
