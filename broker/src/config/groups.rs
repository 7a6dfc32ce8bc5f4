//! What the group coordinator was told.

use std::time::Duration;

use super::ConfigError;
use super::values::Values;

/// What `group` needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSettings {
    /// `group.min.session.timeout.ms`: the shortest session a member may ask for; 6 s unless set.
    pub session_timeout_min: Duration,
    /// `group.max.session.timeout.ms`: the longest; 30 minutes unless set.
    pub session_timeout_max: Duration,
    /// `group.initial.rebalance.delay.ms`: how long an empty group waits for more members; 3 s unless set.
    pub initial_rebalance_delay: Duration,
    /// `group.max.size`: members of one group; unlimited unless set, at least 1.
    pub max_size: usize,
    /// `offsets.retention.minutes`: how long offsets outlive their group's last member; 7 days unless set.
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`: between two looks for offsets to expire; 10 minutes unless set.
    pub offsets_retention_check_interval: Duration,
    /// `offset.metadata.max.bytes`: the longest metadata of a commit; 4096 unless set.
    pub offset_metadata_max_bytes: usize,
    /// `offsets.load.buffer.size`: bytes read at once while a coordinator loads; 5 MiB unless set, at least 1.
    pub load_buffer_bytes: usize,
    /// `offsets.commit.timeout.ms`: how long a commit waits for its replicas; 5 s unless set.
    pub commit_timeout: Duration,
}

impl GroupSettings {
    pub(super) fn resolve(values: &Values) -> Result<GroupSettings, ConfigError> {
        let minutes: u64 = values.number("offsets.retention.minutes")?;
        let settings = GroupSettings {
            session_timeout_min: values.millis("group.min.session.timeout.ms")?,
            session_timeout_max: values.millis("group.max.session.timeout.ms")?,
            initial_rebalance_delay: values.millis("group.initial.rebalance.delay.ms")?,
            max_size: values.number("group.max.size")?,
            offsets_retention: Duration::from_secs(60 * minutes),
            offsets_retention_check_interval: values.millis("offsets.retention.check.interval.ms")?,
            offset_metadata_max_bytes: values.number("offset.metadata.max.bytes")?,
            load_buffer_bytes: values.number("offsets.load.buffer.size")?,
            commit_timeout: values.millis("offsets.commit.timeout.ms")?,
        };
        if settings.session_timeout_min > settings.session_timeout_max {
            return Err(
                values.refuse("group.max.session.timeout.ms", "at least group.min.session.timeout.ms")
            );
        }
        Ok(settings)
    }
}
