//! How long a broker is believed alive without a word from it.

use std::time::Duration;

use super::ConfigError;
use super::values::Values;

/// What the registration needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionConfig {
    /// `broker.session.timeout.ms`: the lease of the registration; 6 s unless set (Kafka's own default is 9 s).
    pub timeout: Duration,
    /// `broker.heartbeat.interval.ms`: between two keepalives of the lease; 2 s unless set, half the timeout at most.
    pub heartbeat_interval: Duration,
}

impl SessionConfig {
    pub(super) fn resolve(values: &Values) -> Result<SessionConfig, ConfigError> {
        let timeout = values.millis("broker.session.timeout.ms")?;
        let heartbeat_interval = values.millis("broker.heartbeat.interval.ms")?;
        if heartbeat_interval * 2 > timeout {
            return Err(
                values.refuse("broker.heartbeat.interval.ms", "at most half of broker.session.timeout.ms")
            );
        }
        Ok(SessionConfig { timeout, heartbeat_interval })
    }
}
