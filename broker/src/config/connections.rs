//! How many connections there may be, and how fast they may come: of the broker, of one listener, of one address.

use std::collections::HashMap;
use std::net::IpAddr;

use metadata::configs::for_listener;

use super::ConfigError;
use super::values::Values;

const TOTAL: &str = "max.connections";
const PER_IP: &str = "max.connections.per.ip";
const OVERRIDES: &str = "max.connections.per.ip.overrides";
const RATE: &str = "max.connection.creation.rate";

/// What `net` counts connections against. All of it may change while the broker runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// `max.connections` and `max.connection.creation.rate`: of the whole broker; unlimited unless set.
    pub of_broker: Limits,
    /// The same keys behind `listener.name.{name}.`, by the listener's name; unlimited unless set.
    by_listener: HashMap<String, Limits>,
    /// `max.connections.per.ip`: open connections from one address; unlimited unless set.
    per_ip: usize,
    /// `max.connections.per.ip.overrides`: the same for addresses of their own.
    per_ip_overrides: HashMap<IpAddr, usize>,
}

/// Bounds on connections, whoever opens them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open ones.
    pub open: usize,
    /// New ones in a second.
    pub per_second: usize,
}

/// What holds where nothing is set: Kafka's largest number.
const UNLIMITED: Limits = Limits { open: i32::MAX as usize, per_second: i32::MAX as usize };

impl ConnectionLimits {
    /// `listeners`: the names that may have limits of their own.
    pub(super) fn resolve<'a>(
        values: &Values,
        listeners: impl Iterator<Item = &'a str>,
    ) -> Result<ConnectionLimits, ConfigError> {
        let by_listener = listeners.map(|name| Ok((name.to_owned(), of_listener(values, name)?)));
        let limits = ConnectionLimits {
            of_broker: Limits { open: values.number(TOTAL)?, per_second: values.number(RATE)? },
            by_listener: by_listener.collect::<Result<_, ConfigError>>()?,
            per_ip: values.number(PER_IP)?,
            per_ip_overrides: overrides(values)?,
        };
        match limits.per_ip == 0 && limits.per_ip_overrides.is_empty() {
            true => Err(values.refuse(PER_IP, "more than 0, or 0 beside max.connections.per.ip.overrides,")),
            false => Ok(limits),
        }
    }

    /// How many connections may be open from this address.
    pub fn from_address(&self, address: IpAddr) -> usize {
        self.per_ip_overrides.get(&address.to_canonical()).copied().unwrap_or(self.per_ip)
    }

    pub fn of_listener(&self, name: &str) -> Limits {
        self.by_listener.get(name).copied().unwrap_or(UNLIMITED)
    }
}

fn of_listener(values: &Values, name: &str) -> Result<Limits, ConfigError> {
    let number =
        |key, otherwise| values.number_if_set(&for_listener(name, key)).map(|n| n.unwrap_or(otherwise));
    Ok(Limits { open: number(TOTAL, UNLIMITED.open)?, per_second: number(RATE, UNLIMITED.per_second)? })
}

fn overrides(values: &Values) -> Result<HashMap<IpAddr, usize>, ConfigError> {
    let parse = |entry: &String| {
        let (address, limit) = entry.rsplit_once(':')?;
        let address = address.trim_matches(['[', ']']).parse::<IpAddr>().ok()?;
        Some((address.to_canonical(), limit.parse().ok()?))
    };
    let entries = values.list(OVERRIDES)?;
    let parsed: Option<_> = entries.iter().map(parse).collect();
    parsed.ok_or_else(|| values.refuse(OVERRIDES, "a list of address:count"))
}

#[cfg(test)]
pub(crate) fn limits(pairs: &[(&str, &str)], listeners: &[&str]) -> Result<ConnectionLimits, ConfigError> {
    super::values::with(pairs, |values| ConnectionLimits::resolve(values, listeners.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_a_listener_may_have_limits_of_their_own() {
        let pairs = [
            ("max.connections.per.ip", "5"),
            ("max.connections.per.ip.overrides", "127.0.0.1:7,[::1]:8"),
            ("listener.name.inside.max.connections", "3"),
            ("max.connection.creation.rate", "9"),
        ];
        let limits = limits(&pairs, &["INSIDE", "OUTSIDE"]).expect("all are allowed");
        let from = |address: &str| limits.from_address(address.parse().expect("an address"));
        assert_eq!((from("127.0.0.1"), from("::1"), from("10.0.0.1")), (7, 8, 5));
        assert_eq!((limits.of_listener("INSIDE").open, limits.of_listener("OUTSIDE")), (3, UNLIMITED));
        assert_eq!((limits.of_broker.open, limits.of_broker.per_second), (UNLIMITED.open, 9));
    }

    #[test]
    fn limits_that_would_let_nobody_in_or_cannot_be_read_are_refused() {
        for (key, value) in [(PER_IP, "0"), (OVERRIDES, "somewhere:5"), (OVERRIDES, "127.0.0.1")] {
            assert!(limits(&[(key, value)], &[]).is_err(), "{key}={value}");
        }
    }
}
