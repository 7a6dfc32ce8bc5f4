//! Leaders for partitions that have none, once a broker can lead that could not before.

use metadata::image::PartitionImage;
use protocol::types::BrokerId;

use super::{PartitionWrites, Plan};
use crate::partition_change::PartitionChange;
use crate::state::{PartitionRef, State};

/// Elects wherever there is no leader.
pub fn elect_missing_leaders(state: &State) -> Plan {
    let mut writes = PartitionWrites::default();
    elect_into(state, &|_| true, &|id, of| state.is_electable_for(id, of), &mut writes);
    writes.into_plan()
}

/// As [`elect_missing_leaders`], for some partitions, into writes that others begin.
pub(super) fn elect_into(
    state: &State,
    suits: &dyn Fn(PartitionRef) -> bool,
    is_electable: &dyn Fn(BrokerId, PartitionRef) -> bool,
    writes: &mut PartitionWrites,
) {
    for of in state.partitions().filter(|of| !of.state.has_leader() && suits(*of)) {
        let change = PartitionChange {
            isr: &of.state.isr,
            distrusted: &[],
            is_electable: &|id| is_electable(id, of),
            unclean_allowed: unclean_allowed(state, of, of.state),
            prefer_first: false,
        };
        writes.change(of, change.apply(of.state));
    }
}

/// Whether the topic allows an unclean election; asked only where one could come about.
pub(super) fn unclean_allowed(state: &State, of: PartitionRef, partition: &PartitionImage) -> bool {
    let no_electable = |ids: &[BrokerId]| !ids.iter().any(|id| state.is_electable_for(*id, of));
    no_electable(&partition.isr)
        && no_electable(&partition.elr)
        && state.topic_config_of(of.topic).flag("unclean.leader.election.enable")
}

/// As [`unclean_allowed`], were this broker in neither ISR nor ELR.
pub(super) fn unclean_without(state: &State, of: PartitionRef, id: BrokerId) -> bool {
    let mut others = (**of.state).clone();
    others.isr.retain(|member| *member != id);
    others.elr.retain(|member| *member != id);
    unclean_allowed(state, of, &others)
}
