//! What a topic gets that is created without being asked for in detail.

use protocol::records::Compression;

use super::ConfigError;
use super::values::Values;

/// Auto-creation of ordinary topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDefaults {
    /// `auto.create.topics.enable`: whether Metadata creates what it does not find; true unless set.
    pub auto_create: bool,
    /// `num.partitions`, where it was set; else the controller's.
    pub partitions: Option<i32>,
    /// `default.replication.factor`, where it was set; else the controller's.
    pub replication_factor: Option<i16>,
    /// `max.request.partition.size.limit`: partitions of one DescribeTopicPartitions answer; 2000 unless set, at least 1.
    pub describe_partitions_max: i32,
}

/// How an internal topic is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalTopicConfig {
    /// `offsets.topic.num.partitions`: 50 unless set; must never change once the topic exists.
    pub partitions: i32,
    /// `offsets.topic.replication.factor`: 3 unless set; creation waits until so many brokers live.
    pub replication_factor: i16,
    /// `offsets.topic.segment.bytes`: small, so that compaction is quick; 100 MiB unless set.
    pub segment_bytes: i32,
    /// `offsets.topic.compression.codec`: how the coordinator packs what it writes, by Kafka's number; 0, not at all, unless set.
    pub compression: Compression,
}

impl TopicDefaults {
    pub(super) fn resolve(values: &Values) -> Result<TopicDefaults, ConfigError> {
        Ok(TopicDefaults {
            auto_create: values.flag("auto.create.topics.enable")?,
            partitions: values.number_if_set("num.partitions")?,
            replication_factor: values.number_if_set("default.replication.factor")?,
            describe_partitions_max: values.number("max.request.partition.size.limit")?,
        })
    }
}

impl InternalTopicConfig {
    pub(super) fn of_offsets(values: &Values) -> Result<InternalTopicConfig, ConfigError> {
        Ok(InternalTopicConfig {
            partitions: values.number("offsets.topic.num.partitions")?,
            replication_factor: values.number("offsets.topic.replication.factor")?,
            segment_bytes: values.number("offsets.topic.segment.bytes")?,
            compression: compression(values, "offsets.topic.compression.codec")?,
        })
    }
}

fn compression(values: &Values, key: &str) -> Result<Compression, ConfigError> {
    match values.number(key)? {
        0 => Ok(Compression::None),
        1 => Ok(Compression::Gzip),
        2 => Ok(Compression::Snappy),
        3 => Ok(Compression::Lz4),
        4 => Ok(Compression::Zstd),
        i64::MIN..0 | 5.. => Err(values.refuse(key, "0 (none), 1 (gzip), 2 (snappy), 3 (lz4) or 4 (zstd)")),
    }
}
