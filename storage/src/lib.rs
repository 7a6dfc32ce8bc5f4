//! One partition's log on disk, in Apache Kafka's own format, and the durable files that the rest stands on.
//! No network, no async, no threads: whoever owns a log calls it under the lock that it holds for the partition.
//!
//! * [`log`]: a partition's log. * [`log_dir`]: a directory of logs. * [`checkpoint`]: Kafka's checkpoint files.
//! * [`durable`]: files that survive a crash. * [`leader_epochs`], [`producer`]: what a log remembers, pure.

pub mod checkpoint;
pub mod durable;
mod failure;
mod files;
mod index;
pub mod leader_epochs;
pub mod log;
pub mod log_dir;
pub mod producer;
mod segment;
mod topic_partition;

pub use failure::IoFailure;
pub use files::{FileCache, SegmentFile};
pub use index::AbortedTransaction;
pub use segment::Damage;
pub use topic_partition::{MAX_TOPIC_NAME_BYTES, TopicPartition, is_topic_name};
