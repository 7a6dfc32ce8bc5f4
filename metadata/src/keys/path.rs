//! The path of each family below the prefix, both ways.
//!
//! ```text
//! /controller  /controller_epoch  /cluster_id  /producer_ids  /timeline
//! /brokers/ids/{id}  /brokers/admitted/{id}
//! /topics/{name}  /partitions/{topic_id}/{p}
//! /config/{topics|brokers|groups|client-metrics}/{entity}       the default of all brokers: <default>
//! ```

use std::fmt;

use protocol::types::{BrokerId, Uuid};

use crate::image::ConfigResource;

/// The entity of a configuration that holds for all brokers, as in ZooKeeper.
const DEFAULT_ENTITY: &str = "<default>";

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The active controller, under its lease.
    Controller,
    /// How many controllers there were: a decimal number.
    ControllerEpoch,
    /// A text, written once by the first controller.
    ClusterId,
    ProducerIds,
    /// How often the cluster was recovered from an older store.
    Timeline,
    /// A live broker, under its lease.
    Broker(BrokerId),
    /// What the last controller to admit this broker knew of it.
    AdmittedBroker(BrokerId),
    Topic(String),
    Partition(Uuid, i32),
    Config(ConfigResource),
}

impl Key {
    /// The whole key, `prefix` included.
    pub fn path(&self, prefix: &str) -> Vec<u8> {
        format!("{prefix}{self}").into_bytes()
    }

    /// The key of this path; `None` if it lies elsewhere or belongs to a family that this release does not know.
    pub fn parse(prefix: &str, path: &[u8]) -> Option<Key> {
        let path = std::str::from_utf8(path).ok()?.strip_prefix(prefix)?.strip_prefix('/')?;
        let (family, rest) = path.split_once('/').unwrap_or((path, ""));
        match (family, rest) {
            ("controller", "") => Some(Key::Controller),
            ("controller_epoch", "") => Some(Key::ControllerEpoch),
            ("cluster_id", "") => Some(Key::ClusterId),
            ("producer_ids", "") => Some(Key::ProducerIds),
            ("timeline", "") => Some(Key::Timeline),
            ("brokers", rest) => parse_broker(rest),
            ("topics", name) if !name.is_empty() => Some(Key::Topic(name.to_owned())),
            ("partitions", rest) => parse_partition(rest),
            ("config", rest) => parse_config(rest),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Controller => f.write_str("/controller"),
            Key::ControllerEpoch => f.write_str("/controller_epoch"),
            Key::ClusterId => f.write_str("/cluster_id"),
            Key::ProducerIds => f.write_str("/producer_ids"),
            Key::Timeline => f.write_str("/timeline"),
            Key::Broker(id) => write!(f, "/brokers/ids/{id}"),
            Key::AdmittedBroker(id) => write!(f, "/brokers/admitted/{id}"),
            Key::Topic(name) => write!(f, "/topics/{name}"),
            Key::Partition(topic_id, partition) => write!(f, "/partitions/{topic_id}/{partition}"),
            Key::Config(ConfigResource::Topic(name)) => write!(f, "/config/topics/{name}"),
            Key::Config(ConfigResource::Broker(id)) if id.is_empty() => {
                write!(f, "/config/brokers/{DEFAULT_ENTITY}")
            }
            Key::Config(ConfigResource::Broker(id)) => write!(f, "/config/brokers/{id}"),
            Key::Config(ConfigResource::Group(name)) => write!(f, "/config/groups/{name}"),
            Key::Config(ConfigResource::ClientMetrics(name)) => write!(f, "/config/client-metrics/{name}"),
        }
    }
}

/// Where the range of all keys that begin with `prefix` ends: `[prefix, end)`.
pub fn end_of_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

fn parse_broker(rest: &str) -> Option<Key> {
    let (kind, id) = rest.split_once('/')?;
    let id = BrokerId(id.parse().ok()?);
    match kind {
        "ids" => Some(Key::Broker(id)),
        "admitted" => Some(Key::AdmittedBroker(id)),
        _ => None,
    }
}

fn parse_partition(rest: &str) -> Option<Key> {
    let (topic_id, partition) = rest.split_once('/')?;
    Some(Key::Partition(topic_id.parse().ok()?, partition.parse().ok()?))
}

fn parse_config(rest: &str) -> Option<Key> {
    let (kind, entity) = rest.split_once('/')?;
    let entity = entity.to_owned();
    let resource = match kind {
        "topics" => ConfigResource::Topic(entity),
        "brokers" if entity == DEFAULT_ENTITY => ConfigResource::Broker(String::new()),
        "brokers" => ConfigResource::Broker(entity),
        "groups" => ConfigResource::Group(entity),
        "client-metrics" => ConfigResource::ClientMetrics(entity),
        _ => return None,
    };
    Some(Key::Config(resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_reads_back_as_its_key() {
        let id = Uuid([3; 16]);
        let keys = [
            Key::Controller,
            Key::ControllerEpoch,
            Key::ClusterId,
            Key::ProducerIds,
            Key::Timeline,
            Key::Broker(BrokerId(1)),
            Key::AdmittedBroker(BrokerId(12)),
            Key::Topic("a.b_c".into()),
            Key::Partition(id, 11),
            Key::Config(ConfigResource::Topic("orders".into())),
            Key::Config(ConfigResource::Broker(String::new())),
            Key::Config(ConfigResource::Broker("3".into())),
            Key::Config(ConfigResource::Group("a/b".into())),
            Key::Config(ConfigResource::ClientMetrics("m".into())),
        ];
        for key in keys {
            assert_eq!(Key::parse("/milena", &key.path("/milena")), Some(key));
        }
    }

    #[test]
    fn what_belongs_to_nobody_is_passed_over() {
        for path in
            ["/milena/features", "/milena", "/other/controller", "/milena/brokers/ids/x", "/milena/topics/"]
        {
            assert_eq!(Key::parse("/milena", path.as_bytes()), None, "{path}");
        }
        assert_eq!(Key::parse("/milena", b"\xff"), None);
    }

    #[test]
    fn the_end_of_a_prefix_lies_behind_all_its_keys() {
        assert_eq!(end_of_prefix(b"/a/"), b"/a0");
        assert_eq!(end_of_prefix(b"a\xff"), b"b");
    }
}
