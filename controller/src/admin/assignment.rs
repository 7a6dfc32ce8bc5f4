//! Which replicas new partitions get: those that the client names, checked, or those that the placement finds.

use fastrand::Rng;
use protocol::ErrorCode;
use protocol::types::BrokerId;

use super::refusal::Refusal;
use crate::placement::{PlacementError, UsableBroker, place};
use crate::state::State;

/// The replicas of each new partition, in order.
pub(super) type Assignment = Vec<Vec<BrokerId>>;

/// Checks one partition's replicas as a client named them.
pub(super) fn check_manual(
    state: &State,
    partition: i32,
    brokers: &[i32],
    replication_factor: Option<usize>,
) -> Result<Vec<BrokerId>, Refusal> {
    let refuse = |message: String| Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
    let prefix = "The manual partition assignment includes";
    if brokers.is_empty() {
        return refuse(format!("{prefix} an empty replica list."));
    }
    let mut sorted: Vec<i32> = brokers.to_vec();
    sorted.sort_unstable();
    for (at, id) in sorted.iter().enumerate() {
        if !state.image.brokers.contains_key(&BrokerId(*id)) {
            return refuse(format!("{prefix} broker {id}, but no such broker is registered."));
        }
        if at > 0 && sorted[at - 1] == *id {
            return refuse(format!("{prefix} the broker {id} more than once."));
        }
    }
    if let Some(expected) = replication_factor.filter(|expected| *expected != brokers.len()) {
        return refuse(format!(
            "{prefix} a partition with {} replica(s), but this is not consistent with previous partitions, which have \
             {expected} replica(s).",
            brokers.len()
        ));
    }
    let replicas: Vec<BrokerId> = brokers.iter().copied().map(BrokerId).collect();
    if !replicas.iter().any(|id| state.is_active(*id)) {
        return refuse(format!(
            "All brokers specified in the manual partition assignment for partition {partition} are fenced or in controlled \
             shutdown."
        ));
    }
    Ok(replicas)
}

/// Places replicas on the registered brokers.
pub(super) fn place_replicas(
    state: &State,
    partitions: usize,
    replication_factor: i32,
    rng: &mut Rng,
) -> Result<Assignment, PlacementError> {
    let brokers: Vec<UsableBroker> = state
        .image
        .brokers
        .values()
        .map(|broker| UsableBroker { id: broker.id, rack: broker.rack.clone(), fenced: broker.fenced })
        .collect();
    place(&brokers, partitions, replication_factor, rng)
}

/// Whether each partition has a replica that can be in sync at once.
pub(super) fn check_active(
    state: &State,
    assignment: &Assignment,
    replication_factor: i32,
) -> Result<(), Refusal> {
    let active = |replicas: &Vec<BrokerId>| replicas.iter().any(|id| state.is_active(*id));
    match assignment.iter().all(active) {
        true => Ok(()),
        false => Err(Refusal::new(
            ErrorCode::InvalidReplicationFactor,
            format!(
                "Unable to replicate the partition {replication_factor} time(s): All brokers are currently fenced or in \
                 controlled shutdown."
            ),
        )),
    }
}
