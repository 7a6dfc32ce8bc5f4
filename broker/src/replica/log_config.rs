//! What a log is told, from what holds for its topic.

use std::sync::Arc;
use std::time::Duration;

use metadata::configs::{Layers, TopicConfig, broker_key};
use metadata::image::ClusterImage;
use protocol::records::{Compression, TimestampType};
use storage::log::{CleanupPolicy, LogConfig};

use super::Replicas;

/// Kafka's largest number, which stands for no limit.
const ENDLESS: u64 = i64::MAX as u64;

impl Replicas {
    /// For a log whose topic no image has named yet: what the broker's own file says.
    pub(super) fn default_log_config(&self) -> Arc<LogConfig> {
        let image = ClusterImage::default();
        self.topic_log_config(&image, "")
    }

    /// What holds for a topic.
    pub(super) fn topic_log_config(&self, image: &ClusterImage, topic: &str) -> Arc<LogConfig> {
        let layers = Layers::of(image, Some(self.broker), &self.statics);
        let expiration = producer_id_expiration(layers).unwrap_or(self.producer_id_expiration);
        Arc::new(log_config(&TopicConfig::of(image, topic, layers), expiration))
    }
}

fn producer_id_expiration(layers: Layers) -> Option<Duration> {
    let key = broker_key("producer.id.expiration.ms")?;
    let millis = key.read(&layers.resolve_broker(key).value?).ok()?.as_number()?;
    u64::try_from(millis).ok().map(Duration::from_millis)
}

fn log_config(topic: &TopicConfig, producer_id_expiration: Duration) -> LogConfig {
    let policies = topic.list("cleanup.policy");
    let compression = compression(&topic.text("compression.type"));
    LogConfig {
        segment_bytes: match topic.number("internal.segment.bytes") {
            0 => u32_of(topic, "segment.bytes"),
            _ => u32_of(topic, "internal.segment.bytes"),
        },
        segment_time: limit(topic, "segment.ms").unwrap_or(Duration::MAX),
        segment_jitter: limit(topic, "segment.jitter.ms").unwrap_or_default(),
        segment_index_bytes: u32_of(topic, "segment.index.bytes"),
        index_interval_bytes: u32_of(topic, "index.interval.bytes"),
        retention_time: limit(topic, "retention.ms"),
        retention_bytes: u64::try_from(topic.number("retention.bytes")).ok(),
        cleanup_policy: CleanupPolicy {
            delete: policies.iter().any(|policy| policy == "delete"),
            compact: policies.iter().any(|policy| policy == "compact"),
        },
        file_delete_delay: limit(topic, "file.delete.delay.ms").unwrap_or_default(),
        max_message_bytes: usize::try_from(topic.number("max.message.bytes")).unwrap_or_default(),
        timestamp_type: match topic.text("message.timestamp.type").as_str() {
            "LogAppendTime" => TimestampType::LogAppendTime,
            _ => TimestampType::CreateTime,
        },
        timestamp_before_max: unless_endless(topic, "message.timestamp.before.max.ms"),
        timestamp_after_max: unless_endless(topic, "message.timestamp.after.max.ms"),
        compression,
        compression_level: compression.and_then(|compression| level(topic, compression)),
        preallocate: topic.flag("preallocate"),
        flush_messages: u64::try_from(topic.number("flush.messages"))
            .ok()
            .filter(|&n| n < ENDLESS)
            .unwrap_or(u64::MAX),
        flush_time: unless_endless(topic, "flush.ms"),
        producer_id_expiration,
    }
}

/// The level that a codec has for the topic; none where it is to choose, or has but one.
fn level(topic: &TopicConfig, compression: Compression) -> Option<i32> {
    let key = match compression {
        Compression::Gzip => "compression.gzip.level",
        Compression::Zstd => "compression.zstd.level",
        Compression::None | Compression::Snappy | Compression::Lz4 => return None,
    };
    // −1 is gzip's own choice; zstd knows it as a level.
    let level = i32::try_from(topic.number(key)).ok();
    level.filter(|level| compression == Compression::Zstd || *level >= 0)
}

/// A time in milliseconds; below 0: none.
fn limit(topic: &TopicConfig, key: &str) -> Option<Duration> {
    u64::try_from(topic.number(key)).ok().map(Duration::from_millis)
}

fn unless_endless(topic: &TopicConfig, key: &str) -> Option<Duration> {
    limit(topic, key).filter(|limit| limit.as_millis() < u128::from(ENDLESS))
}

fn u32_of(topic: &TopicConfig, key: &str) -> u32 {
    u32::try_from(topic.number(key)).unwrap_or(u32::MAX)
}

/// `None`: as the producer sent it.
fn compression(name: &str) -> Option<Compression> {
    match name {
        "uncompressed" => Some(Compression::None),
        "gzip" => Some(Compression::Gzip),
        "snappy" => Some(Compression::Snappy),
        "lz4" => Some(Compression::Lz4),
        "zstd" => Some(Compression::Zstd),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn resolved(own: &[(&str, &str)]) -> LogConfig {
        let (statics, image) = (BTreeMap::new(), ClusterImage::default());
        let own: BTreeMap<_, _> =
            own.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let layers = Layers::of(&image, None, &statics);
        log_config(&TopicConfig::new(layers, Some(&own)), LogConfig::default().producer_id_expiration)
    }

    #[test]
    fn a_topic_without_settings_has_kafka_s_defaults() {
        assert_eq!(resolved(&[]), LogConfig::default());
    }

    #[test]
    fn what_is_set_on_the_topic_holds() {
        let config =
            resolved(&[("retention.ms", "-1"), ("cleanup.policy", "compact"), ("compression.type", "zstd")]);
        assert_eq!(config.retention_time, None);
        assert_eq!(config.cleanup_policy, CleanupPolicy { delete: false, compact: true });
        assert_eq!((config.compression, config.compression_level), (Some(Compression::Zstd), Some(3)));
        let config = resolved(&[
            ("compression.type", "gzip"),
            ("compression.gzip.level", "9"),
            ("flush.ms", "50"),
            ("preallocate", "true"),
            ("internal.segment.bytes", "1000"),
        ]);
        assert_eq!(
            (config.compression_level, config.preallocate, config.segment_bytes),
            (Some(9), true, 1000)
        );
        assert_eq!(config.flush_time, Some(Duration::from_millis(50)));
    }
}
