//! One partition's log on disk, in Apache Kafka's own format, and the durable files that the rest stands on.
//! No network, no async, no threads: whoever owns a log calls it under the lock that it holds for the partition.

pub mod checkpoint;
pub mod durable;
mod failure;
pub mod leader_epochs;
pub mod log_dir;
mod topic_partition;

pub use failure::IoFailure;
pub use topic_partition::{MAX_TOPIC_NAME_BYTES, TopicPartition, is_topic_name};
