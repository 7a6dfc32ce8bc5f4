//! A broker is gone, silent, or about to stop: it leads nothing any more, and it leaves every ISR that has another member.
//!
//! A lone member stays in its ISR, so that only it can lead again; below `min.insync.replicas` who leaves becomes eligible
//! (KIP-966). What it led comes first.

use metadata::change::Change;
use metadata::keys::Key;
use metadata::keys::admitted_broker::AdmittedBroker;
use protocol::types::BrokerId;

use super::elect_leaders::unclean_without;
use super::{PartitionWrites, Plan, Step, Write};
use crate::partition_change::{Changed, PartitionChange};
use crate::state::{PartitionRef, State};

/// Its registration is no more.
pub fn broker_gone(state: &State, id: BrokerId) -> Plan {
    let mut writes = PartitionWrites::default();
    let mut first = fenced_key(state, id);
    if state.image.brokers.contains_key(&id) {
        first.changes.push(Change::BrokerGone(id));
    }
    if !first.writes.is_empty() {
        writes.add(first);
    }
    relieve(state, id, &|_| true, &mut writes);
    writes.into_plan()
}

/// It is registered still, but says nothing.
pub fn fence_broker(state: &State, id: BrokerId) -> Plan {
    let mut writes = PartitionWrites::default();
    let mut first = fenced_key(state, id);
    if let Some(broker) = state.image.brokers.get(&id).filter(|_| !first.writes.is_empty()) {
        let fenced = metadata::image::BrokerImage { fenced: true, ..(**broker).clone() };
        first.changes.push(Change::BrokerChanged(std::sync::Arc::new(fenced)));
        writes.add(first);
    }
    relieve(state, id, &|_| true, &mut writes);
    writes.into_plan()
}

/// It leads nothing any more and is in no ISR that has another member.
pub fn relieve_broker(state: &State, id: BrokerId) -> Plan {
    let mut writes = PartitionWrites::default();
    relieve(state, id, &|_| true, &mut writes);
    writes.into_plan()
}

/// It asks to be relieved before it stops (controlled shutdown). What nobody else can lead it goes on leading until it is
/// gone.
pub fn hand_over(state: &State, id: BrokerId) -> Plan {
    let mut writes = PartitionWrites::default();
    relieve(state, id, &|changed| changed.state.has_leader() && !changed.unclean, &mut writes);
    writes.into_plan()
}

/// `/brokers/admitted/{id}` says that it is fenced; no write where it says so already.
fn fenced_key(state: &State, id: BrokerId) -> Step {
    let admitted = state.admitted.get(&id).filter(|admitted| !admitted.fenced);
    let write = admitted.map(|admitted| {
        let fenced = AdmittedBroker { fenced: true, ..admitted.clone() };
        Write::put(Key::AdmittedBroker(id), fenced.encode())
    });
    Step { writes: write.into_iter().collect(), changes: Vec::new() }
}

fn relieve(state: &State, id: BrokerId, suits: &dyn Fn(&Changed) -> bool, writes: &mut PartitionWrites) {
    let names_it = |of: &PartitionRef| of.state.leader == id || of.state.isr.contains(&id);
    let (led, followed): (Vec<_>, Vec<_>) =
        state.partitions().filter(names_it).partition(|of| of.state.leader == id);
    for of in led.into_iter().chain(followed) {
        let mut isr: Vec<BrokerId> = of.state.isr.iter().copied().filter(|member| *member != id).collect();
        if isr.is_empty() {
            isr.push(id);
        }
        let change = PartitionChange {
            isr: &isr,
            distrusted: &[],
            is_electable: &|candidate| candidate != id && state.may_lead(candidate, of),
            unclean_allowed: unclean_without(state, of, id),
            prefer_first: false,
        };
        writes.change(of, change.apply(of.state).filter(suits));
    }
}
