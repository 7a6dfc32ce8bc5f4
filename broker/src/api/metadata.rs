//! Metadata: brokers, topics and where their leaders are, as reached by the listener that the client came in by.
//!
//! Topics that are missing may be created on the way. What a version cannot say, or says in its own way, is decided here.

mod leaders;

use std::collections::HashSet;
use std::sync::Arc;

use metadata::image::{BrokerImage, PartitionImage, TopicImage};
use protocol::ErrorCode;
use protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::messages::{MetadataRequest, MetadataResponse};
use protocol::types::{BrokerId, Uuid};
use protocol::wire::Str;

use self::leaders::{look_for_leaders, outlook_with_leaders};
use super::RequestContext;
use super::authorized::{ALL_OF_CLUSTER, ALL_OF_TOPIC, NOT_ASKED};
use super::auto_create::auto_create;
use super::cluster_view::{ClusterView, NoLeader, ids};
use super::topic_names::{is_internal, validate};
use crate::Broker;

/// From here on a topic may be asked for by its id.
const TOPIC_IDS_FROM: i16 = 12;
/// From here on a leader that this listener does not reach has an error of its own.
const LISTENER_NOT_FOUND_FROM: i16 = 6;

/// What the client wants to hear of.
enum Asked {
    All,
    Names(Vec<Str>),
    Ids(Vec<Uuid>),
}

/// Answers from the image; creates what is missing, if it may.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: MetadataRequest,
) -> MetadataResponse {
    let Some(asked) = asked(&request, context.api_version) else { return refuse(&request) };
    if let Asked::Names(names) = &asked
        && request.allow_auto_topic_creation
        && broker.config.topics.auto_create
    {
        auto_create(broker, context, names).await;
    }
    look_for_leaders(broker, &asked).await;
    let outlook = outlook_with_leaders(broker, &context.listener.name, &asked).await;
    let view = outlook.through(&context.listener.name);
    let departed = broker.departed_peers.now();
    let (this, version) = (broker.config.broker_id, context.api_version);
    let answer = Answer { view, departed: &departed, this, version };
    answer.response(&request, &asked)
}

/// Takes the request for what its version means by it; none where it contradicts itself.
fn asked(request: &MetadataRequest, version: i16) -> Option<Asked> {
    let Some(topics) = &request.topics else { return Some(Asked::All) };
    if topics.is_empty() && version == 0 {
        return Some(Asked::All);
    }
    let is_wrong =
        |name: &Option<Str>, id: Uuid| version < TOPIC_IDS_FROM && (name.is_none() || !id.is_zero());
    if topics.iter().any(|topic| is_wrong(&topic.name, topic.topic_id)) {
        return None;
    }
    let ids = unique(topics.iter().map(|topic| topic.topic_id).filter(|id| !id.is_zero()));
    match ids.is_empty() {
        true => Some(Asked::Names(unique(topics.iter().filter_map(|topic| topic.name.clone())))),
        false => Some(Asked::Ids(ids)),
    }
}

fn unique<T: Clone + Eq + std::hash::Hash>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}

/// The brokers that live and those that left lately, by id.
fn brokers(view: ClusterView<'_>, departed: &[Arc<BrokerImage>]) -> Vec<MetadataResponseBroker> {
    let departed = departed.iter().filter(|broker| !view.image.is_live(broker.id));
    let departed = departed.filter_map(|broker| Some((&**broker, broker.endpoint(view.listener)?)));
    let described = view.live_brokers().chain(departed).map(|(broker, endpoint)| MetadataResponseBroker {
        node_id: broker.id.0,
        host: endpoint.host.as_str().into(),
        port: endpoint.port.into(),
        rack: broker.rack.as_deref().map(Into::into),
    });
    let mut brokers: Vec<_> = described.collect();
    brokers.sort_unstable_by_key(|broker| broker.node_id);
    brokers
}

/// One image in the words of one version.
#[derive(Clone, Copy)]
struct Answer<'a> {
    view: ClusterView<'a>,
    departed: &'a [Arc<BrokerImage>],
    this: BrokerId,
    version: i16,
}

impl Answer<'_> {
    fn response(self, request: &MetadataRequest, asked: &Asked) -> MetadataResponse {
        let mut topics = self.topics(asked);
        if request.include_topic_authorized_operations {
            topics.iter_mut().for_each(|topic| topic.topic_authorized_operations = ALL_OF_TOPIC);
        }
        let cluster_operations = request.include_cluster_authorized_operations;
        MetadataResponse {
            brokers: brokers(self.view, self.departed),
            cluster_id: Some(self.view.image.cluster_id.as_str().into()),
            controller_id: self.view.controller_id(self.this).0,
            topics,
            cluster_authorized_operations: if cluster_operations { ALL_OF_CLUSTER } else { NOT_ASKED },
            ..MetadataResponse::default()
        }
    }

    fn topics(self, asked: &Asked) -> Vec<MetadataResponseTopic> {
        match asked {
            Asked::All => {
                let mut names: Vec<&String> = self.view.image.topics.keys().collect();
                names.sort_unstable();
                names.into_iter().map(|name| self.by_name(&Str::from(name.as_str()))).collect()
            }
            Asked::Names(names) => names.iter().map(|name| self.by_name(name)).collect(),
            Asked::Ids(ids) => ids.iter().map(|id| self.by_id(*id)).collect(),
        }
    }

    fn by_name(self, name: &Str) -> MetadataResponseTopic {
        let topic = self.view.image.topic(name);
        let error = match topic {
            Some(_) => ErrorCode::None,
            None if validate(name).is_err() => ErrorCode::InvalidTopicException,
            None => ErrorCode::UnknownTopicOrPartition,
        };
        let partitions = topic.into_iter().flat_map(|topic| self.partitions(topic));
        MetadataResponseTopic {
            error_code: error.code(),
            name: Some(name.clone()),
            topic_id: topic.map_or(Uuid::ZERO, |topic| topic.id),
            is_internal: is_internal(name),
            partitions: partitions.collect(),
            ..MetadataResponseTopic::default()
        }
    }

    fn by_id(self, id: Uuid) -> MetadataResponseTopic {
        match self.view.image.topic_by_id(id) {
            Some(topic) => self.by_name(&Str::from(topic.name.as_str())),
            None => MetadataResponseTopic {
                error_code: ErrorCode::UnknownTopicId.code(),
                name: None,
                topic_id: id,
                ..MetadataResponseTopic::default()
            },
        }
    }

    fn partitions(self, topic: &TopicImage) -> impl Iterator<Item = MetadataResponsePartition> {
        let states = topic.partitions.iter().enumerate();
        states.map(move |(index, state)| self.partition(topic, index, state))
    }

    fn partition(
        self,
        topic: &TopicImage,
        index: usize,
        state: &PartitionImage,
    ) -> MetadataResponsePartition {
        let (replica_nodes, isr_nodes) = (self.reached(&state.replicas), self.reached(&state.isr));
        let all_reached = replica_nodes.len() == state.replicas.len() && isr_nodes.len() == state.isr.len();
        let (error, leader) = match self.view.leader(topic, index) {
            Ok(leader) if all_reached => (ErrorCode::None, leader),
            Ok(leader) => (ErrorCode::ReplicaNotAvailable, leader),
            Err(NoLeader::NoListener) if self.version >= LISTENER_NOT_FOUND_FROM => {
                (ErrorCode::ListenerNotFound, BrokerId::NONE)
            }
            Err(_) => (ErrorCode::LeaderNotAvailable, BrokerId::NONE),
        };
        MetadataResponsePartition {
            error_code: error.code(),
            partition_index: i32::try_from(index).unwrap_or(i32::MAX),
            leader_id: leader.0,
            leader_epoch: state.leader_epoch.0,
            replica_nodes,
            isr_nodes,
            offline_replicas: self.view.offline_replicas(state),
        }
    }

    /// Version 0 leaves out the replicas that cannot be reached; later versions name all, and those offline beside.
    fn reached(self, replicas: &[BrokerId]) -> Vec<i32> {
        match self.version {
            0 => replicas.iter().filter(|id| self.view.is_reached(**id)).map(|id| id.0).collect(),
            _ => ids(replicas),
        }
    }
}

fn refuse(request: &MetadataRequest) -> MetadataResponse {
    let error_code = ErrorCode::InvalidRequest.code();
    let refused = request.topics.iter().flatten().map(|topic| MetadataResponseTopic {
        error_code,
        name: Some(topic.name.clone().unwrap_or_default()),
        topic_id: topic.topic_id,
        ..MetadataResponseTopic::default()
    });
    MetadataResponse { topics: refused.collect(), error_code, ..MetadataResponse::default() }
}

#[cfg(test)]
mod tests {
    use protocol::messages::metadata_request::MetadataRequestTopic;
    use protocol::wire::{Message, Writer};

    use super::*;
    use crate::api::cluster_view::Outlook;
    use crate::api::sample::{CLIENTS, image, outlook, topic_id, with_topic};

    fn answer(outlook: &Outlook, version: i16) -> Answer<'_> {
        Answer { view: outlook.through(CLIENTS), departed: &[], this: BrokerId(1), version }
    }

    fn by_name(name: &str) -> MetadataRequestTopic {
        MetadataRequestTopic { name: Some(name.into()), ..MetadataRequestTopic::default() }
    }

    fn by_id(id: Uuid) -> MetadataRequestTopic {
        MetadataRequestTopic { name: None, topic_id: id }
    }

    /// What is answered: name, error and number of partitions of each topic; none where the request is refused.
    fn answered(
        topics: Option<Vec<MetadataRequestTopic>>,
        version: i16,
    ) -> Option<Vec<(String, ErrorCode, usize)>> {
        let outlook = outlook(with_topic(with_topic(image(), "b", &[1]), "a", &[1, -1]));
        let asked = asked(&MetadataRequest { topics, ..MetadataRequest::default() }, version)?;
        let topics = answer(&outlook, version).topics(&asked);
        let shown = topics.into_iter().map(|topic| {
            let name = topic.name.map_or("none".to_owned(), String::from);
            (name, ErrorCode::from_code(topic.error_code), topic.partitions.len())
        });
        Some(shown.collect())
    }

    #[test]
    fn null_asks_for_all_topics_and_so_does_nothing_in_version_0() {
        let all = Some(vec![("a".to_owned(), ErrorCode::None, 2), ("b".to_owned(), ErrorCode::None, 1)]);
        assert_eq!(answered(None, 1), all);
        assert_eq!(answered(Some(Vec::new()), 0), all);
        assert_eq!(answered(Some(Vec::new()), 1), Some(Vec::new()));
    }

    #[test]
    fn a_missing_topic_a_wrong_name_and_an_unknown_id_have_their_own_errors() {
        let named = vec![by_name("b"), by_name("b"), by_name("c"), by_name("c d")];
        let expected = [
            ("b".to_owned(), ErrorCode::None, 1),
            ("c".to_owned(), ErrorCode::UnknownTopicOrPartition, 0),
            ("c d".to_owned(), ErrorCode::InvalidTopicException, 0),
        ];
        assert_eq!(answered(Some(named), 9), Some(expected.to_vec()), "once each, in order");
        let ids = vec![by_id(topic_id("a")), by_id(topic_id("z"))];
        let expected =
            [("a".to_owned(), ErrorCode::None, 2), ("none".to_owned(), ErrorCode::UnknownTopicId, 0)];
        assert_eq!(answered(Some(ids), 12), Some(expected.to_vec()));
    }

    #[test]
    fn ids_are_refused_where_the_version_cannot_ask_by_them() {
        assert_eq!(answered(Some(vec![by_id(topic_id("a"))]), 11), None);
        assert_eq!(answered(Some(vec![by_id(Uuid::ZERO)]), 11), None, "neither name nor id");
    }

    #[track_caller]
    fn check_partition(leader: i32, version: i16, error: ErrorCode, replicas: &[i32]) {
        let outlook = outlook(with_topic(image(), "t", &[leader]));
        let topic = answer(&outlook, version).by_name(&"t".into());
        let partition = &topic.partitions[0];
        assert_eq!(ErrorCode::from_code(partition.error_code), error);
        assert_eq!((partition.leader_epoch, partition.replica_nodes.as_slice()), (5, replicas));
        assert_eq!(partition.offline_replicas, [2, 3, 4]);
    }

    #[test]
    fn versions_say_in_their_own_way_what_is_away() {
        check_partition(1, 12, ErrorCode::None, &[1, 2, 3, 4]);
        check_partition(-1, 12, ErrorCode::LeaderNotAvailable, &[1, 2, 3, 4]);
        check_partition(3, 12, ErrorCode::ListenerNotFound, &[1, 2, 3, 4]);
        check_partition(3, 5, ErrorCode::LeaderNotAvailable, &[1, 2, 3, 4]);
        check_partition(1, 0, ErrorCode::ReplicaNotAvailable, &[1]);
    }

    #[test]
    fn every_version_can_be_written_with_all_that_it_can_ask_for() {
        let outlook = outlook(with_topic(image(), "t", &[1, 3]));
        for version in MetadataRequest::VERSIONS {
            let request = MetadataRequest {
                topics: (version > 0).then(|| vec![by_name("t"), by_name("u")]).or(Some(Vec::new())),
                include_cluster_authorized_operations: (8..=10).contains(&version),
                include_topic_authorized_operations: version >= 8,
                ..MetadataRequest::default()
            };
            let asked = asked(&request, version).expect("is fine");
            let response = answer(&outlook, version).response(&request, &asked);
            response.encode(&mut Writer::new(), version).expect("can be written");
            refuse(&request).encode(&mut Writer::new(), version).expect("can be written");
            assert_eq!((response.controller_id, response.brokers.len()), (1, 1));
        }
    }

    #[test]
    fn who_left_lately_is_named_but_leads_nothing() {
        let outlook = outlook(with_topic(image(), "t", &[2]));
        let departed = [1, 2].map(|id| outlook.image.brokers[&BrokerId(id)].clone());
        let answer = Answer { departed: &departed, ..answer(&outlook, 12) };
        let response = answer.response(&MetadataRequest::default(), &Asked::All);
        let named: Vec<i32> = response.brokers.iter().map(|broker| broker.node_id).collect();
        assert_eq!(named, [1, 2], "once each");
        assert_eq!(response.topics[0].partitions[0].leader_id, -1);
    }
}
