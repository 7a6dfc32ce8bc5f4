//! Calls that change or describe the cluster. Every broker takes them and passes on what it does not decide itself.

use std::sync::Arc;
use std::time::Duration;

use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use protocol::messages::describe_topic_partitions_request::TopicRequest;
use protocol::messages::describe_topic_partitions_response::{
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use protocol::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, DescribeClusterRequest, DescribeClusterResponse,
    DescribeConfigsRequest, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
};
use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use protocol::wire::{Request, Str};

use crate::{Cluster, Error, Topic};

/// How long the cluster may take over a change before it answers.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// "The cluster's default", for the number of partitions or replicas.
const DEFAULT: i32 = -1;

/// See the module.
#[derive(Clone, Debug)]
pub struct Admin {
    cluster: Cluster,
}

/// A topic to be created.
#[derive(Clone, Debug, Default)]
pub struct NewTopic {
    pub name: String,
    /// `None`: as many as `num.partitions` says.
    pub partitions: Option<i32>,
    /// `None`: as many as `default.replication.factor` says.
    pub replication_factor: Option<i16>,
    /// The brokers of each partition, the preferred leader first, instead of the numbers above.
    pub assignment: Vec<Vec<BrokerId>>,
    pub configs: Vec<(String, String)>,
}

/// What a topic is made of.
#[derive(Clone, Debug)]
pub struct TopicDescription {
    pub name: Str,
    pub id: Uuid,
    pub internal: bool,
    pub partitions: Vec<TopicPartitionDescription>,
}

/// One partition's state.
#[derive(Clone, Debug)]
pub struct TopicPartitionDescription {
    pub index: i32,
    pub leader: Option<BrokerId>,
    pub leader_epoch: LeaderEpoch,
    pub replicas: Vec<BrokerId>,
    pub isr: Vec<BrokerId>,
    pub eligible_leader_replicas: Vec<BrokerId>,
    pub last_known_elr: Vec<BrokerId>,
    pub offline_replicas: Vec<BrokerId>,
}

/// What configs belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigResource {
    Topic(String),
    Broker(BrokerId),
}

/// A config key and its value in force.
#[derive(Clone, Debug)]
pub struct ConfigEntry {
    pub name: Str,
    /// `None` for a sensitive one.
    pub value: Option<Str>,
    /// Whether nobody set it, at any level.
    pub is_default: bool,
}

impl Admin {
    pub fn new(cluster: Cluster) -> Admin {
        Admin { cluster }
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Creates topics, or with `validate_only` says whether they could be. The first refusal is the error; what came
    /// before it stands.
    pub async fn create_topics(&self, topics: &[NewTopic], validate_only: bool) -> Result<(), Error> {
        let request = CreateTopicsRequest {
            topics: topics.iter().map(NewTopic::to_wire).collect(),
            timeout_ms: CHANGE_TIMEOUT.as_millis() as i32,
            validate_only,
        };
        let answer = self.call(&request).await?;
        answer.topics.iter().try_for_each(|topic| {
            let subject = format!("topic '{}'", topic.name);
            Error::check("CreateTopics", subject, topic.error_code, topic.error_message.as_deref())
        })
    }

    /// Deletes topics by their names.
    pub async fn delete_topics(&self, names: &[String]) -> Result<(), Error> {
        let names: Vec<_> = names.iter().map(|name| Str::from(name.as_str())).collect();
        let by_name = |name: &Str| DeleteTopicState { name: Some(name.clone()), ..Default::default() };
        let request = DeleteTopicsRequest {
            topics: names.iter().map(by_name).collect(),
            topic_names: names,
            timeout_ms: CHANGE_TIMEOUT.as_millis() as i32,
        };
        let answer = self.call(&request).await?;
        answer.responses.iter().try_for_each(|topic| {
            let subject = format!("topic '{}'", topic.name.as_deref().unwrap_or_default());
            Error::check("DeleteTopics", subject, topic.error_code, topic.error_message.as_deref())
        })
    }

    /// All topics, ordered by name.
    pub async fn list_topics(&self) -> Result<Vec<Arc<Topic>>, Error> {
        Ok(self.cluster.refresh_all().await?.topics().cloned().collect())
    }

    /// Describes topics, page by page; every topic where none is named.
    pub async fn describe_topics(&self, names: &[String]) -> Result<Vec<TopicDescription>, Error> {
        let topic = |name: &String| TopicRequest { name: Str::from(name.as_str()) };
        let topics = names.iter().map(topic).collect();
        let mut request = DescribeTopicPartitionsRequest { topics, ..Default::default() };
        let mut described: Vec<TopicDescription> = Vec::new();
        loop {
            let DescribeTopicPartitionsResponse { topics, next_cursor, .. } = self.call(&request).await?;
            for topic in topics {
                add_page(&mut described, topic)?;
            }
            let Some(next) = next_cursor else { return Ok(described) };
            request.cursor = Some(protocol::messages::describe_topic_partitions_request::Cursor {
                topic_name: next.topic_name,
                partition_index: next.partition_index,
            });
        }
    }

    /// Every key of each resource, in the order of the resources.
    pub async fn describe_configs(
        &self,
        resources: &[ConfigResource],
    ) -> Result<Vec<Vec<ConfigEntry>>, Error> {
        let request = DescribeConfigsRequest {
            resources: resources.iter().map(ConfigResource::to_wire).collect(),
            ..Default::default()
        };
        let answer = self.call(&request).await?;
        let mut described = vec![Vec::new(); resources.len()];
        for result in answer.results {
            let subject = format!("'{}'", result.resource_name);
            Error::check("DescribeConfigs", &subject, result.error_code, result.error_message.as_deref())?;
            let asked = resources.iter().map(ConfigResource::to_wire);
            let same = |it: &DescribeConfigsResource| {
                (it.resource_type, &it.resource_name) == (result.resource_type, &result.resource_name)
            };
            if let Some(index) = asked.into_iter().position(|resource| same(&resource)) {
                described[index] = result.configs.into_iter().map(ConfigEntry::of).collect();
            }
        }
        Ok(described)
    }

    /// The cluster's id and its brokers, on demand with those that are registered but fenced.
    pub async fn describe_cluster(&self, fenced_too: bool) -> Result<DescribeClusterResponse, Error> {
        let request = DescribeClusterRequest { include_fenced_brokers: fenced_too, ..Default::default() };
        let answer = self.call(&request).await?;
        Error::check("DescribeCluster", "the cluster", answer.error_code, answer.error_message.as_deref())?;
        Ok(answer)
    }

    async fn call<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
        let limit = CHANGE_TIMEOUT + self.cluster.config().connection.request_timeout;
        Ok(self.cluster.any_broker().await?.send_within(request, limit).await?)
    }
}

/// A topic with more partitions than fit a page comes in several.
fn add_page(
    described: &mut Vec<TopicDescription>,
    page: DescribeTopicPartitionsResponseTopic,
) -> Result<(), Error> {
    let name = page.name.unwrap_or_default();
    Error::check("DescribeTopicPartitions", format!("topic '{name}'"), page.error_code, None)?;
    let partitions = page.partitions.into_iter().map(TopicPartitionDescription::of);
    match described.last_mut() {
        Some(topic) if topic.name == name => topic.partitions.extend(partitions),
        _ => described.push(TopicDescription {
            name,
            id: page.topic_id,
            internal: page.is_internal,
            partitions: partitions.collect(),
        }),
    }
    Ok(())
}

impl TopicPartitionDescription {
    fn of(partition: DescribeTopicPartitionsResponsePartition) -> TopicPartitionDescription {
        let ids = |ids: Vec<i32>| ids.into_iter().map(BrokerId).collect();
        TopicPartitionDescription {
            index: partition.partition_index,
            leader: BrokerId(partition.leader_id).known(),
            leader_epoch: LeaderEpoch(partition.leader_epoch),
            replicas: ids(partition.replica_nodes),
            isr: ids(partition.isr_nodes),
            eligible_leader_replicas: ids(partition.eligible_leader_replicas.unwrap_or_default()),
            last_known_elr: ids(partition.last_known_elr.unwrap_or_default()),
            offline_replicas: ids(partition.offline_replicas),
        }
    }
}

impl NewTopic {
    fn to_wire(&self) -> CreatableTopic {
        let assigned = !self.assignment.is_empty();
        let replicas = |(index, brokers): (usize, &Vec<BrokerId>)| CreatableReplicaAssignment {
            partition_index: index as i32,
            broker_ids: brokers.iter().map(|broker| broker.0).collect(),
        };
        let config = |(name, value): &(String, String)| CreatableTopicConfig {
            name: Str::from(name.as_str()),
            value: Some(Str::from(value.as_str())),
        };
        CreatableTopic {
            name: Str::from(self.name.as_str()),
            num_partitions: self.partitions.filter(|_| !assigned).unwrap_or(DEFAULT),
            replication_factor: self.replication_factor.filter(|_| !assigned).unwrap_or(DEFAULT as i16),
            assignments: self.assignment.iter().enumerate().map(replicas).collect(),
            configs: self.configs.iter().map(config).collect(),
        }
    }
}

impl ConfigResource {
    fn to_wire(&self) -> DescribeConfigsResource {
        let (resource_type, resource_name) = match self {
            ConfigResource::Topic(name) => (2, Str::from(name.as_str())),
            ConfigResource::Broker(id) => (4, Str::from(id.to_string())),
        };
        DescribeConfigsResource { resource_type, resource_name, configuration_keys: None }
    }
}

impl ConfigEntry {
    /// Source 5 is Kafka's DEFAULT_CONFIG.
    fn of(entry: DescribeConfigsResourceResult) -> ConfigEntry {
        const DEFAULT_CONFIG: i8 = 5;
        ConfigEntry {
            name: entry.name,
            value: entry.value,
            is_default: entry.config_source == DEFAULT_CONFIG,
        }
    }
}
