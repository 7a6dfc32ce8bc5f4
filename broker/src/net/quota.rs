//! How many connections there may be: in all (`max.connections`) and from one address (`max.connections.per.ip`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::config::SocketConfig;

/// Counts the connections of all listeners.
#[derive(Debug)]
pub struct ConnectionQuota {
    limits: SocketConfig,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_ip: HashMap<IpAddr, usize>,
}

/// One connection's place; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Place {
    quota: Arc<ConnectionQuota>,
    ip: IpAddr,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPlace {
    #[error("max.connections={0} are open")]
    Total(usize),
    #[error("max.connections.per.ip={0} are open from this address")]
    PerIp(usize),
}

impl ConnectionQuota {
    /// A quota with nothing taken.
    pub fn new(limits: SocketConfig) -> Arc<ConnectionQuota> {
        Arc::new(ConnectionQuota { limits, open: Mutex::default() })
    }

    pub(super) fn take(self: &Arc<Self>, ip: IpAddr) -> Result<Place, NoPlace> {
        let (total_max, per_ip_max) = (self.limits.max_connections, self.limits.max_connections_from(ip));
        let mut open = self.open.lock();
        if open.total >= total_max {
            return Err(NoPlace::Total(total_max));
        }
        if open.by_ip.get(&ip).copied().unwrap_or(0) >= per_ip_max {
            return Err(NoPlace::PerIp(per_ip_max));
        }
        open.total += 1;
        *open.by_ip.entry(ip).or_default() += 1;
        Ok(Place { quota: self.clone(), ip })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.quota.open.lock();
        open.total -= 1;
        if let Some(count) = open.by_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                open.by_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn a_place_is_given_back_when_its_connection_ends() {
        let quota = ConnectionQuota::new(SocketConfig {
            max_connections: 2,
            max_connections_per_ip: 1,
            ..SocketConfig::default()
        });
        let place = quota.take(HERE).expect("the first has a place");
        assert_eq!(quota.take(HERE).err(), Some(NoPlace::PerIp(1)));
        let _other = quota.take(THERE).expect("another address has its own");
        assert_eq!(quota.take(HERE).err(), Some(NoPlace::Total(2)));
        drop(place);
        assert!(quota.take(HERE).is_ok());
    }
}
