//! Replicas held against each other, batch by batch. Pure.

use std::fmt;

use protocol::records::BatchHeader;
use protocol::types::Offset;

/// One replica's log as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    pub broker: String,
    pub log_start_offset: Offset,
    pub high_watermark: Offset,
    /// The header of each batch, whose checksum, held in it, was found right.
    pub batches: Vec<BatchHeader>,
}

/// Where two replicas of a partition differ, or where one contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// One has it, the other another one in its place, or none.
    Batch {
        partition: String,
        one: String,
        other: String,
        mine: Option<BatchHeader>,
        theirs: Option<BatchHeader>,
    },
    /// Offsets are missing before this batch.
    Gap { partition: String, broker: String, expected: Offset, found: Offset },
    /// Acknowledged values lie past its high watermark, though all was quiet when it was stopped.
    Behind { partition: String, broker: String, high_watermark: Offset, highest: Offset },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Batch { partition, one, other, mine, theirs } => {
                write!(f, "{partition}: {one} has {mine:?}, {other} has {theirs:?}")
            }
            Difference::Gap { partition, broker, expected, found } => {
                write!(f, "{partition}: {broker} has nothing from {expected} to {found}")
            }
            Difference::Behind { partition, broker, high_watermark, highest } => {
                write!(
                    f,
                    "{partition}: the high watermark of {broker} is {high_watermark}, of another {highest}"
                )
            }
        }
    }
}

/// All differences of a partition's replicas.
pub fn compare(partition: &str, replicas: &[Replica]) -> Vec<Difference> {
    let from = replicas.iter().map(|replica| replica.log_start_offset).max();
    let to = replicas.iter().map(|replica| replica.high_watermark).min();
    let highest = replicas.iter().map(|replica| replica.high_watermark).max();
    let (Some(from), Some(to), Some(highest)) = (from, to, highest) else { return Vec::new() };
    let mut found: Vec<Difference> = replicas.iter().filter_map(|replica| gap(partition, replica)).collect();
    let behind = replicas.iter().filter(|replica| replica.high_watermark < highest);
    found.extend(behind.map(|replica| Difference::Behind {
        partition: partition.to_owned(),
        broker: replica.broker.clone(),
        high_watermark: replica.high_watermark,
        highest,
    }));
    let pairs = replicas.iter().zip(replicas.iter().skip(1));
    found.extend(pairs.filter_map(|(one, other)| first_difference(partition, one, other, from, to)));
    found
}

/// The later epochs under which idempotent producers wrote, each with its producer's id. librdkafka takes one after what looks to
/// it like a loss.
pub fn raised_epochs(replica: &Replica) -> impl Iterator<Item = (i64, i16)> {
    let numbered = replica.batches.iter().filter(|batch| batch.producer_epoch > 0);
    numbered.map(|batch| (batch.producer_id, batch.producer_epoch))
}

fn first_difference(
    partition: &str,
    one: &Replica,
    other: &Replica,
    from: Offset,
    to: Offset,
) -> Option<Difference> {
    let common = |replica: &Replica| -> Vec<BatchHeader> {
        let batches = replica.batches.iter().copied();
        batches.filter(|batch| batch.base_offset >= from && batch.last_offset() < to).collect()
    };
    let (mine, theirs) = (common(one), common(other));
    let at = (0..mine.len().max(theirs.len())).find(|at| mine.get(*at) != theirs.get(*at))?;
    Some(Difference::Batch {
        partition: partition.to_owned(),
        one: one.broker.clone(),
        other: other.broker.clone(),
        mine: mine.get(at).copied(),
        theirs: theirs.get(at).copied(),
    })
}

fn gap(partition: &str, replica: &Replica) -> Option<Difference> {
    let mut pairs = replica.batches.iter().zip(replica.batches.iter().skip(1));
    let (before, then) = pairs.find(|(before, then)| before.next_offset() != then.base_offset)?;
    Some(Difference::Gap {
        partition: partition.to_owned(),
        broker: replica.broker.clone(),
        expected: before.next_offset(),
        found: then.base_offset,
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use protocol::records::{BatchBuilder, Compression};

    use super::*;

    fn batch(offset: i64, text: &str) -> Result<BatchHeader> {
        let mut builder = BatchBuilder::new(Compression::None).base_offset(Offset(offset));
        builder.append(0, None, Some(text.as_bytes()), &[]);
        Ok(BatchHeader::parse(&builder.build()?)?)
    }

    fn replica(broker: &str, start: i64, high: i64, texts: &[(i64, &str)]) -> Result<Replica> {
        let batches = texts.iter().map(|(offset, text)| batch(*offset, text)).collect::<Result<_>>()?;
        let (log_start_offset, high_watermark) = (Offset(start), Offset(high));
        Ok(Replica { broker: broker.to_owned(), log_start_offset, high_watermark, batches })
    }

    #[test]
    fn only_what_all_have_committed_counts() -> Result<()> {
        let one = replica("one", 1, 3, &[(0, "a"), (1, "b"), (2, "c"), (3, "not committed")])?;
        let two = replica("two", 0, 3, &[(0, "other"), (1, "b"), (2, "c")])?;
        assert_eq!(compare("p", &[one, two]), []);
        Ok(())
    }

    #[test]
    fn another_batch_a_missing_one_and_a_gap_are_found() -> Result<()> {
        let one = replica("one", 0, 3, &[(0, "a"), (1, "b"), (2, "c")])?;
        let other = replica("two", 0, 3, &[(0, "a"), (1, "x"), (2, "c")])?;
        let short = replica("two", 0, 3, &[(0, "a"), (1, "b")])?;
        let gapped = replica("two", 0, 3, &[(0, "a"), (2, "c")])?;
        let found = |two: &Replica| compare("p", &[one.clone(), two.clone()]);
        assert!(matches!(&found(&other)[..], [Difference::Batch { mine: Some(_), theirs: Some(_), .. }]));
        assert!(matches!(&found(&short)[..], [Difference::Batch { mine: Some(_), theirs: None, .. }]));
        assert!(matches!(&found(&gapped)[..], [Difference::Gap { .. }, Difference::Batch { .. }]));
        Ok(())
    }

    #[test]
    fn epochs_that_were_raised_are_found() -> Result<()> {
        let mut replica = replica("one", 0, 3, &[(0, "a"), (1, "b"), (2, "c")])?;
        replica.batches[1].producer_id = 7;
        replica.batches[1].producer_epoch = 0;
        replica.batches[2].producer_id = 7;
        replica.batches[2].producer_epoch = 1;
        assert_eq!(raised_epochs(&replica).collect::<Vec<_>>(), [(7, 1)]);
        Ok(())
    }

    #[test]
    fn a_replica_that_lags_though_all_is_quiet_is_found() -> Result<()> {
        let one = replica("one", 0, 2, &[(0, "a"), (1, "b")])?;
        let two = replica("two", 0, 1, &[(0, "a"), (1, "b")])?;
        assert!(matches!(&compare("p", &[one, two])[..], [Difference::Behind { .. }]));
        Ok(())
    }
}
