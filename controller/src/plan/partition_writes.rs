//! The new states of partitions, gathered into steps: each partition's key and the change that tells of it, together.

use std::sync::Arc;

use metadata::change::Change;
use metadata::image::PartitionImage;
use metadata::keys::{Key, partition};
use protocol::types::{BrokerId, Uuid};

use super::{Plan, Step, UncleanElection, Write, in_steps};
use crate::partition_change::Changed;
use crate::state::PartitionRef;

/// Steps in the making.
#[derive(Debug, Default)]
pub struct PartitionWrites {
    pieces: Vec<Step>,
    unclean_elections: Vec<UncleanElection>,
    eligible_elections: usize,
}

impl PartitionWrites {
    /// A piece that stands before what is added from now on.
    pub fn add(&mut self, piece: Step) {
        self.pieces.push(piece);
    }

    /// The new state of a partition, if there is one.
    pub fn change(&mut self, of: PartitionRef, changed: Option<Changed>) {
        let Some(Changed { state, unclean, eligible }) = changed else { return };
        self.eligible_elections += usize::from(eligible);
        if unclean {
            self.note_unclean(of, state.leader);
        }
        self.pieces.push(partition_step(of.topic_id, of.partition, state));
    }

    /// As [`PartitionWrites::change`], unless the partition has a new state already; whether it is taken.
    pub fn change_once(&mut self, of: PartitionRef, changed: Changed) -> bool {
        let key = Key::Partition(of.topic_id, of.partition);
        let known = self.pieces.iter().flat_map(|piece| &piece.writes).any(|write| write.key == key);
        if !known {
            self.change(of, Some(changed));
        }
        !known
    }

    fn note_unclean(&mut self, of: PartitionRef, leader: BrokerId) {
        let (topic, partition) = (of.topic.to_owned(), of.partition);
        self.unclean_elections.push(UncleanElection { topic, partition, leader });
    }

    pub fn into_plan(self) -> Plan {
        let PartitionWrites { pieces, unclean_elections, eligible_elections } = self;
        Plan { steps: in_steps(pieces), side_by_side: true, unclean_elections, eligible_elections }
    }
}

/// One partition's key and change.
pub fn partition_step(topic_id: Uuid, partition: i32, state: PartitionImage) -> Step {
    let write = Write::put(Key::Partition(topic_id, partition), partition::encode(&state));
    let change = Change::PartitionChanged { topic_id, partition, state: Arc::new(state) };
    Step { writes: vec![write], changes: vec![change] }
}
