//! Admin calls against a small cluster in memory: what is answered, and what would be created.

use std::sync::Arc;

use bytes::Bytes;
use metadata::image::{BrokerImage, ClusterImage};
use proto::controller::ForwardRequest;
use protocol::messages::create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::create_topics_response::CreatableTopicResult;
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse,
};
use protocol::types::{BrokerId, Uuid};
use protocol::wire::{Message, Reader, Request, Writer};

use super::{CallError, decide};
use crate::state::State;

fn cluster(brokers: i32) -> State {
    let mut image = ClusterImage { revision: 10, ..ClusterImage::default() };
    for id in (1..=brokers).map(BrokerId) {
        image.brokers.insert(id, Arc::new(BrokerImage { id, ..BrokerImage::default() }));
    }
    State { image: Arc::new(image), connected: (1..=brokers).map(BrokerId).collect(), ..State::default() }
}

/// Sends a call through the whole path and commits what it plans.
fn call<R: Request>(state: &mut State, request: R, version: i16) -> R::Response {
    let mut writer = Writer::new();
    request.encode(&mut writer, version).unwrap();
    let body = writer.finish().bytes;
    let (api_key, api_version) = (i32::from(R::KEY as i16), i32::from(version));
    let call = ForwardRequest { api_key, api_version, body, ..ForwardRequest::default() };
    let decided = decide(state, &call, &mut fastrand::Rng::with_seed(7)).unwrap();
    for step in decided.plan.steps {
        let revision = state.image.revision + 1;
        state.committed(step, revision).unwrap();
    }
    R::Response::decode(&mut Reader::new(decided.answer), version).unwrap()
}

fn topic(name: &str, num_partitions: i32, replication_factor: i16) -> CreatableTopic {
    CreatableTopic { name: name.into(), num_partitions, replication_factor, ..CreatableTopic::default() }
}

fn config(name: &str, value: Option<&str>) -> CreatableTopicConfig {
    CreatableTopicConfig { name: name.into(), value: value.map(Into::into) }
}

fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    let assignments = assignments.iter().map(|(partition_index, brokers)| CreatableReplicaAssignment {
        partition_index: *partition_index,
        broker_ids: brokers.to_vec(),
    });
    CreatableTopic { assignments: assignments.collect(), ..topic(name, -1, -1) }
}

fn create(state: &mut State, topics: Vec<CreatableTopic>) -> Vec<CreatableTopicResult> {
    let response: CreateTopicsResponse =
        call(state, CreateTopicsRequest { topics, ..CreateTopicsRequest::default() }, 7);
    response.topics
}

/// The error's name and its message.
fn check(state: &mut State, topic: CreatableTopic, error: &str, message: &str) {
    let result = create(state, vec![topic]).remove(0);
    let name = protocol::ErrorCode::from_code(result.error_code).name();
    assert_eq!((name, result.error_message.as_deref().unwrap_or("")), (error, message));
}

#[test]
fn a_topic_is_created_with_its_id_counts_and_configs() {
    let mut state = cluster(3);
    let mut orders = topic("orders", 6, 3);
    orders.configs = vec![config("retention.ms", Some("1000"))];
    let result = create(&mut state, vec![orders]).remove(0);
    assert_eq!((result.error_code, result.num_partitions, result.replication_factor), (0, 6, 3));
    let created = Arc::clone(state.image.topic("orders").unwrap());
    assert_eq!((created.id, created.partitions.len()), (result.topic_id, 6));
    assert!(created.partitions.iter().all(|p| p.leader == p.replicas[0] && p.isr.len() == 3));
    let configs = result.configs.unwrap();
    let retention = configs.iter().find(|config| &*config.name == "retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("1000"), 1));
    let policy = configs.iter().find(|config| &*config.name == "cleanup.policy").unwrap();
    assert_eq!((policy.value.as_deref(), policy.config_source), (Some("delete"), 5));
    assert!(configs.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn defaults_stand_for_what_is_not_given() {
    let mut state = cluster(2);
    let statics =
        [("num.partitions", "3"), ("default.replication.factor", "2"), ("min.insync.replicas", "5")];
    state.statics = Arc::new(statics.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let result = create(&mut state, vec![topic("orders", -1, -1)]).remove(0);
    assert_eq!((result.num_partitions, result.replication_factor), (3, 2));
    assert_eq!(state.image.partition("orders", 0).unwrap().min_isr, 2, "no more than there are replicas");
}

#[test]
fn what_cannot_be_created_is_refused_in_kafkas_words() {
    let state = &mut cluster(3);
    create(state, vec![topic("a_b", 1, 1)]);
    check(state, topic("a_b", 1, 1), "TOPIC_ALREADY_EXISTS", "Topic 'a_b' already exists.");
    check(
        state,
        topic("a.b", 1, 1),
        "INVALID_TOPIC_EXCEPTION",
        "Topic 'a.b' collides with existing topic: a_b",
    );
    check(
        state,
        topic("a b", 1, 1),
        "INVALID_TOPIC_EXCEPTION",
        "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    );
    let partitions = "Number of partitions was set to an invalid non-positive value.";
    check(state, topic("c", 0, 1), "INVALID_PARTITIONS", partitions);
    let factor = "Replication factor must be larger than 0, or -1 to use the default value.";
    check(state, topic("c", 1, 0), "INVALID_REPLICATION_FACTOR", factor);
    check(
        state,
        topic("c", 1, 4),
        "INVALID_REPLICATION_FACTOR",
        "Unable to replicate the partition 4 time(s): The target replication factor of 4 cannot be reached because only 3 \
         broker(s) are registered.",
    );
    let mut configured = topic("c", 1, 1);
    configured.configs = vec![config("retention.ms", None), config("x", None)];
    check(state, configured, "INVALID_CONFIG", "Null value not supported for topic configs: retention.ms,x");
    let mut configured = topic("c", 1, 1);
    configured.configs = vec![config("x.y", Some("1"))];
    check(state, configured, "INVALID_CONFIG", "Unknown topic config name: x.y");
    check(
        state,
        topic("__cluster_metadata", 1, 1),
        "INVALID_REQUEST",
        "Creation of internal topic __cluster_metadata is prohibited.",
    );
    check(
        state,
        topic("c", 10_001, 1),
        "POLICY_VIOLATION",
        "Excessively large number of partitions per request.",
    );
}

#[test]
fn a_manual_assignment_is_taken_as_it_is_or_refused() {
    let state = &mut cluster(3);
    let result = create(state, vec![assigned("a", &[(1, &[3, 1]), (0, &[2, 3])])]).remove(0);
    assert_eq!((result.error_code, result.num_partitions, result.replication_factor), (0, 2, 2));
    assert_eq!(state.image.partition("a", 1).unwrap().replicas, [BrokerId(3), BrokerId(1)]);
    let prefix = "The manual partition assignment includes";
    let mut refuse = |assignments: &[(i32, &[i32])], message: &str| {
        check(state, assigned("b", assignments), "INVALID_REPLICA_ASSIGNMENT", message);
    };
    refuse(&[(0, &[])], &format!("{prefix} an empty replica list."));
    refuse(&[(0, &[1, 7])], &format!("{prefix} broker 7, but no such broker is registered."));
    refuse(&[(0, &[1, 1])], &format!("{prefix} the broker 1 more than once."));
    refuse(
        &[(0, &[1, 2]), (1, &[1])],
        &format!(
            "{prefix} a partition with 1 replica(s), but this is not consistent with previous partitions, which have 2 \
             replica(s)."
        ),
    );
    refuse(&[(0, &[1]), (0, &[2])], "Found multiple manual partition assignments for partition 0");
    refuse(&[(0, &[1]), (2, &[2])], "partitions should be a consecutive 0-based integer sequence");
    let counted = CreatableTopic { num_partitions: 1, ..assigned("b", &[(0, &[1])]) };
    let message = "A manual partition assignment was specified, but numPartitions was not set to -1.";
    check(state, counted, "INVALID_REQUEST", message);
}

#[test]
fn duplicates_are_refused_once_and_the_rest_is_created() {
    let mut state = cluster(1);
    let results = create(&mut state, vec![topic("a", 1, 1), topic("b", 1, 1), topic("a", 2, 1)]);
    let codes: Vec<_> = results.iter().map(|result| (result.name.to_string(), result.error_code)).collect();
    assert_eq!(codes, [("b".to_owned(), 0), ("a".to_owned(), 42)]);
    assert!(state.image.topic("a").is_none());
}

#[test]
fn a_validation_changes_nothing() {
    let mut state = cluster(1);
    let request = CreateTopicsRequest {
        topics: vec![topic("a", 2, 1)],
        validate_only: true,
        ..CreateTopicsRequest::default()
    };
    let response: CreateTopicsResponse = call(&mut state, request, 2);
    assert_eq!(response.topics[0].error_code, 0);
    assert!(state.image.topics.is_empty());
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let mut state = cluster(1);
    create(&mut state, ["a", "b", "c"].map(|name| topic(name, 2, 1)).into());
    let b = state.image.topic("b").unwrap().id;
    let wanted = |name: Option<&str>, topic_id| DeleteTopicState { name: name.map(Into::into), topic_id };
    let topics = vec![
        wanted(Some("a"), Uuid::ZERO),
        wanted(None, b),
        wanted(Some("b"), Uuid::ZERO),
        wanted(None, Uuid([1; 16])),
        wanted(None, Uuid::ZERO),
        wanted(Some("c"), b),
        wanted(Some("x"), Uuid::ZERO),
        wanted(Some("x"), Uuid::ZERO),
    ];
    let request = DeleteTopicsRequest { topics, ..DeleteTopicsRequest::default() };
    let response: DeleteTopicsResponse = call(&mut state, request, 6);
    let mut codes: Vec<_> = response
        .responses
        .iter()
        .map(|result| (result.name.as_deref().unwrap_or("-"), result.error_code))
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [("-", 42), ("-", 100), ("a", 0), ("b", 42), ("c", 42), ("x", 42)]);
    assert_eq!(state.image.topics.len(), 2);
    let request =
        DeleteTopicsRequest { topic_names: vec!["c".into(), "x".into()], ..DeleteTopicsRequest::default() };
    let response: DeleteTopicsResponse = call(&mut state, request, 1);
    let codes: Vec<_> = response.responses.iter().map(|result| result.error_code).collect();
    assert_eq!(codes, [0, 3]);
}

#[test]
fn deletion_can_be_disabled() {
    let mut state = cluster(1);
    create(&mut state, vec![topic("a", 1, 1)]);
    state.statics = Arc::new([("delete.topic.enable".to_owned(), "false".to_owned())].into());
    for (version, code) in [(1, 42), (3, 73)] {
        let request = DeleteTopicsRequest { topic_names: vec!["a".into()], ..DeleteTopicsRequest::default() };
        let response: DeleteTopicsResponse = call(&mut state, request, version);
        assert_eq!(response.responses[0].error_code, code);
    }
}

#[test]
fn a_topic_grows_by_partitions() {
    let mut state = cluster(3);
    create(&mut state, vec![topic("a", 1, 2)]);
    let mut grow = |name: &str, count: i32, assignments: Option<&[&[i32]]>| {
        let assignments = assignments.map(|all| {
            all.iter().map(|brokers| CreatePartitionsAssignment { broker_ids: brokers.to_vec() }).collect()
        });
        let topics = vec![CreatePartitionsTopic { name: name.into(), count, assignments }];
        let request = CreatePartitionsRequest { topics, ..CreatePartitionsRequest::default() };
        let mut response: CreatePartitionsResponse = call(&mut state, request, 3);
        let result = response.results.remove(0);
        (result.error_code, result.error_message.map(|message| message.to_string()).unwrap_or_default())
    };
    assert_eq!(grow("a", 3, None), (0, String::new()));
    assert_eq!(grow("a", 4, Some(&[&[2, 3]])), (0, String::new()));
    assert_eq!(grow("x", 4, None), (3, String::new()));
    assert_eq!(grow("a", 4, None), (37, "Topic already has 4 partition(s).".into()));
    let smaller = "The topic a currently has 4 partition(s); 2 would not be an increase.";
    assert_eq!(grow("a", 2, None), (37, smaller.into()));
    let few = "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.";
    assert_eq!(grow("a", 6, Some(&[&[1, 2]])), (39, few.into()));
    let partitions = &state.image.topic("a").unwrap().partitions;
    assert_eq!((partitions.len(), &partitions[3].replicas), (4, &vec![BrokerId(2), BrokerId(3)]));
    assert!(partitions.iter().all(|partition| partition.replicas.len() == 2));
}

#[test]
fn what_is_not_served_or_malformed_is_an_error() {
    let state = cluster(1);
    let call = |api_key, body: &'static [u8]| {
        let call =
            ForwardRequest { api_key, api_version: 7, body: Bytes::from_static(body), ..Default::default() };
        decide(&state, &call, &mut fastrand::Rng::with_seed(1))
    };
    assert!(matches!(call(0, b""), Err(CallError::NotServed { key: 0 })));
    assert!(matches!(call(70_000, b""), Err(CallError::NotServed { key: 70_000 })));
    assert!(matches!(call(19, b"\xff"), Err(CallError::Decode(_))));
}
