//! `listeners` and the keys around it: where the broker listens, under which names, and where it says that it is reached.
//!
//! Names are upper case, as Kafka makes them. Listeners that `controller.listener.names` claims belong to a KRaft
//! controller, which there is none of: they are left out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use metadata::image::Endpoint;

use super::ConfigError;
use super::values::Values;
use crate::api::{Listener, SecurityProtocol};

const LISTENERS: &str = "listeners";
const ADVERTISED: &str = "advertised.listeners";
const PROTOCOL_MAP: &str = "listener.security.protocol.map";
const INTER_BROKER_NAME: &str = "inter.broker.listener.name";
const INTER_BROKER_PROTOCOL: &str = "security.inter.broker.protocol";
const CONTROLLER_NAMES: &str = "controller.listener.names";

/// Where Linux keeps the name of this host.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Kafka's security protocols, which are listener names of their own as well.
const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// Where the broker listens and where it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenersConfig {
    /// `listeners`: at least one.
    pub bindings: Vec<Binding>,
    /// `advertised.listeners`, or the listeners themselves. A port of 0 stands for the one that the kernel will choose.
    pub advertised: Vec<Endpoint>,
    /// `inter.broker.listener.name` (or `security.inter.broker.protocol`): by which other brokers come; is advertised.
    pub inter_broker: String,
}

/// One socket to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub listener: Arc<Listener>,
    /// A name, or an address without brackets; empty: every interface.
    pub host: String,
    /// 0: the kernel chooses.
    pub port: u16,
}

/// `NAME://host:port`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    name: String,
    host: String,
    port: u16,
}

impl ListenersConfig {
    pub(super) fn resolve(values: &Values) -> Result<ListenersConfig, ConfigError> {
        let protocols = Protocols::resolve(values)?;
        let listening = addresses(values, LISTENERS)?;
        if let Some(clash) = clash(&listening) {
            let allowed =
                "names and ports that are unique, save one IPv4 and one IPv6 address of the same port";
            return Err(values.refuse(LISTENERS, &format!("{allowed}; {clash} is not")));
        }
        let bindings =
            listening.iter().map(|address| protocols.binding(values, address)).collect::<Result<_, _>>()?;
        let advertised = advertised(values, &protocols, &listening)?;
        let inter_broker = inter_broker(values, &advertised)?;
        Ok(ListenersConfig { bindings, advertised, inter_broker })
    }

    /// What to advertise once every socket is bound: `port_of` tells the port of a listener that was left to the kernel.
    pub fn advertised_at(&self, port_of: impl Fn(&str) -> Option<u16>) -> Vec<Endpoint> {
        let settle = |endpoint: &Endpoint| match endpoint.port {
            0 => Endpoint { port: port_of(&endpoint.listener).unwrap_or(0), ..endpoint.clone() },
            _ => endpoint.clone(),
        };
        self.advertised.iter().map(settle).collect()
    }
}

/// What `listener.security.protocol.map` says.
struct Protocols(HashMap<String, String>);

impl Protocols {
    fn resolve(values: &Values) -> Result<Protocols, ConfigError> {
        let Some(map) = values.set(PROTOCOL_MAP) else {
            return Ok(Protocols(
                PROTOCOLS.iter().map(|name| (name.to_string(), name.to_string())).collect(),
            ));
        };
        let parse = |entry: &str| {
            let (name, protocol) = entry.trim().split_once(':')?;
            let protocol = protocol.trim().to_uppercase();
            PROTOCOLS.contains(&protocol.as_str()).then(|| (name.trim().to_uppercase(), protocol))
        };
        let entries = map.split(',').filter(|entry| !entry.trim().is_empty());
        let parsed: Option<HashMap<_, _>> = entries.map(parse).collect();
        let allowed = format!("a list of name:protocol, where protocol is one of {}", PROTOCOLS.join(", "));
        parsed.map(Protocols).ok_or_else(|| values.refuse(PROTOCOL_MAP, &allowed))
    }

    fn of(&self, values: &Values, key: &str, name: &str) -> Result<SecurityProtocol, ConfigError> {
        match self.0.get(name).map(String::as_str) {
            Some("PLAINTEXT") => Ok(SecurityProtocol::Plaintext),
            Some(other) => Err(values
                .refuse(key, &format!("a listener of protocol PLAINTEXT alone ({name} asks for {other})"))),
            None => Err(values.refuse(key, &format!("a name that {PROTOCOL_MAP} knows ({name} is none)"))),
        }
    }

    fn binding(&self, values: &Values, address: &Address) -> Result<Binding, ConfigError> {
        let security_protocol = self.of(values, LISTENERS, &address.name)?;
        let listener = Arc::new(Listener { name: address.name.clone(), security_protocol });
        Ok(Binding { listener, host: address.host.clone(), port: address.port })
    }

    fn endpoint(&self, values: &Values, address: &Address) -> Result<Endpoint, ConfigError> {
        self.of(values, ADVERTISED, &address.name)?;
        let host = match address.host.as_str() {
            "" => host_name()?,
            "0.0.0.0" | "::" => {
                let allowed = "an address that clients can reach (0.0.0.0 and :: are none)";
                return Err(values.refuse(ADVERTISED, allowed));
            }
            host => host.to_owned(),
        };
        let security_protocol = self.0.get(&address.name).cloned().unwrap_or_default();
        Ok(Endpoint { listener: address.name.clone(), host, port: address.port, security_protocol })
    }
}

fn addresses(values: &Values, key: &str) -> Result<Vec<Address>, ConfigError> {
    let of_controllers: Vec<String> = values
        .set(CONTROLLER_NAMES)
        .unwrap_or("")
        .split(',')
        .map(|name| name.trim().to_uppercase())
        .collect();
    let entries = values.list(key)?;
    let parsed: Option<Vec<Address>> = entries.iter().map(|entry| parse(entry)).collect();
    let mut addresses = parsed.ok_or_else(|| values.refuse(key, "a list of NAME://host:port"))?;
    addresses.retain(|address| !of_controllers.contains(&address.name));
    if addresses.is_empty() {
        return Err(values.refuse(key, "a list with a listener that is not a controller's"));
    }
    Ok(addresses)
}

fn parse(entry: &str) -> Option<Address> {
    let (name, rest) = entry.trim().split_once("://")?;
    let (host, port) = rest.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_host = host.chars().all(|c| c.is_ascii_alphanumeric() || "-%._:".contains(c));
    let address = Address { name: name.to_uppercase(), host: host.to_owned(), port: port.parse().ok()? };
    (is_host && !name.is_empty()).then_some(address)
}

/// The first address whose name or port another has already, in a way that two sockets cannot share.
fn clash(addresses: &[Address]) -> Option<&str> {
    let clashes = |at: usize, later: &Address| {
        addresses[..at].iter().any(|earlier| {
            let same_port = earlier.port == later.port && later.port != 0;
            (earlier.name == later.name || same_port) && !(same_port && are_of_both_families(earlier, later))
        })
    };
    addresses.iter().enumerate().find(|(at, later)| clashes(*at, later)).map(|(_, later)| later.name.as_str())
}

fn are_of_both_families(one: &Address, other: &Address) -> bool {
    match (one.host.parse::<IpAddr>(), other.host.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one.is_ipv4() != other.is_ipv4(),
        _ => false,
    }
}

fn advertised(
    values: &Values,
    known: &Protocols,
    listening: &[Address],
) -> Result<Vec<Endpoint>, ConfigError> {
    let chosen = match values.is_set(ADVERTISED) {
        true => addresses(values, ADVERTISED)?,
        false => listening.to_vec(),
    };
    if let Some(stray) = chosen.iter().find(|one| !listening.iter().any(|address| address.name == one.name)) {
        let allowed = format!("a list of names of {LISTENERS} alone ({} is none)", stray.name);
        return Err(values.refuse(ADVERTISED, &allowed));
    }
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for address in &chosen {
        if !endpoints.iter().any(|endpoint| endpoint.listener == address.name) {
            endpoints.push(known.endpoint(values, address)?);
        }
    }
    Ok(endpoints)
}

fn inter_broker(values: &Values, advertised: &[Endpoint]) -> Result<String, ConfigError> {
    let (key, name) = match (values.set(INTER_BROKER_NAME), values.set(INTER_BROKER_PROTOCOL)) {
        (Some(_), Some(_)) => {
            return Err(values.refuse(INTER_BROKER_NAME, &format!("either this or {INTER_BROKER_PROTOCOL}")));
        }
        (Some(name), None) => (INTER_BROKER_NAME, name),
        (None, protocol) => (INTER_BROKER_PROTOCOL, protocol.unwrap_or(PROTOCOLS[0])),
    };
    let name = name.to_uppercase();
    match advertised.iter().any(|endpoint| endpoint.listener == name) {
        true => Ok(name),
        false => {
            let names: Vec<_> = advertised.iter().map(|endpoint| endpoint.listener.as_str()).collect();
            Err(values.refuse(key, &format!("a listener that is advertised ({})", names.join(", "))))
        }
    }
}

fn host_name() -> Result<String, ConfigError> {
    let path = Path::new(HOST_NAME);
    let name = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::HostName { path: path.to_owned(), source })?;
    Ok(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(properties: &[(&str, &str)]) -> Result<ListenersConfig, ConfigError> {
        crate::config::values::with(properties, ListenersConfig::resolve)
    }

    fn refusal(properties: &[(&str, &str)]) -> String {
        resolve(properties).expect_err("is refused").to_string()
    }

    #[test]
    fn what_listens_is_advertised_unless_something_else_is() {
        let config = resolve(&[("listeners", "plaintext://127.0.0.1:9092")]).expect("is fine");
        assert_eq!(config.bindings[0].listener.name, "PLAINTEXT");
        assert_eq!((config.advertised[0].host.as_str(), config.advertised[0].port), ("127.0.0.1", 9092));
        assert_eq!(config.inter_broker, "PLAINTEXT");
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets_and_may_share_the_port_of_an_ipv4_one() {
        let both = "PLAINTEXT://127.0.0.1:9092,SIX://[::1]:9092";
        let map = "PLAINTEXT:PLAINTEXT,SIX:PLAINTEXT";
        let config =
            resolve(&[("listeners", both), ("listener.security.protocol.map", map)]).expect("is fine");
        assert_eq!(config.bindings[1].host, "::1");
    }

    #[test]
    fn two_listeners_of_one_port_are_refused() {
        let both = "PLAINTEXT://a:9092,OTHER://b:9092";
        let map = "PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT";
        let text = refusal(&[("listeners", both), ("listener.security.protocol.map", map)]);
        assert!(text.contains("OTHER is not"), "{text}");
    }

    #[test]
    fn listeners_of_a_kraft_controller_are_left_out() {
        let config = resolve(&[
            ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
            ("advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
            ("controller.listener.names", "CONTROLLER"),
        ]);
        let config = config.expect("is fine");
        assert_eq!((config.bindings.len(), config.advertised.len()), (1, 1));
    }

    #[test]
    fn an_address_that_nobody_can_reach_is_not_advertised() {
        let text = refusal(&[("listeners", "PLAINTEXT://0.0.0.0:9092")]);
        assert!(text.contains("0.0.0.0"), "{text}");
    }

    #[test]
    fn the_inter_broker_listener_is_an_advertised_one() {
        let text = refusal(&[("listeners", "PLAINTEXT://h:1"), ("inter.broker.listener.name", "INTERNAL")]);
        assert!(text.contains("inter.broker.listener.name") && text.contains("INTERNAL"), "{text}");
        assert!(text.contains("PLAINTEXT"), "{text}");
    }

    #[test]
    fn a_port_left_to_the_kernel_is_advertised_once_it_is_known() {
        let config = resolve(&[("listeners", "PLAINTEXT://127.0.0.1:0")]).expect("is fine");
        assert_eq!(config.advertised_at(|_| Some(4711))[0].port, 4711);
    }
}
