//! Asks the brokers: any one for the cluster, and each one for its directories.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use client::{Admin, ConfigDetail, ConfigEntry, ConfigResource, LogDirDescription, TopicDescription};
use protocol::messages::describe_cluster_response::DescribeClusterBroker;
use protocol::types::BrokerId;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::census::{BrokerSeen, Census, PartitionSeen};

/// A broker that takes longer than this to describe its directories counts as silent.
const PATIENCE: Duration = Duration::from_secs(3);

/// Topics whose configs are asked for at once.
const TOPICS_PER_CALL: usize = 200;

pub async fn census(admin: &Admin) -> Result<Census> {
    let cluster = admin.describe_cluster(true).await?;
    let topics = admin.describe_topics(&[]).await?;
    let ids = cluster.brokers.iter().map(|broker| BrokerId(broker.broker_id));
    let mut dirs = log_dirs(admin, ids).await;
    let min_isrs = min_isrs(admin, &topics).await?;
    let seen = |broker: DescribeClusterBroker| BrokerSeen {
        id: BrokerId(broker.broker_id),
        rack: broker.rack.map(String::from),
        address: format!("{}:{}", broker.host, broker.port),
        fenced: broker.is_fenced,
        dirs: dirs.remove(&BrokerId(broker.broker_id)),
    };
    let mut brokers: Vec<BrokerSeen> = cluster.brokers.into_iter().map(seen).collect();
    brokers.sort_by_key(|broker| broker.id);
    let cluster_id = cluster.cluster_id.into();
    let partitions = topics.iter().flat_map(|topic| partitions(topic, &min_isrs)).collect();
    Ok(Census { cluster_id, brokers, topics: topics.len(), partitions })
}

fn partitions(topic: &TopicDescription, min_isrs: &BTreeMap<String, usize>) -> Vec<PartitionSeen> {
    let seen = topic.partitions.iter().map(|partition| PartitionSeen {
        topic: topic.name.to_string(),
        index: partition.index,
        leader: partition.leader,
        replicas: partition.replicas.clone(),
        isr: partition.isr.clone(),
        elr: partition.eligible_leader_replicas.clone(),
        min_isr: min_isrs.get(topic.name.as_str()).copied(),
    });
    seen.collect()
}

/// The directories of every broker that answers, asked side by side.
async fn log_dirs(
    admin: &Admin,
    brokers: impl Iterator<Item = BrokerId>,
) -> BTreeMap<BrokerId, Vec<LogDirDescription>> {
    let mut asked = JoinSet::new();
    for broker in brokers {
        let admin = admin.clone();
        asked.spawn(async move { (broker, timeout(PATIENCE, admin.describe_log_dirs(broker)).await) });
    }
    let answers = asked.join_all().await.into_iter();
    answers.filter_map(|(broker, answer)| Some((broker, answer.ok()?.ok()?))).collect()
}

/// `min.insync.replicas` of the topics that have a replica out of sync: of the others it does not matter.
async fn min_isrs(admin: &Admin, topics: &[TopicDescription]) -> Result<BTreeMap<String, usize>> {
    let is_short = |topic: &&TopicDescription| {
        topic.partitions.iter().any(|partition| partition.isr.len() < partition.replicas.len())
    };
    let names: BTreeSet<String> =
        topics.iter().filter(is_short).map(|topic| topic.name.to_string()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let mut found = BTreeMap::new();
    for names in names.chunks(TOPICS_PER_CALL) {
        let resources: Vec<_> = names.iter().cloned().map(ConfigResource::Topic).collect();
        let configs = admin.describe_configs(&resources, ConfigDetail::default()).await?;
        found.extend(
            names.iter().cloned().zip(configs).filter_map(|(name, set)| Some((name, min_isr(&set)?))),
        );
    }
    Ok(found)
}

fn min_isr(configs: &[ConfigEntry]) -> Option<usize> {
    let config = configs.iter().find(|config| &*config.name == "min.insync.replicas")?;
    config.value.as_deref()?.parse().ok()
}
