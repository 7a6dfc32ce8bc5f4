//! From the wire to images and changes. Everything is checked: it comes from the network.

use std::sync::Arc;

use proto::controller as wire;
use protocol::types::{BrokerId, LeaderEpoch, Uuid};

use super::ConvertError;
use super::to_proto::{BROKER, CLIENT_METRICS, GROUP, TOPIC};
use crate::change::Change;
use crate::image::{BrokerImage, ConfigResource, Endpoint, PartitionImage};

/// A uuid of 16 bytes; `field` names it in the error.
pub fn uuid_from_proto(bytes: &[u8], field: &'static str) -> Result<Uuid, ConvertError> {
    let length = bytes.len();
    bytes.try_into().map(Uuid).map_err(|_| ConvertError::UuidLength { field, length })
}

/// One partition's state.
pub fn partition_from_proto(state: &wire::Partition) -> Result<PartitionImage, ConvertError> {
    Ok(PartitionImage {
        replicas: ids(&state.replicas),
        adding: ids(&state.adding),
        removing: ids(&state.removing),
        leader: BrokerId(state.leader),
        leader_epoch: LeaderEpoch(state.leader_epoch),
        isr: ids(&state.isr),
        elr: ids(&state.elr),
        last_known_elr: ids(&state.last_known_elr),
        partition_epoch: state.partition_epoch,
        directories: uuids(&state.directories, "a partition's directory")?,
        min_isr: state.min_isr,
    })
}

/// `None`: a kind of change that this release does not know.
pub(super) fn change_from_proto(change: wire::Change) -> Result<Option<Change>, ConvertError> {
    use wire::change::Change as Wire;
    Ok(match change.change {
        None => None,
        Some(Wire::Broker(change)) => Some(broker_change(change)?),
        Some(Wire::Topic(change)) => Some(topic_change(change)?),
        Some(Wire::Partition(change)) => Some(partition_change(change)?),
        Some(Wire::Config(change)) => config_change(change),
    })
}

fn broker_change(change: wire::BrokerChange) -> Result<Change, ConvertError> {
    let id = BrokerId(change.id);
    let Some(broker) = change.broker else { return Ok(Change::BrokerGone(id)) };
    Ok(Change::BrokerChanged(Arc::new(BrokerImage {
        id,
        epoch: broker.epoch,
        incarnation: uuid_from_proto(&broker.incarnation, "a broker's incarnation")?,
        endpoints: broker.endpoints.into_iter().map(endpoint).collect::<Result<_, _>>()?,
        rack: Some(broker.rack).filter(|rack| !rack.is_empty()),
        fenced: broker.fenced,
        log_dirs: uuids(&broker.log_dirs, "a broker's log directory")?,
    })))
}

fn endpoint(endpoint: wire::Endpoint) -> Result<Endpoint, ConvertError> {
    Ok(Endpoint {
        listener: endpoint.listener,
        host: endpoint.host,
        port: endpoint.port.try_into().map_err(|_| ConvertError::Port { port: endpoint.port })?,
        security_protocol: endpoint.security_protocol,
    })
}

fn topic_change(change: wire::TopicChange) -> Result<Change, ConvertError> {
    let id = uuid_from_proto(&change.id, "a topic id")?;
    Ok(match change.deleted {
        true => Change::TopicDeleted { name: change.name, id },
        false => Change::TopicCreated { name: change.name, id },
    })
}

fn partition_change(change: wire::PartitionChange) -> Result<Change, ConvertError> {
    let state = change.state.as_ref().ok_or(ConvertError::Missing { field: "a partition's state" })?;
    Ok(Change::PartitionChanged {
        topic_id: uuid_from_proto(&change.topic_id, "a topic id")?,
        partition: change.partition,
        state: Arc::new(partition_from_proto(state)?),
    })
}

fn config_change(change: wire::ConfigChange) -> Option<Change> {
    let resource = match change.resource_type {
        TOPIC => ConfigResource::Topic(change.name),
        BROKER => ConfigResource::Broker(change.name),
        CLIENT_METRICS => ConfigResource::ClientMetrics(change.name),
        GROUP => ConfigResource::Group(change.name),
        _ => return None,
    };
    Some(Change::ConfigChanged { resource, values: Arc::new(change.values) })
}

fn uuids(list: &[bytes::Bytes], field: &'static str) -> Result<Vec<Uuid>, ConvertError> {
    list.iter().map(|bytes| uuid_from_proto(bytes, field)).collect()
}

fn ids(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}
