//! What the brokers said of themselves and of their topics. Pure: answers go in, lookups come out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use protocol::messages::MetadataResponse;
use protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use protocol::wire::Str;

use crate::{Error, TopicPartition};

/// The newest that is known of everything.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    pub cluster_id: Option<Str>,
    pub controller: Option<BrokerId>,
    brokers: BTreeMap<BrokerId, Broker>,
    topics: BTreeMap<Str, Arc<Topic>>,
    /// Of the topics above.
    names: HashMap<Uuid, Str>,
}

/// A broker where this client reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    pub id: BrokerId,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
}

/// A topic and its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: Str,
    pub id: Uuid,
    pub internal: bool,
    /// By their index: invariant, `partitions[i].index == i`.
    pub partitions: Vec<Partition>,
}

/// One partition's leader and replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    pub index: i32,
    pub leader: Option<BrokerId>,
    pub leader_epoch: LeaderEpoch,
    pub replicas: Vec<BrokerId>,
    pub isr: Vec<BrokerId>,
    pub offline_replicas: Vec<BrokerId>,
}

impl Metadata {
    pub fn broker(&self, id: BrokerId) -> Option<&Broker> {
        self.brokers.get(&id)
    }

    pub fn brokers(&self) -> impl Iterator<Item = &Broker> {
        self.brokers.values()
    }

    pub fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.get(name).map(Arc::clone)
    }

    /// A topic as an answer names it: by its name in older versions, by its id in newer ones.
    pub fn named(&self, name: &str, id: Uuid) -> Option<Arc<Topic>> {
        if name.is_empty() { self.topic(self.names.get(&id)?) } else { self.topic(name) }
    }

    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.values()
    }

    /// The leader of a partition and its epoch, as far as they are known.
    pub fn leader(&self, at: &TopicPartition) -> (Option<BrokerId>, LeaderEpoch) {
        let partition = self.topics.get(&at.topic).and_then(|topic| topic.partition(at).ok());
        partition.map_or((None, LeaderEpoch::UNKNOWN), |partition| (partition.leader, partition.leader_epoch))
    }

    /// Takes an answer: its brokers replace all that were known, its topics those that it names, or all if all were
    /// asked for.
    pub(super) fn apply(&mut self, response: &MetadataResponse, all_topics: bool) {
        if all_topics {
            self.topics.clear();
            self.names.clear();
        }
        self.cluster_id = response.cluster_id.as_ref().map(Str::detached);
        self.controller = BrokerId(response.controller_id).known();
        let brokers = response.brokers.iter();
        let brokers = brokers.map(|b| Broker::new(b.node_id, &b.host, b.port, b.rack.as_ref()));
        self.brokers = brokers.map(|broker| (broker.id, broker)).collect();
        for topic in &response.topics {
            self.apply_topic(topic);
        }
    }

    fn apply_topic(&mut self, topic: &MetadataResponseTopic) {
        let Some(name) = &topic.name else { return };
        if let Some(former) = self.topics.remove(name) {
            self.names.remove(&former.id);
        }
        if topic.error_code == 0 {
            let topic = Topic::of(name.detached(), topic);
            self.names.insert(topic.id, topic.name.clone());
            self.topics.insert(topic.name.clone(), Arc::new(topic));
        }
    }

    pub(super) fn learn_broker(&mut self, broker: Broker) {
        self.brokers.entry(broker.id).or_insert(broker);
    }
}

impl Broker {
    pub(super) fn new(id: i32, host: &Str, port: i32, rack: Option<&Str>) -> Broker {
        Broker { id: BrokerId(id), host: host.detached(), port, rack: rack.map(Str::detached) }
    }

    /// "host:port", an IPv6 address in brackets.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl Topic {
    fn of(name: Str, topic: &MetadataResponseTopic) -> Topic {
        let mut partitions: Vec<_> = topic.partitions.iter().map(Partition::of).collect();
        partitions.sort_by_key(|partition| partition.index);
        Topic { name, id: topic.topic_id, internal: topic.is_internal, partitions }
    }

    pub fn partition(&self, at: &TopicPartition) -> Result<&Partition, Error> {
        let found = usize::try_from(at.partition).ok().and_then(|index| self.partitions.get(index));
        found.ok_or_else(|| Error::NoPartition {
            topic: self.name.to_string(),
            partition: at.partition,
            partitions: self.partitions.len(),
        })
    }
}

impl Partition {
    fn of(partition: &MetadataResponsePartition) -> Partition {
        let ids = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect();
        Partition {
            index: partition.partition_index,
            leader: BrokerId(partition.leader_id).known(),
            leader_epoch: LeaderEpoch(partition.leader_epoch),
            replicas: ids(&partition.replica_nodes),
            isr: ids(&partition.isr_nodes),
            offline_replicas: ids(&partition.offline_replicas),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::messages::metadata_response::MetadataResponseBroker;

    fn answer(topic_error: i16) -> MetadataResponse {
        let broker =
            MetadataResponseBroker { node_id: 1, host: "::1".into(), port: 9092, ..Default::default() };
        let partition = |index| MetadataResponsePartition {
            partition_index: index,
            leader_id: if index == 0 { 1 } else { -1 },
            ..Default::default()
        };
        let topic = MetadataResponseTopic {
            error_code: topic_error,
            name: Some("orders".into()),
            partitions: vec![partition(1), partition(0)],
            ..Default::default()
        };
        MetadataResponse { brokers: vec![broker], topics: vec![topic], ..Default::default() }
    }

    #[test]
    fn a_topic_is_known_until_an_answer_says_that_it_is_gone() {
        let mut metadata = Metadata::default();
        metadata.apply(&answer(0), false);
        let topic = metadata.topic("orders").expect("it was named");
        let leaders: Vec<_> = topic.partitions.iter().map(|partition| partition.leader).collect();
        assert_eq!(leaders, [Some(BrokerId(1)), None]);
        assert!(topic.partition(&TopicPartition::new("orders", 2)).is_err());
        metadata.apply(&answer(3), false);
        assert!(metadata.topic("orders").is_none());
        metadata.apply(&answer(0), false);
        metadata.apply(&MetadataResponse::default(), true);
        assert_eq!(metadata.topics().count(), 0);
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        let mut metadata = Metadata::default();
        metadata.apply(&answer(0), false);
        assert_eq!(metadata.broker(BrokerId(1)).map(Broker::address).as_deref(), Some("[::1]:9092"));
    }
}
