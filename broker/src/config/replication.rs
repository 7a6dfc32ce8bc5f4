//! How replicas follow, and how long a follower may lag.

use std::time::Duration;

use super::ConfigError;
use super::values::Values;

/// The classes that `replica.selector.class` may name.
const LEADER_SELECTOR: &str = "org.apache.kafka.common.replica.LeaderSelector";
const RACK_AWARE_SELECTOR: &str = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

/// Which replica a consumer is sent to (KIP-392).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaSelector {
    /// Every consumer reads from leaders.
    Leader,
    /// One that says its rack reads from an in-sync replica in that rack, if there is one.
    RackAware,
}

/// What `replica` needs to know beside its logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationConfig {
    /// `replica.lag.time.max.ms`: a follower not at the end for so long leaves the ISR; 30 s unless set.
    pub lag_time_max: Duration,
    /// `replica.high.watermark.checkpoint.interval.ms`: between two high watermark checkpoints; 5 s unless set.
    pub high_watermark_checkpoint_interval: Duration,
    /// `replica.fetch.max.bytes`: of one partition in one fetch, but for a first batch that is larger; 1 MiB unless set.
    pub fetch_bytes_max: i32,
    /// `replica.fetch.response.max.bytes`: of one whole fetch, with the same exception; 10 MiB unless set.
    pub fetch_response_bytes_max: i32,
    /// `replica.fetch.min.bytes`: what a leader holds a fetch back for; 1 unless set.
    pub fetch_bytes_min: i32,
    /// `replica.fetch.wait.max.ms`: how long it does so at most; 500 ms unless set.
    pub fetch_wait_max: Duration,
    /// `replica.fetch.backoff.ms`: the longest wait after a failure, the first are shorter; 1 s unless set.
    pub fetch_backoff: Duration,
    /// `replica.socket.timeout.ms`: how long a leader may take to answer; 30 s unless set.
    pub socket_timeout: Duration,
    /// `max.incremental.fetch.session.cache.slots`: fetch sessions remembered at once; 1000 unless set.
    pub fetch_sessions_max: usize,
    /// `replica.selector.class`: Kafka's `LeaderSelector` or `RackAwareReplicaSelector`; the leader unless set.
    pub replica_selector: ReplicaSelector,
}

impl ReplicationConfig {
    pub(super) fn resolve(values: &Values) -> Result<ReplicationConfig, ConfigError> {
        let config = ReplicationConfig {
            lag_time_max: values.millis("replica.lag.time.max.ms")?,
            high_watermark_checkpoint_interval: values
                .millis("replica.high.watermark.checkpoint.interval.ms")?,
            fetch_bytes_max: values.number("replica.fetch.max.bytes")?,
            fetch_response_bytes_max: values.number("replica.fetch.response.max.bytes")?,
            fetch_bytes_min: values.number("replica.fetch.min.bytes")?,
            fetch_wait_max: values.millis("replica.fetch.wait.max.ms")?,
            fetch_backoff: values.millis("replica.fetch.backoff.ms")?,
            socket_timeout: values.millis("replica.socket.timeout.ms")?,
            fetch_sessions_max: values.number("max.incremental.fetch.session.cache.slots")?,
            replica_selector: replica_selector(values)?,
        };
        config.check(values)?;
        Ok(config)
    }

    /// A follower that waits for records must neither time out nor fall out of sync by it.
    fn check(&self, values: &Values) -> Result<(), ConfigError> {
        let at_most = |key: &str| values.refuse("replica.fetch.wait.max.ms", &format!("at most {key}"));
        if self.fetch_wait_max > self.socket_timeout {
            return Err(at_most("replica.socket.timeout.ms"));
        }
        if self.fetch_wait_max > self.lag_time_max {
            return Err(at_most("replica.lag.time.max.ms"));
        }
        Ok(())
    }
}

fn replica_selector(values: &Values) -> Result<ReplicaSelector, ConfigError> {
    match values.text("replica.selector.class")?.trim() {
        "" | LEADER_SELECTOR => Ok(ReplicaSelector::Leader),
        RACK_AWARE_SELECTOR => Ok(ReplicaSelector::RackAware),
        _ => {
            let allowed = format!("{LEADER_SELECTOR} or {RACK_AWARE_SELECTOR}");
            Err(values.refuse("replica.selector.class", &allowed))
        }
    }
}
