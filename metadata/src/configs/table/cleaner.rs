//! The cleaner, which compacts logs.

use crate::configs::allowed::Allowed::Any;
use crate::configs::allowed::{at_least, real};
use crate::configs::key::{ConfigKey, idle, key};
use crate::configs::kind::Kind::{Boolean, Double, Int, Long};
use crate::configs::reasons::NO_COMPACTION;

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &idle([
    key("log.cleaner.enable", Boolean, "true", Any,
        "Whether logs are compacted."),
    key("log.cleaner.threads", Int, "1", at_least(0),
        "Threads that compact logs.").cluster_wide(),
    key("log.cleaner.dedupe.buffer.size", Long, "134217728", Any,
        "Memory of all cleaner threads together for the newest offset of each key.").cluster_wide(),
    key("log.cleaner.io.buffer.size", Int, "524288", at_least(0),
        "Memory of all cleaner threads together for reading and writing.").cluster_wide(),
    key("log.cleaner.io.buffer.load.factor", Double, "0.9", Any,
        "How full the map of keys may get: the fuller, the more is cleaned at once and the more keys \
         collide.").cluster_wide(),
    key("log.cleaner.io.max.bytes.per.second", Double, "1.7976931348623157E308", Any,
        "The most bytes that cleaner threads read and write in a second, together.").cluster_wide(),
    key("log.cleaner.backoff.ms", Long, "15000", at_least(0),
        "How long a cleaner thread sleeps when nothing is to be cleaned.").cluster_wide(),
    key("log.cleaner.min.cleanable.ratio", Double, "0.5", real(0.0, 1.0),
        "The share of a log that must be dirty before it is compacted.").cluster_wide(),
    key("log.cleaner.delete.retention.ms", Long, "86400000", at_least(0),
        "How long the tombstones of a compacted log stay, so that readers see the deletion.").cluster_wide(),
    key("log.cleaner.min.compaction.lag.ms", Long, "0", at_least(0),
        "How long a record is left uncompacted at least.").cluster_wide(),
    key("log.cleaner.max.compaction.lag.ms", Long, "9223372036854775807", at_least(1),
        "How long a record is left uncompacted at most.").cluster_wide(),
], NO_COMPACTION);
