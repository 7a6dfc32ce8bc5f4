//! `/brokers/ids/{id}`: a broker that lives, under its lease; the ephemeral node of classic Kafka, with its fields.
//!
//! The key's create revision is the broker epoch. `incarnation` names the process; the rest below it is what safety rule 7
//! decides by when the broker comes back.

use std::collections::BTreeMap;

use protocol::types::{BrokerId, Uuid};
use serde::{Deserialize, Serialize};

use super::json;
use super::{Key, KeyError};
use crate::image::Endpoint;

/// The version of ZooKeeper's node whose fields these are.
const NODE_VERSION: i32 = 5;
/// What `clean_shutdown_epoch` says of a broker that was not shut down cleanly.
pub const NO_CLEAN_SHUTDOWN: i64 = -1;

/// What a broker says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrokerRegistration {
    /// Host and port of the PLAINTEXT listener, if there is one; null and −1 otherwise.
    pub host: Option<String>,
    pub port: i32,
    /// `LISTENER://host:port`, as advertised.
    pub endpoints: Vec<String>,
    pub listener_security_protocol_map: BTreeMap<String, String>,
    /// The listener by which brokers reach each other, and at which the controller looks whether this one lives.
    pub inter_broker_listener: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// Milliseconds since 1970, as a text.
    pub timestamp: String,
    pub version: i32,
    /// 16 random bytes a process.
    #[serde(with = "json::uuid")]
    pub incarnation: Uuid,
    /// The broker epoch that the clean-shutdown markers of **all** its log directories carry, else
    /// [`NO_CLEAN_SHUTDOWN`].
    pub clean_shutdown_epoch: i64,
    /// The kernel's boot id: a process that dies loses no pages while it stays the same.
    pub boot_id: String,
    /// The log directories that are online, by the ids in their `meta.properties`.
    #[serde(with = "json::uuids")]
    pub log_dirs: Vec<Uuid>,
}

/// The whole path of `/brokers/ids/{id}`.
pub fn key(prefix: &str, id: BrokerId) -> Vec<u8> {
    Key::Broker(id).path(prefix)
}

impl BrokerRegistration {
    /// A registration reached at `endpoints`; the fields of ZooKeeper's node follow from them.
    pub fn new(endpoints: &[Endpoint], timestamp_ms: i64) -> BrokerRegistration {
        let plaintext = endpoints.iter().find(|endpoint| endpoint.security_protocol == "PLAINTEXT");
        BrokerRegistration {
            host: plaintext.map(|endpoint| endpoint.host.clone()),
            port: plaintext.map_or(-1, |endpoint| endpoint.port.into()),
            endpoints: endpoints.iter().map(endpoint_text).collect(),
            listener_security_protocol_map: endpoints
                .iter()
                .map(|endpoint| (endpoint.listener.clone(), endpoint.security_protocol.clone()))
                .collect(),
            timestamp: timestamp_ms.to_string(),
            version: NODE_VERSION,
            clean_shutdown_epoch: NO_CLEAN_SHUTDOWN,
            ..BrokerRegistration::default()
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        json::encode(self)
    }

    pub fn decode(id: BrokerId, value: &[u8]) -> Result<BrokerRegistration, KeyError> {
        json::decode(&Key::Broker(id), value)
    }

    /// The endpoints, taken apart; one that cannot be read is left out.
    pub fn parsed_endpoints(&self) -> Vec<Endpoint> {
        self.endpoints.iter().filter_map(|text| self.parse_endpoint(text)).collect()
    }

    /// Where other brokers reach this one; its first endpoint, where an older release did not say which.
    pub fn inter_broker_endpoint(&self) -> Option<Endpoint> {
        let endpoints = self.parsed_endpoints();
        let named = endpoints.iter().find(|endpoint| endpoint.listener == self.inter_broker_listener);
        named.or(endpoints.first()).cloned()
    }

    fn parse_endpoint(&self, text: &str) -> Option<Endpoint> {
        let (listener, address) = text.split_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let security_protocol = self.listener_security_protocol_map.get(listener);
        Some(Endpoint {
            listener: listener.to_owned(),
            host: host.to_owned(),
            port: port.parse().ok()?,
            security_protocol: security_protocol.cloned().unwrap_or_else(|| listener.to_owned()),
        })
    }
}

fn endpoint_text(endpoint: &Endpoint) -> String {
    let Endpoint { listener, host, port, .. } = endpoint;
    match host.contains(':') {
        true => format!("{listener}://[{host}]:{port}"),
        false => format!("{listener}://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(listener: &str, host: &str, security_protocol: &str) -> Endpoint {
        Endpoint {
            listener: listener.into(),
            host: host.into(),
            port: 9092,
            security_protocol: security_protocol.into(),
        }
    }

    #[test]
    fn it_reads_back_with_its_endpoints() {
        let endpoints =
            [endpoint("CLIENTS", "broker.example", "SASL_SSL"), endpoint("INTERNAL", "::1", "PLAINTEXT")];
        let mut registration = BrokerRegistration::new(&endpoints, 1_700_000_000_000);
        registration.incarnation = Uuid([1; 16]);
        registration.log_dirs = vec![Uuid([2; 16])];
        let read = BrokerRegistration::decode(BrokerId(1), &registration.encode()).unwrap();
        assert_eq!(read, registration);
        assert_eq!(read.parsed_endpoints(), endpoints);
        assert_eq!(read.inter_broker_endpoint().as_ref(), Some(&endpoints[0]), "none is named");
        let named = BrokerRegistration { inter_broker_listener: "INTERNAL".into(), ..read.clone() };
        assert_eq!(named.inter_broker_endpoint().as_ref(), Some(&endpoints[1]));
        assert_eq!((read.host.as_deref(), read.port), (Some("::1"), 9092));
    }

    #[test]
    fn a_node_with_other_fields_is_read_as_far_as_it_goes() {
        let node = br#"{"jmx_port":-1,"features":{},"endpoints":["PLAINTEXT://h:1","nonsense"],"version":6,
                        "incarnation":"AQEBAQEBAQEBAQEBAQEBAQ"}"#;
        let read = BrokerRegistration::decode(BrokerId(1), node).unwrap();
        assert_eq!(read.parsed_endpoints().len(), 1);
        assert_eq!(read.incarnation, Uuid([1; 16]));
    }
}
