//! `milena topics describe`: the lines of Kafka's own tool, or JSON.

use std::collections::BTreeSet;

use clap::Args;
use client::{Admin, ConfigDetail, ConfigEntry, ConfigResource, TopicDescription, TopicPartitionDescription};
use protocol::types::BrokerId;
use serde_json::json;

use super::TopicNames;
use crate::arguments::Output;
use crate::connect::Connect;
use crate::output::{print, print_json};

/// Describe topics: partitions, leaders, replicas, configs.
#[derive(Args)]
pub struct DescribeArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    topics: TopicNames,
    #[command(flatten)]
    only: Only,
    /// Leave out the topics that the brokers keep for themselves.
    #[arg(long)]
    exclude_internal: bool,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Which partitions are shown; with none of these, all are.
#[derive(Args, Clone, Copy, Default)]
pub struct Only {
    /// Only partitions with fewer in-sync replicas than replicas.
    #[arg(long)]
    under_replicated_partitions: bool,
    /// Only partitions without a leader that is up.
    #[arg(long)]
    unavailable_partitions: bool,
    /// Only partitions with fewer in-sync replicas than min.insync.replicas.
    #[arg(long)]
    under_min_isr_partitions: bool,
    /// Only partitions with just as many in-sync replicas as min.insync.replicas.
    #[arg(long)]
    at_min_isr_partitions: bool,
    /// Only topics with configs of their own, without their partitions.
    #[arg(long)]
    topics_with_overrides: bool,
}

struct Described {
    topic: TopicDescription,
    configs: Vec<ConfigEntry>,
}

pub async fn run(arguments: DescribeArguments) -> anyhow::Result<()> {
    let admin = arguments.connect.admin().await?;
    let mut topics = admin.describe_topics(&arguments.topics.all()).await?;
    topics.retain(|topic| !(arguments.exclude_internal && topic.internal));
    let resources: Vec<_> =
        topics.iter().map(|topic| ConfigResource::Topic(topic.name.to_string())).collect();
    let configs = admin.describe_configs(&resources, ConfigDetail::default()).await?;
    let live = live_brokers(&admin).await?;
    let described = topics.into_iter().zip(configs).map(|(topic, configs)| Described { topic, configs });
    let shown: Vec<_> = described.filter_map(|described| arguments.only.keep(described, &live)).collect();
    match arguments.output {
        Output::Table => {
            print(&shown.iter().map(|described| text_of(described, arguments.only)).collect::<String>())
        }
        Output::Json => print_json(&shown.iter().map(json_of).collect()),
    }
}

async fn live_brokers(admin: &Admin) -> anyhow::Result<BTreeSet<BrokerId>> {
    let cluster = admin.describe_cluster(false).await?;
    Ok(cluster.brokers.iter().map(|broker| BrokerId(broker.broker_id)).collect())
}

impl Only {
    fn filters_partitions(self) -> bool {
        self.under_replicated_partitions
            || self.unavailable_partitions
            || self.under_min_isr_partitions
            || self.at_min_isr_partitions
    }

    /// What is to be shown of a topic, if anything.
    fn keep(self, mut described: Described, live: &BTreeSet<BrokerId>) -> Option<Described> {
        if self.topics_with_overrides {
            return described.configs.iter().any(|config| !config.is_default()).then_some(described);
        }
        if self.filters_partitions() {
            let min_isr = min_isr(&described.configs);
            described.topic.partitions.retain(|partition| self.matches(partition, min_isr, live));
            return (!described.topic.partitions.is_empty()).then_some(described);
        }
        Some(described)
    }

    fn matches(
        self,
        partition: &TopicPartitionDescription,
        min_isr: usize,
        live: &BTreeSet<BrokerId>,
    ) -> bool {
        let in_sync = partition.isr.len();
        let led = partition.leader.is_some_and(|leader| live.contains(&leader));
        self.under_replicated_partitions && in_sync < partition.replicas.len()
            || self.unavailable_partitions && !led
            || self.under_min_isr_partitions && (partition.leader.is_none() || in_sync < min_isr)
            || self.at_min_isr_partitions && in_sync == min_isr
    }
}

fn min_isr(configs: &[ConfigEntry]) -> usize {
    let config = configs.iter().find(|config| &*config.name == "min.insync.replicas");
    config.and_then(|config| config.value.as_deref()).and_then(|value| value.parse().ok()).unwrap_or(1)
}

fn text_of(described: &Described, only: Only) -> String {
    let mut text = if only.filters_partitions() { String::new() } else { topic_line(described) };
    if !only.topics_with_overrides {
        text.extend(
            described.topic.partitions.iter().map(|partition| partition_line(&described.topic, partition)),
        );
    }
    text
}

fn topic_line(Described { topic, configs }: &Described) -> String {
    let set = configs.iter().filter(|config| !config.is_default());
    let set = set.map(|config| format!("{}={}", config.name, config.value.as_deref().unwrap_or("null")));
    format!(
        "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n",
        topic.name,
        topic.id,
        topic.partitions.len(),
        topic.partitions.first().map_or(0, |partition| partition.replicas.len()),
        set.collect::<Vec<_>>().join(",")
    )
}

fn partition_line(topic: &TopicDescription, partition: &TopicPartitionDescription) -> String {
    format!(
        "\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}\n",
        topic.name,
        partition.index,
        partition.leader.map_or("none".to_owned(), |leader| leader.to_string()),
        ids(&partition.replicas),
        ids(&partition.isr),
        ids(&partition.eligible_leader_replicas),
        ids(&partition.last_known_elr),
    )
}

fn ids(brokers: &[BrokerId]) -> String {
    brokers.iter().map(BrokerId::to_string).collect::<Vec<_>>().join(",")
}

fn json_of(Described { topic, configs }: &Described) -> serde_json::Value {
    let set = configs.iter().filter(|config| !config.is_default());
    let value = |config: &ConfigEntry| config.value.as_deref().map(str::to_owned).into();
    let set: serde_json::Map<_, _> = set.map(|config| (config.name.to_string(), value(config))).collect();
    json!({
        "name": &*topic.name,
        "topic_id": topic.id.to_string(),
        "internal": topic.internal,
        "configs": set,
        "partitions": topic.partitions.iter().map(partition_json).collect::<Vec<_>>(),
    })
}

fn partition_json(partition: &TopicPartitionDescription) -> serde_json::Value {
    let ids = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect::<Vec<_>>();
    json!({
        "partition": partition.index,
        "leader": partition.leader.map(|leader| leader.0),
        "leader_epoch": partition.leader_epoch.0,
        "replicas": ids(&partition.replicas),
        "isr": ids(&partition.isr),
        "elr": ids(&partition.eligible_leader_replicas),
        "last_known_elr": ids(&partition.last_known_elr),
        "offline_replicas": ids(&partition.offline_replicas),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::ConfigSource;
    use protocol::types::{LeaderEpoch, Uuid};

    fn described(isr: &[i32], leader: Option<i32>) -> Described {
        let partition = TopicPartitionDescription {
            index: 0,
            leader: leader.map(BrokerId),
            leader_epoch: LeaderEpoch(4),
            replicas: vec![BrokerId(1), BrokerId(2)],
            isr: isr.iter().copied().map(BrokerId).collect(),
            eligible_leader_replicas: Vec::new(),
            last_known_elr: Vec::new(),
            offline_replicas: Vec::new(),
        };
        let topic = TopicDescription {
            name: "t".into(),
            id: Uuid::ZERO,
            internal: false,
            partitions: vec![partition],
        };
        let min_isr = ConfigEntry {
            name: "min.insync.replicas".into(),
            value: Some("2".into()),
            source: ConfigSource(1),
            read_only: false,
            sensitive: false,
            synonyms: Vec::new(),
            documentation: None,
        };
        Described { topic, configs: vec![min_isr] }
    }

    #[test]
    fn the_lines_are_those_of_kafkas_tool() {
        let id = "AAAAAAAAAAAAAAAAAAAAAA";
        let expected = format!(
            "Topic: t\tTopicId: {id}\tPartitionCount: 1\tReplicationFactor: 2\tConfigs: min.insync.replicas=2\n\
             \tTopic: t\tPartition: 0\tLeader: 1\tReplicas: 1,2\tIsr: 2,1\tElr: \tLastKnownElr: \n"
        );
        assert_eq!(text_of(&described(&[2, 1], Some(1)), Only::default()), expected);
    }

    #[test]
    fn filters_keep_what_they_name() {
        let live = BTreeSet::from([BrokerId(1)]);
        let kept = |only: Only, isr: &[i32], leader| only.keep(described(isr, leader), &live).is_some();
        let under = Only { under_replicated_partitions: true, ..Only::default() };
        assert!(kept(under, &[1], Some(1)) && !kept(under, &[1, 2], Some(1)));
        let unavailable = Only { unavailable_partitions: true, ..Only::default() };
        assert!(kept(unavailable, &[2], Some(2)) && kept(unavailable, &[], None));
        assert!(!kept(unavailable, &[1], Some(1)));
        let under_min = Only { under_min_isr_partitions: true, ..Only::default() };
        assert!(kept(under_min, &[1], Some(1)) && !kept(under_min, &[1, 2], Some(1)));
        let at_min = Only { at_min_isr_partitions: true, ..Only::default() };
        assert!(kept(at_min, &[1, 2], Some(1)) && !kept(at_min, &[1], Some(1)));
    }
}
