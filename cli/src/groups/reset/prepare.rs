//! Asks the cluster for what a plan stands on: what is committed, where partitions begin and end, what was there at a time.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use client::{Admin, IsolationLevel, OffsetSpec, TopicPartition};

use super::Scope;
use super::plan::{Known, NothingToShift, Target, target, within};
use super::way::Way;

type Committed = BTreeMap<TopicPartition, i64>;

/// The target of every partition that is meant.
pub async fn targets(
    admin: &Admin,
    group: &str,
    scope: &Scope,
    way: &Way,
) -> Result<BTreeMap<TopicPartition, Target>> {
    let committed = committed(admin, group).await?;
    let partitions = partitions(admin, scope, &committed).await?;
    let mut known = known(admin, &partitions, &committed).await?;
    if let Way::Time(ms) = way {
        for (partition, offset) in offsets(admin, &partitions, OffsetSpec::Timestamp(*ms)).await? {
            known.entry(partition).or_default().at_time = offset;
        }
    }
    let mut targets = BTreeMap::new();
    for (partition, known) in known {
        let Some(target) = target(way, known) else { return Err(NothingToShift(partition).into()) };
        targets.insert(partition, target);
    }
    Ok(targets)
}

/// The targets that a file names.
pub async fn from_plan(
    admin: &Admin,
    group: &str,
    plan: &BTreeMap<TopicPartition, i64>,
) -> Result<BTreeMap<TopicPartition, Target>> {
    let partitions = plan.keys().cloned().collect();
    let known = known(admin, &partitions, &committed(admin, group).await?).await?;
    let target = |(partition, asked): (&TopicPartition, &i64)| {
        (partition.clone(), within(*asked, known.get(partition).copied().unwrap_or_default()))
    };
    Ok(plan.iter().map(target).collect())
}

async fn committed(admin: &Admin, group: &str) -> Result<Committed> {
    let committed = admin.committed_offsets(group).await?;
    Ok(committed.into_iter().map(|(partition, committed)| (partition, committed.offset)).collect())
}

async fn partitions(admin: &Admin, scope: &Scope, committed: &Committed) -> Result<BTreeSet<TopicPartition>> {
    if scope.all_topics {
        return Ok(committed.keys().cloned().collect());
    }
    let mut partitions = BTreeSet::new();
    for topic in &scope.topics {
        let count = admin.cluster().topic(&topic.topic).await?.partitions.len();
        partitions.extend(topic.partitions(count));
    }
    Ok(partitions)
}

/// Where each partition begins and ends. One that does not exist, or has no leader, is an error.
async fn known(
    admin: &Admin,
    partitions: &BTreeSet<TopicPartition>,
    committed: &Committed,
) -> Result<BTreeMap<TopicPartition, Known>> {
    for partition in partitions {
        admin.cluster().leader(partition).await?;
    }
    let mut known: BTreeMap<TopicPartition, Known> = BTreeMap::new();
    for (partition, earliest) in offsets(admin, partitions, OffsetSpec::Earliest).await? {
        let committed = committed.get(&partition).copied();
        known.insert(partition, Known { committed, earliest: earliest.unwrap_or(0), ..Known::default() });
    }
    for (partition, latest) in offsets(admin, partitions, OffsetSpec::Latest).await? {
        known.entry(partition).or_default().latest = latest.unwrap_or(0);
    }
    Ok(known)
}

async fn offsets(
    admin: &Admin,
    partitions: &BTreeSet<TopicPartition>,
    spec: OffsetSpec,
) -> Result<Vec<(TopicPartition, Option<i64>)>> {
    let wanted: Vec<_> = partitions.iter().map(|partition| (partition.clone(), spec)).collect();
    Ok(admin.cluster().offsets(IsolationLevel::ReadUncommitted, &wanted).await?)
}
