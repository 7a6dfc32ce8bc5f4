//! Leadership goes back to preferred replicas, so that load stays spread (`auto.leader.rebalance.enable`).

use super::{PartitionWrites, Plan};
use crate::partition_change::{Changed, PartitionChange};
use crate::state::{PartitionRef, State};

/// The most leaderships that one balancing moves, as in Apache Kafka.
const ELECTIONS_MAX: usize = 1000;

/// Gives partitions back to their preferred replicas, where these are in sync.
pub fn balance_leaders(state: &State) -> Plan {
    let mut writes = PartitionWrites::default();
    let elsewhere = state.partitions().filter(|of| of.state.has_leader());
    for (of, changed) in
        elsewhere.filter_map(|of| Some((of, elect_preferred(state, of)?))).take(ELECTIONS_MAX)
    {
        writes.change(of, Some(changed));
    }
    writes.into_plan()
}

/// The partition led by its preferred replica; `None` where that cannot lead or leads already.
pub fn elect_preferred(state: &State, of: PartitionRef) -> Option<Changed> {
    let change = PartitionChange {
        isr: &of.state.isr,
        distrusted: &[],
        is_electable: &|id| state.may_lead(id, of),
        unclean_allowed: false,
        prefer_first: true,
    };
    let changed = change.apply(of.state)?;
    (Some(&changed.state.leader) == of.state.replicas.first()).then_some(changed)
}

/// A partition without a leader, led by whoever is there.
pub fn elect_unclean(state: &State, of: PartitionRef) -> Option<Changed> {
    let change = PartitionChange {
        isr: &of.state.isr,
        distrusted: &[],
        is_electable: &|id| state.may_lead(id, of),
        unclean_allowed: true,
        prefer_first: false,
    };
    change.apply(of.state).filter(|changed| changed.state.has_leader())
}
