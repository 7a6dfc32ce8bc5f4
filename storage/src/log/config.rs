//! What one log is told: Kafka's topic configs, and the broker's where the topic is silent, resolved and validated.

use std::time::Duration;

use protocol::records::{Compression, TimestampType};

/// The configuration of one log. Its defaults are Kafka's. It may change while the log is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is rolled before it would grow beyond this.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment whose first record is older than this is rolled by the next append.
    pub segment_time: Duration,
    /// `segment.jitter.ms`: each segment takes up to this much off its `segment_time`, so that not all roll together.
    pub segment_jitter: Duration,
    /// `segment.index.bytes`: a segment is rolled when one of its indexes has grown to this.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: an index entry is made for about so many bytes of log.
    pub index_interval_bytes: u32,
    /// `retention.ms`; `None` keeps records for ever.
    pub retention_time: Option<Duration>,
    /// `retention.bytes`; `None` keeps any number of bytes.
    pub retention_bytes: Option<u64>,
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `file.delete.delay.ms`: how long a deleted segment's files stay for those who still read them.
    pub file_delete_delay: Duration,
    /// `max.message.bytes`: the largest batch that a client may append.
    pub max_message_bytes: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`; `None` allows any age.
    pub timestamp_before_max: Option<Duration>,
    /// `message.timestamp.after.max.ms`; `None` allows any future.
    pub timestamp_after_max: Option<Duration>,
    /// `compression.type`; `None` is `producer`: batches are kept as they come.
    pub compression: Option<Compression>,
    /// `compression.gzip.level` or `compression.zstd.level`; `None` is the codec's own.
    pub compression_level: Option<i32>,
    /// `preallocate`: whether a new segment gets room for its whole size at once.
    pub preallocate: bool,
    /// `flush.messages`: a flush is due after so many records.
    pub flush_messages: u64,
    /// `flush.ms`: a flush is due when a record has waited for so long; `None` waits for ever.
    pub flush_time: Option<Duration>,
    /// `producer.id.expiration.ms`: a producer that was silent for so long is forgotten.
    pub producer_id_expiration: Duration,
}

/// What happens to old records. Both may be set; neither keeps everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Old segments are removed by time and size.
    pub delete: bool,
    /// Of each key only the newest record is kept.
    pub compact: bool,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        const HOUR: Duration = Duration::from_secs(3600);
        LogConfig {
            segment_bytes: 1 << 30,
            segment_time: 7 * 24 * HOUR,
            segment_jitter: Duration::ZERO,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_time: Some(7 * 24 * HOUR),
            retention_bytes: None,
            cleanup_policy: CleanupPolicy { delete: true, compact: false },
            file_delete_delay: Duration::from_secs(60),
            max_message_bytes: 1_048_588,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max: None,
            timestamp_after_max: Some(HOUR),
            compression: None,
            compression_level: None,
            preallocate: false,
            flush_messages: u64::MAX,
            flush_time: None,
            producer_id_expiration: 24 * HOUR,
        }
    }
}
