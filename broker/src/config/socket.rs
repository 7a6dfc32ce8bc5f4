//! Bounds on connections and requests; all of them may be given to any listener alike.

use std::collections::HashMap;
use std::net::IpAddr;
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
    /// `max.connections`: open connections of the whole broker; unlimited unless set.
    pub max_connections: usize,
    /// `max.connections.per.ip`: open connections from one address; unlimited unless set.
    pub max_connections_per_ip: usize,
    /// `max.connections.per.ip.overrides`: the same for addresses of their own.
    pub max_connections_per_ip_overrides: HashMap<IpAddr, usize>,
    /// `connections.max.idle.ms`: a connection silent for this long is closed; 10 minutes unless set, never if negative.
    pub connections_max_idle: Duration,
    /// `queued.max.requests`: requests of one connection that are read and not yet answered; 500 unless set.
    pub queued_max_requests: usize,
    /// `queued.max.request.bytes`: bytes of requests read and not yet answered, of all connections; unlimited unless set.
    pub queued_max_request_bytes: Option<u64>,
    /// `fetch.max.bytes`: bytes of one fetch response, whatever the client asks; 55 MiB unless set, at least 1024.
    pub fetch_bytes_max: usize,
    /// `socket.listen.backlog.size`: connections that the kernel keeps waiting; 50 unless set, at least 1.
    pub listen_backlog: u32,
}

impl SocketConfig {
    pub(super) fn resolve(values: &Values) -> Result<SocketConfig, ConfigError> {
        let config = SocketConfig {
            request_bytes_max: values.number("socket.request.max.bytes")?,
            max_connections: values.number("max.connections")?,
            max_connections_per_ip: values.number("max.connections.per.ip")?,
            max_connections_per_ip_overrides: overrides(values)?,
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
        if self.max_connections_per_ip == 0 && self.max_connections_per_ip_overrides.is_empty() {
            let allowed = "more than 0, or 0 beside max.connections.per.ip.overrides,";
            return Err(values.refuse("max.connections.per.ip", allowed));
        }
        Ok(())
    }

    /// How many connections may be open from this address.
    pub fn max_connections_from(&self, address: IpAddr) -> usize {
        let known = self.max_connections_per_ip_overrides.get(&address.to_canonical());
        known.copied().unwrap_or(self.max_connections_per_ip)
    }
}

fn overrides(values: &Values) -> Result<HashMap<IpAddr, usize>, ConfigError> {
    const KEY: &str = "max.connections.per.ip.overrides";
    let parse = |entry: &String| {
        let (address, limit) = entry.rsplit_once(':')?;
        let address = address.trim_matches(['[', ']']).parse::<IpAddr>().ok()?;
        Some((address.to_canonical(), limit.parse().ok()?))
    };
    let entries = values.list(KEY)?;
    let parsed: Option<_> = entries.iter().map(parse).collect();
    parsed.ok_or_else(|| values.refuse(KEY, "a list of address:count"))
}

/// What holds where nothing is set.
#[cfg(test)]
impl Default for SocketConfig {
    fn default() -> SocketConfig {
        super::values::with(&[], SocketConfig::resolve).expect("the defaults are allowed")
    }
}
