//! From images and changes to the wire.

use std::collections::BTreeMap;

use bytes::Bytes;
use proto::controller as wire;
use protocol::types::{BrokerId, Uuid};

use crate::change::Change;
use crate::image::{BrokerImage, ConfigResource, Endpoint, PartitionImage};

/// Kafka's `ConfigResource.Type`.
pub(super) const TOPIC: u32 = 2;
pub(super) const BROKER: u32 = 4;
pub(super) const CLIENT_METRICS: u32 = 16;
pub(super) const GROUP: u32 = 32;

/// The 16 bytes of a uuid.
pub fn uuid_to_proto(uuid: Uuid) -> Bytes {
    Bytes::copy_from_slice(&uuid.0)
}

/// One partition's state.
pub fn partition_to_proto(state: &PartitionImage) -> wire::Partition {
    wire::Partition {
        replicas: ids(&state.replicas),
        adding: ids(&state.adding),
        removing: ids(&state.removing),
        leader: state.leader.0,
        leader_epoch: state.leader_epoch.0,
        isr: ids(&state.isr),
        elr: ids(&state.elr),
        partition_epoch: state.partition_epoch,
        directories: state.directories.iter().copied().map(uuid_to_proto).collect(),
        min_isr: state.min_isr,
        last_known_elr: ids(&state.last_known_elr),
    }
}

pub(super) fn change_to_proto(change: &Change) -> wire::Change {
    use wire::change::Change as Wire;
    let change = match change {
        Change::BrokerChanged(broker) => Wire::Broker(broker_change(broker.id, Some(broker))),
        Change::BrokerGone(id) => Wire::Broker(broker_change(*id, None)),
        Change::TopicCreated { name, id } => Wire::Topic(topic_change(name, *id, false)),
        Change::TopicDeleted { name, id } => Wire::Topic(topic_change(name, *id, true)),
        Change::PartitionChanged { topic_id, partition, state } => Wire::Partition(wire::PartitionChange {
            topic_id: uuid_to_proto(*topic_id),
            partition: *partition,
            state: Some(partition_to_proto(state)),
        }),
        Change::ConfigChanged { resource, values } => Wire::Config(config_change(resource, values)),
    };
    wire::Change { change: Some(change) }
}

fn broker_change(id: BrokerId, broker: Option<&std::sync::Arc<BrokerImage>>) -> wire::BrokerChange {
    wire::BrokerChange { id: id.0, broker: broker.map(|broker| broker_to_proto(broker)) }
}

fn broker_to_proto(broker: &BrokerImage) -> wire::Broker {
    wire::Broker {
        epoch: broker.epoch,
        incarnation: uuid_to_proto(broker.incarnation),
        endpoints: broker.endpoints.iter().map(endpoint_to_proto).collect(),
        rack: broker.rack.clone().unwrap_or_default(),
        fenced: broker.fenced,
        log_dirs: broker.log_dirs.iter().copied().map(uuid_to_proto).collect(),
    }
}

fn endpoint_to_proto(endpoint: &Endpoint) -> wire::Endpoint {
    wire::Endpoint {
        listener: endpoint.listener.clone(),
        host: endpoint.host.clone(),
        port: endpoint.port.into(),
        security_protocol: endpoint.security_protocol.clone(),
    }
}

fn topic_change(name: &str, id: Uuid, deleted: bool) -> wire::TopicChange {
    wire::TopicChange { name: name.to_owned(), id: uuid_to_proto(id), deleted }
}

fn config_change(resource: &ConfigResource, values: &BTreeMap<String, String>) -> wire::ConfigChange {
    let (resource_type, name) = match resource {
        ConfigResource::Topic(name) => (TOPIC, name),
        ConfigResource::Broker(name) => (BROKER, name),
        ConfigResource::ClientMetrics(name) => (CLIENT_METRICS, name),
        ConfigResource::Group(name) => (GROUP, name),
    };
    wire::ConfigChange { resource_type, name: name.clone(), values: values.clone() }
}

fn ids(ids: &[BrokerId]) -> Vec<i32> {
    ids.iter().map(|id| id.0).collect()
}
