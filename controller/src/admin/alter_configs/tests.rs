//! What may be set, and what is answered where it may not.

use std::sync::Arc;

use metadata::image::{BrokerImage, ClusterImage, ConfigResource, TopicImage};
use protocol::messages::alter_configs_request::{AlterConfigsResource as Whole, AlterableConfig as Value};
use protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use protocol::types::Uuid;

use super::*;
use protocol::types::BrokerId;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

fn state() -> State {
    let topic = TopicImage { name: "orders".into(), id: Uuid([9; 16]), partitions: Vec::new() };
    let mut image = ClusterImage::default();
    image.brokers.insert(BrokerId(1), Arc::new(BrokerImage { id: BrokerId(1), ..BrokerImage::default() }));
    image.topic_names.insert(topic.id, topic.name.clone());
    image.topics.insert(topic.name.clone(), Arc::new(topic));
    State { image: Arc::new(image), ..State::default() }
}

fn one(kind: i8, name: &str, operations: &[(&str, i8, Option<&str>)]) -> AlterConfigsResource {
    let configs = operations.iter().map(|(name, config_operation, value)| AlterableConfig {
        name: (*name).into(),
        config_operation: *config_operation,
        value: value.map(Into::into),
    });
    AlterConfigsResource { resource_type: kind, resource_name: name.into(), configs: configs.collect() }
}

/// Alters, and commits; each resource's error and message.
fn call(state: &mut State, resources: Vec<AlterConfigsResource>) -> Vec<(ErrorCode, String)> {
    let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
    let Decided { answer, plan } = alter(state, &request);
    for step in plan.steps {
        let revision = state.image.revision + 1;
        state.committed(step, revision).unwrap();
    }
    let told = answer.responses.into_iter();
    told.map(|one| (ErrorCode::from_code(one.error_code), one.error_message.unwrap_or_default().to_string()))
        .collect()
}

fn set(state: &State, resource: ConfigResource) -> Vec<(String, String)> {
    let values = state.image.config(&resource).map(|values| Values::clone(values)).unwrap_or_default();
    values.into_iter().collect()
}

fn check(resource: AlterConfigsResource, error: ErrorCode, message: &str) {
    let answer = call(&mut state(), vec![resource]);
    assert_eq!(answer, [(error, message.to_owned())]);
}

#[test]
fn single_keys_are_set_deleted_appended_to_and_subtracted_from() {
    let mut state = state();
    let orders = ConfigResource::Topic("orders".into());
    let first = [("retention.ms", SET, Some("1000")), ("cleanup.policy", APPEND, Some("compact"))];
    assert_eq!(call(&mut state, vec![one(TOPIC, "orders", &first)])[0].0, ErrorCode::None);
    let expected = [("cleanup.policy", "delete,compact"), ("retention.ms", "1000")];
    let text = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    assert_eq!(set(&state, orders.clone()), text(&expected));
    let second = [("retention.ms", DELETE, None), ("cleanup.policy", SUBTRACT, Some("delete"))];
    assert_eq!(call(&mut state, vec![one(TOPIC, "orders", &second)])[0].0, ErrorCode::None);
    assert_eq!(set(&state, orders.clone()), text(&[("cleanup.policy", "compact")]));
    let third = [("cleanup.policy", DELETE, None)];
    assert_eq!(call(&mut state, vec![one(TOPIC, "orders", &third)])[0].0, ErrorCode::None);
    assert!(state.image.config(&orders).is_none() && state.key_revisions.is_empty());
}

#[test]
fn what_may_not_be_set_is_refused_in_kafkas_words() {
    check(
        one(TOPIC, "orders", &[("retention.ms", SET, Some("never"))]),
        ErrorCode::InvalidConfig,
        "Invalid value never for configuration retention.ms: Not a number of type LONG",
    );
    check(
        one(TOPIC, "gone", &[("retention.ms", SET, Some("1"))]),
        ErrorCode::UnknownTopicOrPartition,
        "The topic 'gone' does not exist.",
    );
    check(
        one(TOPIC, "orders", &[("retention.ms", APPEND, Some("1"))]),
        ErrorCode::InvalidConfig,
        "Can't APPEND to key retention.ms because its type is not LIST.",
    );
    check(
        one(TOPIC, "orders", &[("retention.ms", SET, None)]),
        ErrorCode::InvalidRequest,
        "Null value not supported for : retention.ms",
    );
    check(
        one(TOPIC, "", &[("retention.ms", SET, Some("1"))]),
        ErrorCode::InvalidRequest,
        "Default topic resources are not allowed.",
    );
    check(one(77, "x", &[]), ErrorCode::InvalidRequest, "Unknown resource type 77");
    check(
        one(BROKER, "1", &[("node.id", SET, Some("2"))]),
        ErrorCode::InvalidRequest,
        "Cannot update these configs dynamically: [node.id]",
    );
    check(
        one(BROKER, "7", &[("log.retention.ms", SET, Some("2"))]),
        ErrorCode::BrokerIdNotRegistered,
        "No broker with id 7 found.",
    );
    check(
        one(BROKER, "1", &[("min.insync.replicas", SET, Some("2"))]),
        ErrorCode::InvalidConfig,
        "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
    );
}

#[test]
fn a_resource_that_is_refused_leaves_the_others_be_and_none_comes_twice() {
    let mut state = state();
    let fine = one(BROKER, "", &[("min.insync.replicas", SET, Some("2"))]);
    let wrong = one(TOPIC, "orders", &[("what", SET, Some("1"))]);
    let answer = call(&mut state, vec![fine, wrong.clone(), wrong]);
    assert_eq!(answer[0].0, ErrorCode::None);
    assert_eq!(answer[1], (ErrorCode::InvalidRequest, "Each resource must appear at most once.".to_owned()));
    assert_eq!(set(&state, ConfigResource::Broker(String::new())).len(), 1);
}

#[test]
fn a_whole_replacement_drops_what_it_does_not_name_and_may_only_be_tried() {
    let mut state = state();
    call(&mut state, vec![one(TOPIC, "orders", &[("retention.ms", SET, Some("1000"))])]);
    let request = |validate_only| AlterConfigsRequest {
        resources: vec![Whole {
            resource_type: TOPIC,
            resource_name: "orders".into(),
            configs: vec![Value { name: "segment.bytes".into(), value: Some("2000000".into()) }],
        }],
        validate_only,
    };
    assert!(replace(&state, &request(true)).plan.is_empty());
    for step in replace(&state, &request(false)).plan.steps {
        state.committed(step, 9).unwrap();
    }
    let expected = [("segment.bytes".to_owned(), "2000000".to_owned())];
    assert_eq!(set(&state, ConfigResource::Topic("orders".into())), expected);
}
