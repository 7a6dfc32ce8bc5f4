//! Bounds on requests and on what the sockets take.

use std::time::Duration;

use super::ConfigError;
use super::values::Values;

/// As good as never, and safely added to any instant.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// What `net` needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketConfig {
    /// `socket.request.max.bytes`: the longest request frame taken; bytes, 100 MiB unless set, at least 1.
    pub request_bytes_max: usize,
    /// `connections.max.idle.ms`: a connection silent for this long is closed; 10 minutes unless set, never if negative.
    pub connections_max_idle: Duration,
    /// `queued.max.requests`: requests of one connection that are read and not yet answered; 500 unless set.
    pub queued_max_requests: usize,
    /// `queued.max.request.bytes`: bytes of requests read and not yet answered, of all connections; unlimited unless set.
    pub queued_max_request_bytes: Option<u64>,
    /// `fetch.max.bytes`: bytes of one fetch response, whatever the client asks; 55 MiB unless set, at least 1024.
    pub fetch_bytes_max: usize,
    /// `socket.listen.backlog.size`: connections that the kernel keeps waiting; 4,096 unless set, at
    /// least 1. Kafka's own default is 50: of a crowd that comes at once, the others then wait a second for their next try.
    pub listen_backlog: u32,
}

impl SocketConfig {
    pub(super) fn resolve(values: &Values) -> Result<SocketConfig, ConfigError> {
        let config = SocketConfig {
            request_bytes_max: values.number("socket.request.max.bytes")?,
            connections_max_idle: values.time_limit("connections.max.idle.ms")?.unwrap_or(NEVER),
            queued_max_requests: values.number("queued.max.requests")?,
            queued_max_request_bytes: values.size_limit("queued.max.request.bytes")?,
            fetch_bytes_max: values.number("fetch.max.bytes")?,
            listen_backlog: values.number("socket.listen.backlog.size")?,
        };
        config.check(values)?;
        Ok(config)
    }

    fn check(&self, values: &Values) -> Result<(), ConfigError> {
        if self.queued_max_request_bytes.is_some_and(|bytes| bytes < self.request_bytes_max as u64) {
            return Err(values.refuse("queued.max.request.bytes", "at least socket.request.max.bytes, or -1"));
        }
        Ok(())
    }
}
