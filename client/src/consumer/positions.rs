//! How far each partition was read. Pure: it says where to begin, what to fetch from whom, and what to commit.

use std::collections::BTreeMap;

use protocol::types::{BrokerId, LeaderEpoch};

use super::OffsetSpec;
use crate::{Metadata, TopicPartition};

/// The partitions that a consumer reads.
#[derive(Debug, Default)]
pub struct Positions {
    partitions: BTreeMap<TopicPartition, Position>,
}

/// Where one partition stands.
#[derive(Clone, Copy, Debug)]
enum Position {
    /// To be asked for.
    Unresolved(OffsetSpec),
    /// The offset of the next record, and the epoch of the last one that was read.
    At { offset: i64, leader_epoch: LeaderEpoch },
}

/// What to fetch of one partition: from which offset, under which leader epoch.
pub type Wanted = (TopicPartition, (i64, LeaderEpoch));

impl Positions {
    /// Reads these partitions and no others.
    pub fn assign(&mut self, partitions: impl IntoIterator<Item = (TopicPartition, OffsetSpec)>) {
        let begin = |(partition, spec)| (partition, Position::Unresolved(spec));
        self.partitions = partitions.into_iter().map(begin).collect();
    }

    pub fn partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        self.partitions.keys()
    }

    /// The offset of the next record, if it is known.
    pub fn of(&self, partition: &TopicPartition) -> Option<i64> {
        match self.partitions.get(partition)? {
            Position::At { offset, .. } => Some(*offset),
            Position::Unresolved(_) => None,
        }
    }

    pub fn unresolved(&self) -> Vec<(TopicPartition, OffsetSpec)> {
        let open = |(partition, position): (&TopicPartition, &Position)| match position {
            Position::Unresolved(spec) => Some((partition.clone(), *spec)),
            Position::At { .. } => None,
        };
        self.partitions.iter().filter_map(open).collect()
    }

    /// Goes on at `offset`.
    pub fn seek(&mut self, partition: &TopicPartition, offset: i64) {
        self.advance(partition, offset, LeaderEpoch::UNKNOWN);
    }

    /// Everything before `next_offset` was read, the last of it under `leader_epoch`.
    pub fn advance(&mut self, partition: &TopicPartition, next_offset: i64, leader_epoch: LeaderEpoch) {
        if let Some(position) = self.partitions.get_mut(partition) {
            *position = Position::At { offset: next_offset, leader_epoch };
        }
    }

    /// Begins anew.
    pub fn reset(&mut self, partition: &TopicPartition, spec: OffsetSpec) {
        if let Some(position) = self.partitions.get_mut(partition) {
            *position = Position::Unresolved(spec);
        }
    }

    /// What there is to fetch, by the broker to ask; under `None` what has no known leader.
    pub fn by_leader(&self, metadata: &Metadata) -> BTreeMap<Option<BrokerId>, Vec<Wanted>> {
        let mut wanted: BTreeMap<_, Vec<Wanted>> = BTreeMap::new();
        for (partition, position) in &self.partitions {
            if let Position::At { offset, .. } = position {
                let (leader, epoch) = metadata.leader(partition);
                wanted.entry(leader).or_default().push((partition.clone(), (*offset, epoch)));
            }
        }
        wanted
    }

    /// How far each partition was read, with the epoch of the last record.
    pub fn to_commit(&self) -> Vec<(TopicPartition, i64, LeaderEpoch)> {
        let read = |(partition, position): (&TopicPartition, &Position)| match position {
            Position::At { offset, leader_epoch } => Some((partition.clone(), *offset, *leader_epoch)),
            Position::Unresolved(_) => None,
        };
        self.partitions.iter().filter_map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_resolved_read_and_reset() {
        let partition = TopicPartition::new("t", 0);
        let mut positions = Positions::default();
        positions.assign([(partition.clone(), OffsetSpec::Earliest)]);
        assert_eq!(positions.unresolved(), [(partition.clone(), OffsetSpec::Earliest)]);
        assert!(positions.to_commit().is_empty());

        positions.seek(&partition, 5);
        positions.advance(&partition, 9, LeaderEpoch(2));
        assert_eq!(positions.of(&partition), Some(9));
        assert_eq!(positions.to_commit(), [(partition.clone(), 9, LeaderEpoch(2))]);
        assert!(positions.by_leader(&Metadata::default()).contains_key(&None));

        positions.reset(&partition, OffsetSpec::Latest);
        assert_eq!(positions.of(&partition), None);
    }

    #[test]
    fn what_is_not_assigned_does_not_come_back() {
        let mut positions = Positions::default();
        positions.seek(&TopicPartition::new("gone", 0), 5);
        assert_eq!(positions.partitions().count(), 0);
    }
}
