//! Where partitions are kept, and how often their housekeeping runs. What one log keeps (segments, retention, flushes) is
//! a topic's config and inherits from [`super::BrokerConfig::statics`].

use std::path::PathBuf;
use std::time::Duration;

use super::ConfigError;
use super::values::Values;

/// What the log manager needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsConfig {
    /// `log.dirs` (or `log.dir`): where partitions are kept; at least one.
    pub dirs: Vec<PathBuf>,
    /// `log.retention.check.interval.ms`: between two looks for segments to delete; 5 minutes unless set.
    pub retention_check_interval: Duration,
    /// `log.flush.scheduler.interval.ms`: between two looks for logs that `flush.ms` has due; never unless set.
    pub flush_scheduler_interval: Option<Duration>,
    /// `log.flush.offset.checkpoint.interval.ms`: between two recovery point checkpoints; a minute unless set.
    pub recovery_point_checkpoint_interval: Duration,
    /// `log.flush.start.offset.checkpoint.interval.ms`: between two log start checkpoints; a minute unless set.
    pub log_start_checkpoint_interval: Duration,
    /// `num.recovery.threads.per.data.dir`: logs of one directory recovered side by side; 2 unless set.
    pub recovery_threads_per_dir: usize,
    /// `producer.id.expiration.ms`: a producer that wrote nothing for so long is forgotten; a day unless set.
    pub producer_id_expiration: Duration,
    /// `producer.id.expiration.check.interval.ms`: between two looks for such producers; 10 minutes unless set.
    pub producer_id_expiration_check_interval: Duration,
}

impl LogsConfig {
    pub(super) fn resolve(values: &Values) -> Result<LogsConfig, ConfigError> {
        Ok(LogsConfig {
            dirs: dirs(values)?,
            retention_check_interval: values.millis("log.retention.check.interval.ms")?,
            flush_scheduler_interval: values.time_limit("log.flush.scheduler.interval.ms")?,
            recovery_point_checkpoint_interval: values.millis("log.flush.offset.checkpoint.interval.ms")?,
            log_start_checkpoint_interval: values.millis("log.flush.start.offset.checkpoint.interval.ms")?,
            recovery_threads_per_dir: values.number("num.recovery.threads.per.data.dir")?,
            producer_id_expiration: values.millis("producer.id.expiration.ms")?,
            producer_id_expiration_check_interval: values
                .millis("producer.id.expiration.check.interval.ms")?,
        })
    }
}

fn dirs(values: &Values) -> Result<Vec<PathBuf>, ConfigError> {
    let key = if values.is_set("log.dirs") { "log.dirs" } else { "log.dir" };
    let named = values.list(key)?;
    let dirs: Vec<PathBuf> = named.iter().map(PathBuf::from).collect();
    let twice = dirs.iter().enumerate().any(|(at, dir)| dirs[..at].contains(dir));
    if dirs.is_empty() || twice {
        return Err(values.refuse(key, "a comma-separated list of directories, each named once"));
    }
    Ok(dirs)
}
