//! A leader proposes a new ISR; the controller checks it and commits it (safety rules 4, 5).
//!
//! The errors are those of Apache Kafka's AlterPartition, in its order: who is newer than we are gets NOT_CONTROLLER, who is
//! older is fenced.

use std::collections::BTreeSet;

use metadata::image::PartitionImage;
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch, Uuid};

use super::{PartitionWrites, Plan};
use crate::partition_change::PartitionChange;
use crate::state::{PartitionRef, State};

/// What a broker does not say of a member's epoch.
const UNKNOWN_EPOCH: i64 = -1;

/// One partition's proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub topic_id: Uuid,
    pub partition: i32,
    pub leader_epoch: LeaderEpoch,
    pub partition_epoch: i32,
    /// The new ISR, each member under the broker epoch in which the leader saw it in sync.
    pub isr: Vec<(BrokerId, i64)>,
}

/// The plan for all that may stand, and what each proposal is answered: its error, if it has one.
pub fn alter_isr(state: &State, broker: BrokerId, proposals: &[Proposal]) -> (Plan, Vec<ErrorCode>) {
    let mut writes = PartitionWrites::default();
    let mut proposed = BTreeSet::new();
    let errors = proposals.iter().map(|proposal| {
        let first = proposed.insert((proposal.topic_id.0, proposal.partition));
        let checked = if first { check(state, broker, proposal) } else { Err(ErrorCode::InvalidRequest) };
        match checked {
            Ok(of) => {
                plan_one(of, proposal, &mut writes);
                ErrorCode::None
            }
            Err(error) => error,
        }
    });
    let errors = errors.collect();
    (writes.into_plan(), errors)
}

fn plan_one(of: PartitionRef, proposal: &Proposal, writes: &mut PartitionWrites) {
    let isr: Vec<BrokerId> = proposal.isr.iter().map(|(id, _)| *id).collect();
    let leader = of.state.leader;
    let change = PartitionChange {
        isr: &isr,
        distrusted: &[],
        // The leader who asks goes on.
        is_electable: &|id| id == leader,
        unclean_allowed: false,
        prefer_first: false,
    };
    writes.change(of, change.apply(of.state));
}

fn check<'a>(state: &'a State, broker: BrokerId, proposal: &Proposal) -> Result<PartitionRef<'a>, ErrorCode> {
    let topic = state.image.topic_by_id(proposal.topic_id).ok_or(ErrorCode::UnknownTopicId)?;
    let known = state.partition(proposal.topic_id, proposal.partition);
    let partition = known.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    check_epochs(broker, proposal, partition)?;
    let (topic, topic_id) = (topic.name.as_str(), topic.id);
    let of = PartitionRef { topic, topic_id, partition: proposal.partition, state: partition };
    check_members(state, proposal, of)?;
    Ok(of)
}

fn check_epochs(broker: BrokerId, proposal: &Proposal, partition: &PartitionImage) -> Result<(), ErrorCode> {
    if proposal.leader_epoch > partition.leader_epoch || proposal.partition_epoch > partition.partition_epoch
    {
        return Err(ErrorCode::NotController);
    }
    if proposal.leader_epoch < partition.leader_epoch {
        return Err(ErrorCode::FencedLeaderEpoch);
    }
    if broker != partition.leader {
        return Err(ErrorCode::InvalidRequest);
    }
    if proposal.partition_epoch < partition.partition_epoch {
        return Err(ErrorCode::InvalidUpdateVersion);
    }
    Ok(())
}

fn check_members(state: &State, proposal: &Proposal, of: PartitionRef) -> Result<(), ErrorCode> {
    let mut members = BTreeSet::new();
    let well_formed =
        proposal.isr.iter().all(|(id, _)| members.insert(*id) && of.state.replicas.contains(id));
    if !well_formed || !members.contains(&of.state.leader) {
        return Err(ErrorCode::InvalidRequest);
    }
    let eligible = |(id, epoch): &(BrokerId, i64)| {
        let registered = state.image.brokers.get(id).map(|broker| broker.epoch);
        state.is_active(*id)
            && !state.is_offline(*id, of)
            && (*epoch == UNKNOWN_EPOCH || registered == Some(*epoch))
    };
    match proposal.isr.iter().all(eligible) {
        true => Ok(()),
        false => Err(ErrorCode::IneligibleReplica),
    }
}
