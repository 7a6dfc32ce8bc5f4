//! A leader proposes a new ISR; the controller checks it and commits it (safety rules 4, 5).
//!
//! The errors are those of Apache Kafka's AlterPartition, in its order: who is newer than we are gets NOT_CONTROLLER, who is
//! older is fenced.
//!
//! A leader that would go on below `min.insync.replicas`, though those whom it drops live, have a stream to us and could go on
//! without it, is the one who is cut off. They get the leader out of their midst: all of them were in the committed ISR, so
//! that nothing acknowledged is lost, and it is told NEW_LEADER_ELECTED. Apache Kafka leaves such a partition to it, and
//! without acknowledgements.

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
            Ok(of) => plan_one(state, of, proposal, &mut writes),
            Err(error) => error,
        }
    });
    let errors = errors.collect();
    (writes.into_plan(), errors)
}

fn plan_one(state: &State, of: PartitionRef, proposal: &Proposal, writes: &mut PartitionWrites) -> ErrorCode {
    let isr: Vec<BrokerId> = proposal.isr.iter().map(|(id, _)| *id).collect();
    let successors = successors(state, of, &isr);
    if successors.is_empty() {
        // The leader who asks goes on.
        change(of, &isr, &[of.state.leader], writes);
        return ErrorCode::None;
    }
    change(of, &successors, &successors, writes);
    ErrorCode::NewLeaderElected
}

fn change(of: PartitionRef, isr: &[BrokerId], electable: &[BrokerId], writes: &mut PartitionWrites) {
    let change = PartitionChange {
        isr,
        distrusted: &[],
        is_electable: &|id| electable.contains(&id),
        unclean_allowed: false,
        prefer_first: false,
    };
    writes.change(of, change.apply(of.state));
}

/// The members that a leader drops who is alone, as far as they may lead; nobody where it is not alone.
fn successors(state: &State, of: PartitionRef, isr: &[BrokerId]) -> Vec<BrokerId> {
    let min_isr = usize::try_from(of.state.min_isr).unwrap_or(0);
    let may_succeed =
        |id: &&BrokerId| **id != of.state.leader && state.may_lead(**id, of) && !state.is_full(**id, of);
    let others = of.state.replicas.iter().filter(may_succeed).count();
    if isr.len() >= min_isr || others < min_isr {
        return Vec::new();
    }
    of.state.isr.iter().filter(|id| !isr.contains(id)).filter(may_succeed).copied().collect()
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
        // Of a member that stays a new leader may not have heard yet.
        let stays_unheard = *epoch == UNKNOWN_EPOCH && of.state.isr.contains(id);
        state.is_active(*id)
            && !state.is_offline(*id, of)
            && !state.is_full(*id, of)
            && (stays_unheard || registered == Some(*epoch))
    };
    match proposal.isr.iter().all(eligible) {
        true => Ok(()),
        false => Err(ErrorCode::IneligibleReplica),
    }
}
