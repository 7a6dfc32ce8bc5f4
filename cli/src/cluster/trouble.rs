//! Which partitions need somebody's attention, and why; the worst first.

use super::census::PartitionSeen;

/// What is wrong with a partition, from bad to worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A replica is not in sync.
    UnderReplicated,
    /// One replica less, and acks=all is refused.
    AtMinIsr,
    /// acks=all is refused.
    UnderMinIsr,
    /// Nobody leads it.
    NoLeader,
}

impl Trouble {
    pub fn of(partition: &PartitionSeen) -> Option<Trouble> {
        let (isr, replicas) = (partition.isr.len(), partition.replicas.len());
        let min_isr = partition.min_isr.map_or(1, |min| min.min(replicas));
        if partition.leader.is_none() {
            return Some(Trouble::NoLeader);
        }
        if isr < min_isr {
            return Some(Trouble::UnderMinIsr);
        }
        (isr < replicas).then_some(if isr == min_isr { Trouble::AtMinIsr } else { Trouble::UnderReplicated })
    }

    /// As `milena topics describe` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Trouble::NoLeader => "unavailable",
            Trouble::UnderMinIsr => "under min isr",
            Trouble::AtMinIsr => "at min isr",
            Trouble::UnderReplicated => "under-replicated",
        }
    }
}

/// The partitions in trouble, the worst first, else by name.
pub fn partitions_in_trouble(partitions: &[PartitionSeen]) -> Vec<(Trouble, &PartitionSeen)> {
    let mut found: Vec<_> =
        partitions.iter().filter_map(|partition| Some((Trouble::of(partition)?, partition))).collect();
    found.sort_by(|(one, at), (other, beside)| {
        other.cmp(one).then_with(|| (&at.topic, at.index).cmp(&(&beside.topic, beside.index)))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::types::BrokerId;

    #[track_caller]
    fn check(leader: Option<i32>, isr: &[i32], min_isr: Option<usize>, expected: Option<Trouble>) {
        let partition = PartitionSeen {
            leader: leader.map(BrokerId),
            replicas: [1, 2, 3].map(BrokerId).to_vec(),
            isr: isr.iter().copied().map(BrokerId).collect(),
            min_isr,
            ..PartitionSeen::default()
        };
        assert_eq!(Trouble::of(&partition), expected);
    }

    #[test]
    fn a_partition_is_as_bad_as_its_worst_fault() {
        check(Some(1), &[1, 2, 3], None, None);
        check(Some(1), &[1, 2], Some(1), Some(Trouble::UnderReplicated));
        check(Some(1), &[1, 2], Some(2), Some(Trouble::AtMinIsr));
        check(Some(1), &[1], Some(2), Some(Trouble::UnderMinIsr));
        check(None, &[1], Some(2), Some(Trouble::NoLeader));
        check(Some(1), &[1, 2, 3], Some(7), None);
    }
}
