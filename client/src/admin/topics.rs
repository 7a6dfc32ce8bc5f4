//! Topics: created, listed, described, grown, deleted.

use std::sync::Arc;

use protocol::messages::create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::describe_topic_partitions_request::TopicRequest;
use protocol::messages::describe_topic_partitions_response::{
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
};
use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use protocol::wire::Str;

use crate::{Admin, Error, Topic};

/// "The cluster's default", for the number of partitions or replicas.
const DEFAULT: i32 = -1;

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

impl Admin {
    /// Creates topics, or with `validate_only` says whether they could be. The first refusal is the error; what came
    /// before it stands.
    pub async fn create_topics(&self, topics: &[NewTopic], validate_only: bool) -> Result<(), Error> {
        let request = CreateTopicsRequest {
            topics: topics.iter().map(NewTopic::to_wire).collect(),
            timeout_ms: self.change_timeout_ms(),
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
            timeout_ms: self.change_timeout_ms(),
        };
        let answer = self.call(&request).await?;
        answer.responses.iter().try_for_each(|topic| {
            let subject = format!("topic '{}'", topic.name.as_deref().unwrap_or_default());
            Error::check("DeleteTopics", subject, topic.error_code, topic.error_message.as_deref())
        })
    }

    /// All topics, ordered by name.
    pub async fn list_topics(&self) -> Result<Vec<Arc<Topic>>, Error> {
        Ok(self.cluster().refresh_all().await?.topics().cloned().collect())
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

    /// Grows a topic to `count` partitions, or with `validate_only` says whether it could be. The new ones are placed by
    /// the cluster, or on the brokers that are named for each.
    pub async fn create_partitions(
        &self,
        topic: &str,
        count: i32,
        assignment: Option<&[Vec<BrokerId>]>,
        validate_only: bool,
    ) -> Result<(), Error> {
        let replicas = |brokers: &Vec<BrokerId>| CreatePartitionsAssignment {
            broker_ids: brokers.iter().map(|broker| broker.0).collect(),
        };
        let assignments = assignment.map(|partitions| partitions.iter().map(replicas).collect());
        let request = CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic { name: Str::from(topic), count, assignments }],
            timeout_ms: self.change_timeout_ms(),
            validate_only,
        };
        let answer = self.call(&request).await?;
        answer.results.iter().try_for_each(|grown| {
            let subject = format!("topic '{}'", grown.name);
            Error::check("CreatePartitions", subject, grown.error_code, grown.error_message.as_deref())
        })
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
