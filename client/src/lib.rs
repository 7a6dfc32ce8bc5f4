//! A small asynchronous Kafka client, for the command line, the tests, the benchmarks and, its [`Connection`] alone,
//! for brokers that follow other brokers.
//!
//! * `connection`: one TCP connection, many requests in flight, versions negotiated.
//! * `cluster`: who the brokers are and who leads what, and a connection to each of them.
//! * `producer`: batches, acknowledgements, idempotence.
//! * `consumer`: offsets, fetches, groups.
//! * `admin`: topics, records, configs, groups, log directories, the cluster.
//!
//! Retries are bounded by [`RetryPolicy`]; every wait by a time-out. Errors say what was asked of whom and what to do.

mod admin;
mod backoff;
mod cluster;
mod connection;
mod consumer;
mod error;
mod producer;

pub use admin::{
    Admin, CommittedOffset, ConfigChange, ConfigDetail, ConfigEntry, ConfigOperation, ConfigResource,
    ConfigResourceType, ConfigSource, ConfigSynonym, GroupDescription, GroupListing, GroupMember,
    HIGH_WATERMARK, LogDirDescription, NewTopic, ReplicaDescription, TopicDescription,
    TopicPartitionDescription,
};
pub use backoff::{Backoff, RetryPolicy};
pub use cluster::{Broker, Cluster, ClusterConfig, Lane, Metadata, Partition, Topic};
pub use connection::{Connection, ConnectionConfig, ConnectionError, Disconnected};
pub use consumer::{
    Consumer, ConsumerConfig, ConsumerRecord, GroupConfig, IsolationLevel, OffsetSpec, assign_range,
};
pub use error::Error;
pub use producer::{Acks, Delivery, Producer, ProducerConfig, ProducerRecord, RecordMetadata};

use std::fmt;

use protocol::wire::Str;

/// A partition by its topic's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: Str,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: impl Into<Str>, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
