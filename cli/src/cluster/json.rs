//! The page for programs.

use protocol::types::BrokerId;
use serde_json::{Value, json};

use super::census::{BrokerSeen, Census, PartitionSeen};
use super::store::StoreSeen;
use super::tally::{Tally, tallies};
use super::trouble::{Trouble, partitions_in_trouble};

pub fn of(census: &Census, store: Option<&StoreSeen>) -> Value {
    let troubled = partitions_in_trouble(&census.partitions);
    let broker = |(id, tally)| {
        let seen = census.brokers.iter().find(|broker| broker.id == id);
        broker(id, &tally, seen)
    };
    json!({
        "cluster_id": census.cluster_id,
        "brokers": tallies(census).into_iter().map(broker).collect::<Vec<_>>(),
        "topics": census.topics,
        "partitions": census.partitions.len(),
        "in_trouble": troubled.into_iter().map(|(trouble, of)| partition(trouble, of)).collect::<Vec<_>>(),
        "store": store.map(members),
    })
}

fn broker(id: BrokerId, tally: &Tally, seen: Option<&BrokerSeen>) -> Value {
    json!({
        "id": id.0,
        "rack": seen.and_then(|broker| broker.rack.clone()),
        "address": seen.map(|broker| broker.address.clone()),
        "registered": seen.is_some(),
        "fenced": seen.map(|broker| broker.fenced),
        "answers": seen.is_some_and(|broker| broker.dirs.is_some()),
        "leads": tally.leads,
        "preferred": tally.preferred,
        "replicas": tally.replicas,
        "in_sync": tally.in_sync,
        "lag_max": tally.lag_max,
        "bytes": tally.bytes,
        "usable_bytes": tally.usable_bytes,
        "failed_dirs": tally.failed_dirs,
    })
}

fn partition(trouble: Trouble, partition: &PartitionSeen) -> Value {
    let ids = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect::<Vec<_>>();
    json!({
        "topic": partition.topic,
        "partition": partition.index,
        "trouble": trouble.name(),
        "leader": partition.leader.map(|leader| leader.0),
        "replicas": ids(&partition.replicas),
        "isr": ids(&partition.isr),
        "elr": ids(&partition.elr),
        "min_isr": partition.min_isr,
    })
}

fn members(store: &StoreSeen) -> Value {
    let member = |member: &super::store::MemberSeen| {
        let (revision, error) = match &member.answer {
            Ok((revision, _)) => (Some(*revision), None),
            Err(error) => (None, Some(error.clone())),
        };
        json!({ "endpoint": member.endpoint, "revision": revision, "error": error })
    };
    let registration = |(id, seen): (&BrokerId, &super::store::RegistrationSeen)| json!({ "id": id.0, "epoch": seen.epoch, "admitted": seen.admitted, "fenced": seen.fenced });
    json!({
        "members": store.members.iter().map(member).collect::<Vec<_>>(),
        "controller": store.active.as_ref().map(|active| {
            json!({ "id": active.id, "endpoint": active.endpoint, "epoch": active.epoch })
        }),
        "standbys": store.standbys.as_ref().ok().map(|standbys| {
            standbys.iter().map(|(id, endpoint)| json!({ "id": id, "endpoint": endpoint })).collect::<Vec<_>>()
        }),
        "controller_epoch": store.controller_epoch,
        "registrations": store.registrations.iter().map(registration).collect::<Vec<_>>(),
    })
}
