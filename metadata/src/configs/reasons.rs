//! Why keys do nothing, where several do so for one reason.

use super::effect::Effect;

pub(super) const NO_CONSUMER_GROUPS: &str = "the newer protocol of consumer groups is not served yet";
pub(super) const NO_STREAMS_GROUPS: &str = "streams groups are not served yet";
pub(super) const NO_SHARE_GROUPS: &str = "share groups are not served yet";
pub(super) const NO_TELEMETRY: &str = "clients do not push their metrics here yet";
pub(super) const NO_TIERS: &str = "tiered storage is not served";
pub(super) const NO_COMPACTION: &str = "nothing is compacted yet: old records of a key stay";
pub(super) const NO_SASL: &str = "SASL is not served yet";
pub(super) const NO_JAVA: &str = "Java classes cannot be loaded";
pub(super) const KERNEL_TUNES: &str = "the kernel tunes each socket's buffers, which a fixed size would end";
pub(super) const LZ4_HAS_ONE_LEVEL: &str = "lz4 has one level here, the fastest";

/// Of the keys that say what happens to old segments.
pub(super) const NOT_COMPACTED: Effect = Effect::Except { value: "compact", why: NO_COMPACTION };
