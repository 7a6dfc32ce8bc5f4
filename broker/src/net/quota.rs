//! How many connections there may be and how fast they may come: in all, at one listener (`max.connections`,
//! `max.connection.creation.rate`), from one address (`max.connections.per.ip`). The limits may change at any time; what is
//! open by then stays open.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metadata::configs::Layers;
use node::shutdown::Shutdown;
use parking_lot::Mutex;

use super::rate::Rate;
use crate::Broker;
use crate::config::{ConnectionLimits, DynamicConfig};

/// Counts the connections of all listeners.
#[derive(Debug)]
pub struct ConnectionQuota {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limits: ConnectionLimits,
    total: usize,
    by_ip: HashMap<IpAddr, usize>,
    by_listener: HashMap<String, usize>,
    rate: Rate,
    rates: HashMap<String, Rate>,
}

/// One connection's place; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Place {
    quota: Arc<ConnectionQuota>,
    listener: String,
    ip: IpAddr,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPlace {
    #[error("max.connections={0} are open")]
    Total(usize),
    #[error("max.connections={0} of this listener are open")]
    Listener(usize),
    #[error("max.connections.per.ip={0} are open from this address")]
    PerIp(usize),
}

impl ConnectionQuota {
    /// A quota with nothing taken.
    pub fn new(limits: ConnectionLimits, now: Instant) -> Arc<ConnectionQuota> {
        let state = State {
            limits,
            total: 0,
            by_ip: HashMap::new(),
            by_listener: HashMap::new(),
            rate: Rate::starting_at(now),
            rates: HashMap::new(),
        };
        Arc::new(ConnectionQuota { state: Mutex::new(state) })
    }

    /// How long a listener waits before it takes in the connection that it has accepted.
    pub(super) fn delay(&self, listener: &str, now: Instant) -> Duration {
        let state = &mut *self.state.lock();
        let of_listener = state.limits.of_listener(listener).per_second;
        let rate = state.rates.entry(listener.to_owned()).or_insert_with(|| Rate::starting_at(now));
        let own = rate.delay(of_listener, now);
        own.max(state.rate.delay(state.limits.of_broker.per_second, now))
    }

    pub(super) fn take(self: &Arc<Self>, listener: &str, ip: IpAddr) -> Result<Place, NoPlace> {
        let mut state = self.state.lock();
        state.check(listener, ip)?;
        state.total += 1;
        *state.by_ip.entry(ip).or_default() += 1;
        *state.by_listener.entry(listener.to_owned()).or_default() += 1;
        Ok(Place { quota: self.clone(), listener: listener.to_owned(), ip })
    }
}

impl State {
    fn check(&self, listener: &str, ip: IpAddr) -> Result<(), NoPlace> {
        let (total_max, listener_max) = (self.limits.of_broker.open, self.limits.of_listener(listener).open);
        if self.total >= total_max {
            return Err(NoPlace::Total(total_max));
        }
        if self.by_listener.get(listener).copied().unwrap_or(0) >= listener_max {
            return Err(NoPlace::Listener(listener_max));
        }
        let per_ip_max = self.limits.from_address(ip);
        match self.by_ip.get(&ip).copied().unwrap_or(0) >= per_ip_max {
            true => Err(NoPlace::PerIp(per_ip_max)),
            false => Ok(()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.quota.state.lock();
        state.total -= 1;
        if let Some(count) = state.by_listener.get_mut(&self.listener) {
            *count -= 1;
        }
        if let Some(count) = state.by_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                state.by_ip.remove(&self.ip);
            }
        }
    }
}

/// Keeps to the limits of the newest image, until shutdown.
pub async fn follow(broker: Arc<Broker>, quota: Arc<ConnectionQuota>, shutdown: Shutdown) {
    let mut images = broker.image.subscribe();
    loop {
        let image = images.borrow_and_update().clone();
        let layers = Layers::of(&image, Some(broker.config.broker_id), &broker.config.statics);
        match DynamicConfig::resolve(&broker.config, layers) {
            Ok(config) => quota.state.lock().limits = config.connections,
            Err(error) => tracing::warn!("the limits on connections stay as they are: {error}"),
        }
        tokio::select! {
            changed = images.changed() => if changed.is_err() { return },
            () = shutdown.requested() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::connections::limits;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn a_place_is_given_back_when_its_connection_ends() {
        let pairs = [("max.connections", "2"), ("max.connections.per.ip", "1")];
        let quota = ConnectionQuota::new(limits(&pairs, &[]).expect("are allowed"), Instant::now());
        let place = quota.take("A", HERE).expect("the first has a place");
        assert_eq!(quota.take("A", HERE).err(), Some(NoPlace::PerIp(1)));
        let _other = quota.take("A", THERE).expect("another address has its own");
        assert_eq!(quota.take("A", HERE).err(), Some(NoPlace::Total(2)));
        drop(place);
        assert!(quota.take("A", HERE).is_ok());
    }

    #[test]
    fn a_listener_has_its_own_limits() {
        let pairs =
            [("listener.name.a.max.connections", "1"), ("listener.name.b.max.connection.creation.rate", "1")];
        let now = Instant::now();
        let quota = ConnectionQuota::new(limits(&pairs, &["A", "B"]).expect("are allowed"), now);
        let _place = quota.take("A", HERE).expect("the first has a place");
        assert_eq!(quota.take("A", HERE).err(), Some(NoPlace::Listener(1)));
        assert!(quota.take("B", HERE).is_ok());
        let waits: Vec<Duration> = (0..3).map(|_| quota.delay("B", now)).collect();
        assert!(waits[0].is_zero() && waits[2] > waits[1], "{waits:?}");
        assert!((0..100).all(|_| quota.delay("A", now).is_zero()));
    }
}
