//! `/partitions/{topic_id}/{p}`: the one truth about a partition's replicas, leader, ISR and epochs (safety rule 4).
//!
//! `min.insync.replicas` is not in it: that follows from the configuration.

use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use serde::{Deserialize, Serialize};

use super::json;
use super::{Key, KeyError};
use crate::image::PartitionImage;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct PartitionRecord {
    replicas: Vec<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adding: Vec<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removing: Vec<i32>,
    leader: i32,
    leader_epoch: i32,
    isr: Vec<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    elr: Vec<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    last_known_elr: Vec<i32>,
    partition_epoch: i32,
    #[serde(skip_serializing_if = "Vec::is_empty", with = "json::uuids")]
    directories: Vec<Uuid>,
}

/// The value of a partition's key.
pub fn encode(state: &PartitionImage) -> Vec<u8> {
    let directories =
        if state.directories.iter().all(|id| id.is_zero()) { &[][..] } else { &state.directories };
    json::encode(&PartitionRecord {
        replicas: numbers(&state.replicas),
        adding: numbers(&state.adding),
        removing: numbers(&state.removing),
        leader: state.leader.0,
        leader_epoch: state.leader_epoch.0,
        isr: numbers(&state.isr),
        elr: numbers(&state.elr),
        last_known_elr: numbers(&state.last_known_elr),
        partition_epoch: state.partition_epoch,
        directories: directories.to_vec(),
    })
}

/// The state in a partition's key, as far as the key holds it: `min_isr` is 0.
pub fn decode(topic_id: Uuid, partition: i32, value: &[u8]) -> Result<PartitionImage, KeyError> {
    let record: PartitionRecord = json::decode(&Key::Partition(topic_id, partition), value)?;
    Ok(PartitionImage {
        directories: directories(&record),
        replicas: ids(record.replicas),
        adding: ids(record.adding),
        removing: ids(record.removing),
        leader: BrokerId(record.leader),
        leader_epoch: LeaderEpoch(record.leader_epoch),
        isr: ids(record.isr),
        elr: ids(record.elr),
        last_known_elr: ids(record.last_known_elr),
        partition_epoch: record.partition_epoch,
        min_isr: 0,
    })
}

fn directories(record: &PartitionRecord) -> Vec<Uuid> {
    match record.directories.is_empty() {
        true => vec![Uuid::ZERO; record.replicas.len()],
        false => record.directories.clone(),
    }
}

fn numbers(ids: &[BrokerId]) -> Vec<i32> {
    ids.iter().map(|id| id.0).collect()
}

fn ids(numbers: Vec<i32>) -> Vec<BrokerId> {
    numbers.into_iter().map(BrokerId).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_back_but_for_its_min_isr() {
        let members = ids(vec![3, 1, 2]);
        let state = PartitionImage {
            replicas: members.clone(),
            adding: ids(vec![2]),
            removing: ids(vec![3]),
            leader: BrokerId(1),
            leader_epoch: LeaderEpoch(4),
            isr: ids(vec![1]),
            elr: ids(vec![3]),
            last_known_elr: ids(vec![2]),
            partition_epoch: 9,
            directories: vec![Uuid([1; 16]), Uuid::ZERO, Uuid([2; 16])],
            min_isr: 0,
        };
        assert_eq!(decode(Uuid([5; 16]), 0, &encode(&state)).unwrap(), state);
    }

    #[test]
    fn a_plain_state_is_short_in_etcdctl() {
        let state = PartitionImage {
            replicas: ids(vec![1]),
            isr: ids(vec![1]),
            leader: BrokerId(1),
            directories: vec![Uuid::ZERO],
            ..PartitionImage::default()
        };
        let text = String::from_utf8(encode(&state)).unwrap();
        assert_eq!(text, r#"{"replicas":[1],"leader":1,"leader_epoch":0,"isr":[1],"partition_epoch":0}"#);
        assert_eq!(decode(Uuid::ZERO, 0, text.as_bytes()).unwrap(), state);
    }
}
