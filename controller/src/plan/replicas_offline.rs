//! Replicas in log directories that failed: as if their broker had lost its pages for these partitions alone (safety rules 7
//! and 12). They leave ISR and ELR, the lone member too: then the last leader is remembered. A replica that is fine again may
//! be elected again.
//!
//! Followers on full disks lost nothing. They leave the ISR as if their leader had dropped them for lagging, so that
//! acknowledgements do not wait for room; below `min.insync.replicas` they stay eligible. Who leads, and who might have to lead
//! because nobody does, stays where it is: all disks may be full at once.

use protocol::types::BrokerId;

use super::elect_leaders::{elect_into, unclean_without};
use super::{PartitionWrites, Plan};
use crate::partition_change::PartitionChange;
use crate::state::{PartitionRef, State};

/// What follows from the offline replicas of a broker, of which the state knows already.
pub fn replicas_offline(state: &State, id: BrokerId) -> Plan {
    let mut writes = PartitionWrites::default();
    for of in state.partitions().filter(|of| state.is_offline(id, *of) && names(*of, id)) {
        let change = PartitionChange {
            isr: &without(id, of),
            distrusted: &[id],
            is_electable: &|candidate| state.may_lead(candidate, of),
            unclean_allowed: unclean_without(state, of, id),
            prefer_first: false,
        };
        writes.change(of, change.apply(of.state));
    }
    for of in state.partitions().filter(|of| may_drop_as_full(state, id, *of)) {
        let change = PartitionChange {
            isr: &without(id, of),
            distrusted: &[],
            is_electable: &|candidate| state.may_lead(candidate, of),
            unclean_allowed: false,
            prefer_first: false,
        };
        writes.change(of, change.apply(of.state));
    }
    let unnamed = |of: PartitionRef| !(state.is_offline(id, of) && names(of, id));
    elect_into(state, &unnamed, &|candidate, of| state.is_electable_for(candidate, of), &mut writes);
    writes.into_plan()
}

/// Whether a member of the ISR follows on a full disk, and the leader goes on without it.
fn may_drop_as_full(state: &State, id: BrokerId, of: PartitionRef) -> bool {
    let is_member = of.state.isr.contains(&id) && of.state.has_leader();
    is_member && state.is_full(id, of) && !state.is_offline(id, of)
}

fn without(id: BrokerId, of: PartitionRef) -> Vec<BrokerId> {
    of.state.isr.iter().copied().filter(|member| *member != id).collect()
}

fn names(of: PartitionRef, id: BrokerId) -> bool {
    of.state.isr.contains(&id) || of.state.elr.contains(&id)
}
