//! How replicas follow, and how long a follower may lag.

use std::time::Duration;

use super::ConfigError;
use super::values::Values;

/// What `replica` needs to know beside its logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationConfig {
    /// `replica.lag.time.max.ms`: a follower not at the end for so long leaves the ISR; 30 s unless set.
    pub lag_time_max: Duration,
    /// `replica.high.watermark.checkpoint.interval.ms`: between two high watermark checkpoints; 5 s unless set.
    pub high_watermark_checkpoint_interval: Duration,
    /// `max.incremental.fetch.session.cache.slots`: fetch sessions remembered at once; 1000 unless set.
    pub fetch_sessions_max: usize,
}

impl ReplicationConfig {
    pub(super) fn resolve(values: &Values) -> Result<ReplicationConfig, ConfigError> {
        Ok(ReplicationConfig {
            lag_time_max: values.millis("replica.lag.time.max.ms")?,
            high_watermark_checkpoint_interval: values
                .millis("replica.high.watermark.checkpoint.interval.ms")?,
            fetch_sessions_max: values.number("max.incremental.fetch.session.cache.slots")?,
        })
    }
}
