//! What the controller means to do, as immutable values: steps, each one transaction and the changes that brokers learn when
//! it is committed. A plan leaves no choice to whoever carries it out.
//!
//! Which keys a transaction compares follows from its writes: the controller's own election key and every written key at the
//! revision at which the state knows it (safety rule 4). One plan, one file.

pub mod alter_configs;
pub mod alter_isr;
pub mod broker_back;
pub mod broker_gone;
pub mod create_partitions;
pub mod create_topic;
pub mod delete_topic;
pub mod elect_leaders;
pub mod orphans;
mod partition_writes;
pub mod preferred_leaders;
pub mod replicas_offline;
#[cfg(test)]
mod scenarios;
mod steps;

use metadata::change::Change;
use metadata::configs::TopicConfig;
use metadata::keys::Key;

use crate::state::State;

pub use partition_writes::PartitionWrites;
pub use steps::{WRITES_MAX, in_steps};

/// One key put, or deleted where there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub key: Key,
    pub value: Option<Vec<u8>>,
}

impl Write {
    pub fn put(key: Key, value: Vec<u8>) -> Write {
        Write { key, value: Some(value) }
    }

    pub fn delete(key: Key) -> Write {
        Write { key, value: None }
    }
}

/// One transaction, and what the image becomes by it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    pub writes: Vec<Write>,
    pub changes: Vec<Change>,
}

/// Steps, to be committed one after the other. After a step that fails the rest is not tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// Whether each step but the first stands for itself, so that several may be committed at once.
    pub side_by_side: bool,
    /// Leaders chosen from outside of ISR and ELR: to be logged and counted.
    pub unclean_elections: Vec<UncleanElection>,
    /// How many leaders are chosen from the ELR: to be counted.
    pub eligible_elections: usize,
}

/// A leader that may lack acknowledged records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncleanElection {
    pub topic: String,
    pub partition: i32,
    pub leader: protocol::types::BrokerId,
}

impl Plan {
    /// A plan of one step; none where there is nothing to write.
    pub fn of_step(step: Step) -> Plan {
        let steps = if step.writes.is_empty() { Vec::new() } else { vec![step] };
        Plan { steps, ..Plan::default() }
    }

    /// Whether some partition that exists gets another leader, or none.
    pub fn moves_leadership(&self, state: &State) -> bool {
        let mut changes = self.steps.iter().flat_map(|step| &step.changes);
        changes.any(|change| match change {
            Change::PartitionChanged { topic_id, partition, state: new } => {
                state.partition(*topic_id, *partition).is_some_and(|known| known.leader != new.leader)
            }
            _ => false,
        })
    }

    /// Whether it changes what is set somewhere.
    pub fn alters_configs(&self) -> bool {
        let mut writes = self.steps.iter().flat_map(|step| &step.writes);
        writes.any(|write| matches!(write.key, Key::Config(_)))
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// `min.insync.replicas` as it can be met: never more than there are replicas (KIP-966).
pub fn min_isr_of(config: TopicConfig, replicas: usize) -> i32 {
    let replicas = i64::try_from(replicas).unwrap_or(i64::MAX);
    i32::try_from(config.number("min.insync.replicas").min(replicas)).unwrap_or(i32::MAX)
}
