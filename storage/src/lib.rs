//! One partition's log on disk, in Apache Kafka's own format, and the durable files that the rest stands on.
//! No network, no async, no threads: whoever owns a log calls it under the lock that it holds for the partition.

pub mod durable;
mod failure;

pub use failure::IoFailure;
