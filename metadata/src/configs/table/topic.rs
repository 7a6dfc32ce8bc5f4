//! The keys of a topic, and the broker keys that each inherits from.

use crate::configs::allowed::Allowed::{Any, GzipLevel, ThrottledReplicas};
use crate::configs::allowed::{any_of, at_least, between, one_of, real};
use crate::configs::effect::Effect;
use crate::configs::key::{ConfigKey, hours, key, minutes, same, unset};
use crate::configs::kind::Kind::{Boolean, Double, Int, List, Long, Text};
use crate::configs::reasons::{LZ4_HAS_ONE_LEVEL, NO_COMPACTION, NO_TIERS, NOT_COMPACTED};

const NO_THROTTLE: &str = "replication is not throttled yet";

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    key("cleanup.policy", List, "delete", any_of(&["compact", "delete"]),
        "What happens to old segments: delete, compact, or both.")
        .inherits(&[same("log.cleanup.policy")]).effect(NOT_COMPACTED),
    key("compression.type", Text, "producer", one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
        "How batches are stored: as the producer compressed them, or compressed anew by the broker.")
        .inherits(&[same("compression.type")]),
    key("compression.gzip.level", Int, "-1", GzipLevel,
        "The level when the broker compresses with gzip.")
        .inherits(&[same("compression.gzip.level")]),
    key("compression.lz4.level", Int, "9", between(1, 17),
        "The level when the broker compresses with lz4.")
        .inherits(&[same("compression.lz4.level")]).idle(LZ4_HAS_ONE_LEVEL),
    key("compression.zstd.level", Int, "3", between(-131_072, 22),
        "The level when the broker compresses with zstd.")
        .inherits(&[same("compression.zstd.level")]),
    key("delete.retention.ms", Long, "86400000", at_least(0),
        "How long the tombstones of a compacted log stay, so that readers see the deletion.")
        .inherits(&[same("log.cleaner.delete.retention.ms")]).idle(NO_COMPACTION),
    key("file.delete.delay.ms", Long, "60000", at_least(0),
        "How long a deleted segment's files stay.")
        .inherits(&[same("log.segment.delete.delay.ms")]),
    key("flush.messages", Long, "9223372036854775807", at_least(1),
        "After how many records the log is flushed to the disk.")
        .inherits(&[same("log.flush.interval.messages")]),
    key("flush.ms", Long, "9223372036854775807", at_least(0),
        "After how long a record is flushed to the disk; looked at every log.flush.scheduler.interval.ms.")
        .inherits(&[same("log.flush.interval.ms"), same("log.flush.scheduler.interval.ms")]),
    key("follower.replication.throttled.replicas", List, "", ThrottledReplicas,
        "Replicas whose fetches are throttled: partition:broker, one or more, or *.").idle(NO_THROTTLE),
    key("leader.replication.throttled.replicas", List, "", ThrottledReplicas,
        "Replicas whose leaders throttle them: partition:broker, one or more, or *.").idle(NO_THROTTLE),
    key("index.interval.bytes", Int, "4096", at_least(0),
        "An index entry is made every so many bytes of records.")
        .inherits(&[same("log.index.interval.bytes")]),
    unset("internal.segment.bytes", Int, Any,
        "The largest size of a segment, in tests.").internal(),
    key("local.retention.bytes", Long, "-2", at_least(-2),
        "How much of a partition is kept locally under tiered storage; -2: as much as is kept at all.")
        .inherits(&[same("log.local.retention.bytes")]).idle(NO_TIERS),
    key("local.retention.ms", Long, "-2", at_least(-2),
        "How long a segment is kept locally under tiered storage; -2: as long as it is kept at all.")
        .inherits(&[same("log.local.retention.ms")]).idle(NO_TIERS),
    key("max.compaction.lag.ms", Long, "9223372036854775807", at_least(1),
        "How long a record is left uncompacted at most.")
        .inherits(&[same("log.cleaner.max.compaction.lag.ms")]).idle(NO_COMPACTION),
    key("max.message.bytes", Int, "1048588", at_least(0),
        "The largest batch of records that is taken.")
        .inherits(&[same("message.max.bytes")]),
    key("message.timestamp.after.max.ms", Long, "3600000", at_least(0),
        "How far a record's timestamp may lie in the future.")
        .inherits(&[same("log.message.timestamp.after.max.ms")]),
    key("message.timestamp.before.max.ms", Long, "9223372036854775807", at_least(0),
        "How far a record's timestamp may lie in the past.")
        .inherits(&[same("log.message.timestamp.before.max.ms")]),
    key("message.timestamp.type", Text, "CreateTime", one_of(&["CreateTime", "LogAppendTime"]),
        "Whose timestamp a record carries: the producer's (CreateTime) or the broker's (LogAppendTime).")
        .inherits(&[same("log.message.timestamp.type")]),
    key("min.cleanable.dirty.ratio", Double, "0.5", real(0.0, 1.0),
        "The share of the log that must be dirty before it is compacted.")
        .inherits(&[same("log.cleaner.min.cleanable.ratio")]).idle(NO_COMPACTION),
    key("min.compaction.lag.ms", Long, "0", at_least(0),
        "How long a record is left uncompacted at least.")
        .inherits(&[same("log.cleaner.min.compaction.lag.ms")]).idle(NO_COMPACTION),
    key("min.insync.replicas", Int, "1", at_least(1),
        "How many replicas must be in sync for a produce with acks=all to be taken.")
        .inherits(&[same("min.insync.replicas")]),
    key("preallocate", Boolean, "false", Any,
        "Whether the file of a new segment gets its whole size at once.")
        .inherits(&[same("log.preallocate")]),
    key("remote.log.copy.disable", Boolean, "false", Any,
        "Whether segments are no longer copied to remote storage.").idle(NO_TIERS),
    key("remote.log.delete.on.disable", Boolean, "false", Any,
        "Whether remote segments are deleted when tiered storage is turned off.").idle(NO_TIERS),
    key("remote.storage.enable", Boolean, "false", Any,
        "Whether segments are also kept in remote storage.").effect(Effect::Refused { why: NO_TIERS }),
    key("retention.bytes", Long, "-1", Any,
        "How large a partition grows before its oldest segments go; -1: no limit.")
        .inherits(&[same("log.retention.bytes")]),
    key("retention.ms", Long, "604800000", at_least(-1),
        "How long a closed segment is kept; -1: for ever.")
        .inherits(&[same("log.retention.ms"), minutes("log.retention.minutes"), hours("log.retention.hours")]),
    key("segment.bytes", Int, "1073741824", at_least(1_048_576),
        "The largest size of a segment.")
        .inherits(&[same("log.segment.bytes")]),
    key("segment.index.bytes", Int, "10485760", at_least(4),
        "The largest size of a segment's index; a full one closes the segment.")
        .inherits(&[same("log.index.size.max.bytes")]),
    key("segment.jitter.ms", Long, "0", at_least(0),
        "A random time up to this is taken off segment.ms, so that segments do not all roll at once.")
        .inherits(&[same("log.roll.jitter.ms"), hours("log.roll.jitter.hours")]),
    key("segment.ms", Long, "604800000", at_least(1),
        "A segment is closed when it is so old, even if it is not full.")
        .inherits(&[same("log.roll.ms"), hours("log.roll.hours")]),
    key("unclean.leader.election.enable", Boolean, "false", Any,
        "Whether a replica that is not in sync may lead as a last resort, and records be lost.")
        .inherits(&[same("unclean.leader.election.enable")]),
];
