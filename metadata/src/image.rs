//! What the cluster is, at one metadata revision: an immutable value that brokers and the controller read.
//!
//! An image changes only by [`crate::change::Change`]s, all of one revision together. It leaves the keys under which the
//! parts are kept to `keys`, and the wire between controller and broker to `convert`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use protocol::types::{BrokerId, LeaderEpoch, Uuid};

/// The whole cluster as of `revision`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterImage {
    pub cluster_id: String,
    /// The store's revision up to which every change is in here; 0 before the first push.
    pub revision: i64,
    pub controller_epoch: i32,
    /// Create revision of that controller's `/controller`: tells controllers of one epoch on two timelines apart.
    pub controller_fence: i64,
    /// Revisions and epochs are comparable within one timeline; a later one began with a recovery from an older store.
    pub timeline: i64,
    /// Registered brokers, the fenced ones too.
    pub brokers: BTreeMap<BrokerId, Arc<BrokerImage>>,
    pub topics: HashMap<String, Arc<TopicImage>>,
    /// Names by id; holds exactly the topics of `topics`.
    pub topic_names: HashMap<Uuid, String>,
    /// What is set on each resource; a resource without an entry has nothing set.
    pub configs: BTreeMap<ConfigResource, Arc<BTreeMap<String, String>>>,
}

/// One registered broker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrokerImage {
    pub id: BrokerId,
    /// Create revision of its registration; grows with every registration.
    pub epoch: i64,
    /// 16 random bytes that name the process.
    pub incarnation: Uuid,
    pub endpoints: Vec<Endpoint>,
    pub rack: Option<String>,
    /// Registered, but not admitted by a controller: neither named to clients nor elected.
    pub fenced: bool,
    pub log_dirs: Vec<Uuid>,
}

/// Where one listener of a broker is reached, as advertised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name, `PLAINTEXT` for one.
    pub listener: String,
    pub host: String,
    pub port: u16,
    pub security_protocol: String,
}

/// One topic; partition `p` is `partitions[p]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicImage {
    pub name: String,
    pub id: Uuid,
    pub partitions: Vec<Arc<PartitionImage>>,
}

/// One partition's state, as committed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionImage {
    /// In order of preference: the first is the preferred leader.
    pub replicas: Vec<BrokerId>,
    pub adding: Vec<BrokerId>,
    pub removing: Vec<BrokerId>,
    /// [`BrokerId::NONE`] while there is none.
    pub leader: BrokerId,
    pub leader_epoch: LeaderEpoch,
    pub isr: Vec<BrokerId>,
    /// Eligible leader replicas (KIP-966): out of the ISR, yet known to hold everything below the high watermark.
    pub elr: Vec<BrokerId>,
    pub last_known_elr: Vec<BrokerId>,
    /// Counts every change of this state.
    pub partition_epoch: i32,
    /// The log directory of each replica, by its position in `replicas`; zero where the broker chose.
    pub directories: Vec<Uuid>,
    /// `min.insync.replicas` as the controller resolved it (safety rule 14).
    pub min_isr: i32,
}

/// What a configuration is set on, by Kafka's `ConfigResource.Type`. The default of all brokers is `Broker("")`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigResource {
    Topic(String),
    Broker(String),
    Group(String),
    ClientMetrics(String),
}

impl ClusterImage {
    /// The topic of this name or, where the name is not known, none.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.get(name)
    }

    /// The topic of this id.
    pub fn topic_by_id(&self, id: Uuid) -> Option<&Arc<TopicImage>> {
        self.topics.get(self.topic_names.get(&id)?)
    }

    /// The partition, if both it and its topic exist.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<&Arc<PartitionImage>> {
        self.topics.get(topic)?.partitions.get(usize::try_from(partition).ok()?)
    }

    /// Brokers that may be named to clients and elected.
    pub fn live_brokers(&self) -> impl Iterator<Item = &Arc<BrokerImage>> {
        self.brokers.values().filter(|broker| !broker.fenced)
    }

    /// Whether this broker is registered and admitted.
    pub fn is_live(&self, id: BrokerId) -> bool {
        self.brokers.get(&id).is_some_and(|broker| !broker.fenced)
    }

    /// What is set on a resource; empty where nothing is.
    pub fn config(&self, resource: &ConfigResource) -> Option<&Arc<BTreeMap<String, String>>> {
        self.configs.get(resource)
    }
}

impl ClusterImage {
    /// The first broken invariant of the whole image, in words.
    pub fn broken_invariant(&self) -> Option<String> {
        let names_match = self.topics.len() == self.topic_names.len()
            && self
                .topics
                .iter()
                .all(|(name, topic)| topic.name == *name && self.topic_names.get(&topic.id) == Some(name));
        if !names_match {
            return Some("topics and topic_names name different topics".to_owned());
        }
        if let Some((id, _)) = self.brokers.iter().find(|(id, broker)| broker.id != **id) {
            return Some(format!("broker {id} stands under another id than its own"));
        }
        self.topics.values().find_map(|topic| topic.broken_invariant())
    }
}

impl TopicImage {
    fn broken_invariant(&self) -> Option<String> {
        let broken = |(p, state): (usize, &Arc<PartitionImage>)| {
            state.broken_invariant().map(|what| format!("{}-{p}: {what}", self.name))
        };
        self.partitions.iter().enumerate().find_map(broken)
    }
}

impl PartitionImage {
    /// The first broken invariant of this state, in words.
    pub fn broken_invariant(&self) -> Option<&'static str> {
        let replica = |id: &BrokerId| self.replicas.contains(id);
        let rules = [
            (self.replicas.is_empty(), "there are no replicas"),
            (has_duplicates(&self.replicas), "a replica is named twice"),
            (has_duplicates(&self.isr) || has_duplicates(&self.elr), "a member is named twice"),
            (!self.isr.iter().all(replica), "the ISR holds a broker that is no replica"),
            (!self.elr.iter().all(replica), "the ELR holds a broker that is no replica"),
            (self.elr.iter().any(|id| self.isr.contains(id)), "the ELR and the ISR overlap"),
            (self.has_leader() && !self.isr.contains(&self.leader), "the leader is not in the ISR"),
            (self.leader_epoch.0 < 0 || self.partition_epoch < 0, "an epoch is negative"),
            (
                !self.directories.is_empty() && self.directories.len() != self.replicas.len(),
                "directories do not match replicas",
            ),
        ];
        rules.into_iter().find_map(|(broken, what)| broken.then_some(what))
    }

    /// Whether some broker leads it now.
    pub fn has_leader(&self) -> bool {
        self.leader != BrokerId::NONE
    }
}

fn has_duplicates(ids: &[BrokerId]) -> bool {
    ids.iter().enumerate().any(|(at, id)| ids[..at].contains(id))
}

impl BrokerImage {
    /// Where this broker is reached by those who came in by `listener`.
    pub fn endpoint(&self, listener: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.listener == listener)
    }
}
