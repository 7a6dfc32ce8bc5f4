//! The partitions' logs on disk: where they lie, how they roll, how long they are kept, what they take.

use crate::configs::allowed::Allowed::{Any, AnyList, GzipLevel, SomeList};
use crate::configs::allowed::{any_of, at_least, between, one_of};
use crate::configs::effect::Effect;
use crate::configs::key::{ConfigKey, key, unset};
use crate::configs::kind::Kind::{Boolean, Int, List, Long, Text};
use crate::configs::reasons::{LZ4_HAS_ONE_LEVEL, NOT_COMPACTED};

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    unset("log.dirs", List, SomeList,
        "The directories that hold the logs."),
    key("log.dir", List, "/tmp/kafka-logs", SomeList,
        "The directory that holds the logs, where log.dirs is not set."),
    key("cordoned.log.dirs", List, "", AnyList,
        "Log directories that take no new partitions; * for all.").per_broker()
        .effect(Effect::Partial { how: "a broker of which all directories are cordoned still gets replicas" }),
    key("log.dir.failure.timeout.ms", Long, "30000", at_least(1),
        "After how long a broker ends that could not report a failed log directory.")
        .idle("a broker goes on telling the controller of a failed directory until it is heard"),
    key("num.partitions", Int, "1", at_least(1),
        "How many partitions a topic gets that is created without a number."),
    key("num.recovery.threads.per.data.dir", Int, "2", at_least(1),
        "Threads for each log directory that recover logs at the start and flush them at the end.")
        .cluster_wide()
        .effect(Effect::AtStart { why: "logs are recovered before a broker learns what is set while it runs" }),
    key("log.segment.bytes", Int, "1073741824", at_least(1_048_576),
        "The largest size of a log segment.").cluster_wide(),
    unset("log.roll.ms", Long, Any,
        "A segment is closed when it is so old, even if it is not full.").cluster_wide(),
    key("log.roll.hours", Int, "168", at_least(1),
        "As log.roll.ms, in hours, where that is not set."),
    unset("log.roll.jitter.ms", Long, Any,
        "A random time up to this is taken off log.roll.ms, so that segments do not all roll at once.")
        .cluster_wide(),
    key("log.roll.jitter.hours", Int, "0", at_least(0),
        "As log.roll.jitter.ms, in hours, where that is not set."),
    unset("log.retention.ms", Long, Any,
        "How long a closed segment is kept; -1: for ever.").cluster_wide(),
    unset("log.retention.minutes", Int, Any,
        "As log.retention.ms, in minutes, where that is not set."),
    key("log.retention.hours", Int, "168", Any,
        "As log.retention.ms, in hours, where neither that nor the minutes are set."),
    key("log.retention.bytes", Long, "-1", Any,
        "How large a partition's log grows before its oldest segments go; -1: no limit.").cluster_wide(),
    key("log.retention.check.interval.ms", Long, "300000", at_least(1),
        "How often logs are checked for segments to delete."),
    key("log.segment.delete.delay.ms", Long, "60000", at_least(0),
        "How long a deleted segment's files stay.").cluster_wide(),
    key("log.cleanup.policy", List, "delete", any_of(&["compact", "delete"]),
        "What happens to old segments: delete, compact, or both.").cluster_wide().effect(NOT_COMPACTED),
    key("log.flush.interval.messages", Long, "9223372036854775807", at_least(1),
        "After how many records a log is flushed to the disk.").cluster_wide(),
    unset("log.flush.interval.ms", Long, Any,
        "After how long a record is flushed to the disk; looked at every log.flush.scheduler.interval.ms.").cluster_wide(),
    key("log.flush.scheduler.interval.ms", Long, "9223372036854775807", Any,
        "How often logs are checked for records that flush.ms has due."),
    key("log.flush.offset.checkpoint.interval.ms", Int, "60000", at_least(0),
        "How often recovery points are written."),
    key("log.flush.start.offset.checkpoint.interval.ms", Int, "60000", at_least(0),
        "How often log start offsets are written."),
    key("log.index.size.max.bytes", Int, "10485760", at_least(4),
        "The largest size of a segment's index; a full one closes the segment.").cluster_wide(),
    key("log.index.interval.bytes", Int, "4096", at_least(0),
        "An index entry is made every so many bytes of records.").cluster_wide(),
    key("log.preallocate", Boolean, "false", Any,
        "Whether the file of a new segment gets its whole size at once.").cluster_wide(),
    key("log.initial.task.delay.ms", Long, "30000", at_least(0),
        "How long after the start the work on logs in the background begins.").internal()
        .idle("each work in the background begins after its own interval"),
    key("log.message.timestamp.type", Text, "CreateTime", one_of(&["CreateTime", "LogAppendTime"]),
        "Whose timestamp a record carries: the producer's (CreateTime) or the broker's (LogAppendTime).")
        .cluster_wide(),
    key("log.message.timestamp.before.max.ms", Long, "9223372036854775807", at_least(0),
        "How far a record's timestamp may lie in the past.").cluster_wide(),
    key("log.message.timestamp.after.max.ms", Long, "3600000", at_least(0),
        "How far a record's timestamp may lie in the future.").cluster_wide(),
    key("message.max.bytes", Int, "1048588", at_least(0),
        "The largest batch of records that is taken.").cluster_wide(),
    key("compression.type", Text, "producer", one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
        "How batches are stored: as the producer compressed them, or compressed anew by the broker.")
        .cluster_wide(),
    key("compression.gzip.level", Int, "-1", GzipLevel,
        "The level when the broker compresses with gzip.").cluster_wide(),
    key("compression.lz4.level", Int, "9", between(1, 17),
        "The level when the broker compresses with lz4.").cluster_wide().idle(LZ4_HAS_ONE_LEVEL),
    key("compression.zstd.level", Int, "3", between(-131_072, 22),
        "The level when the broker compresses with zstd.").cluster_wide(),
    key("producer.id.expiration.ms", Int, "86400000", at_least(1),
        "After how long without a batch a producer's sequence is forgotten.").cluster_wide(),
    key("producer.id.expiration.check.interval.ms", Int, "600000", at_least(1),
        "How often producers' sequences are checked for expiry.").internal(),
];
