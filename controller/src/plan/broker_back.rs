//! A broker is admitted: distrusted first where its pages may be lost (safety rule 7), then made known, then given the
//! leadership of what nobody leads and it may lead.
//!
//! Each is a plan of its own, and the next is made only when the one before is committed: the key that says "admitted" is
//! never written while an ISR still names a broker that is not to be trusted.

use std::sync::Arc;

use metadata::change::Change;
use metadata::keys::Key;
use metadata::keys::admitted_broker::AdmittedBroker;
use protocol::types::BrokerId;

use super::elect_leaders::elect_into;
use super::{PartitionWrites, Plan, Step, Write};
use crate::partition_change::PartitionChange;
use crate::state::{PartitionRef, Registered, State, broker_image};

/// Takes a broker out of every ISR and ELR, the lone member too: then the last leader is remembered.
pub fn distrust_broker(state: &State, id: BrokerId) -> Plan {
    let mut writes = PartitionWrites::default();
    for of in state.partitions().filter(|of| of.state.isr.contains(&id) || of.state.elr.contains(&id)) {
        let isr: Vec<BrokerId> = of.state.isr.iter().copied().filter(|member| *member != id).collect();
        let change = PartitionChange {
            isr: &isr,
            distrusted: &[id],
            is_electable: &|candidate| candidate != id && state.may_lead(candidate, of),
            // It is decided when it is admitted, and may then be the last known leader.
            unclean_allowed: false,
            prefer_first: false,
        };
        writes.change(of, change.apply(of.state));
    }
    writes.into_plan()
}

/// Writes down whom we admit, tells the brokers, and elects.
pub fn admit_broker(state: &State, id: BrokerId, registered: &Registered) -> Plan {
    let registration = &registered.registration;
    let admitted = AdmittedBroker {
        epoch: registered.epoch,
        incarnation: registration.incarnation,
        boot_id: registration.boot_id.clone(),
        log_dirs: registration.log_dirs.clone(),
        fenced: false,
    };
    let mut writes = PartitionWrites::default();
    writes.add(Step {
        writes: vec![Write::put(Key::AdmittedBroker(id), admitted.encode())],
        changes: vec![Change::BrokerChanged(Arc::new(broker_image(id, registered, false)))],
    });
    let is_electable = |candidate: BrokerId, of: PartitionRef| match candidate == id {
        true => !state.is_offline(id, of),
        false => state.is_electable_for(candidate, of),
    };
    elect_into(state, &|_| true, &is_electable, &mut writes);
    writes.into_plan()
}
