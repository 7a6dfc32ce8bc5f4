//! CreateTopics: checks and places each topic by itself; those that pass are created, the others are told why not.
//!
//! The order of the checks is Apache Kafka's: name, existence, configuration, then partitions and replicas.

use std::collections::BTreeSet;

use fastrand::Rng;
use metadata::configs;
use protocol::ErrorCode;
use protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use protocol::types::BrokerId;
use protocol::wire::Str;

use super::assignment::{Assignment, check_active, check_manual, place_replicas};
use super::refusal::Refusal;
use super::{Decided, topic_id, topic_name};
use crate::plan::create_topic::{NewTopic, create_topic};
use crate::plan::{Plan, in_steps};
use crate::state::{State, Values};

/// The most partitions that one request may create.
const PARTITIONS_MAX: i64 = 10_000;
/// The longest value of a configuration.
const CONFIG_VALUE_MAX: usize = i16::MAX as usize;
/// The topic of Kafka's own metadata, which nobody may create.
const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";
/// "What the cluster has for default."
const DEFAULT: i32 = -1;

pub(super) fn decide(
    state: &State,
    request: &CreateTopicsRequest,
    rng: &mut Rng,
) -> Decided<CreateTopicsResponse> {
    if partitions_asked_for(state, request) > PARTITIONS_MAX {
        let refusal =
            Refusal::new(ErrorCode::PolicyViolation, "Excessively large number of partitions per request.");
        let refused = request.topics.iter().map(|topic| refused(&topic.name, refusal.clone()));
        return answer(refused.collect(), Plan::default());
    }
    let duplicates = duplicate_names(request);
    let (mut results, mut steps) = (Vec::new(), Vec::new());
    for topic in request.topics.iter().filter(|topic| !is_withheld(topic, &duplicates)) {
        match new_topic(state, topic, rng) {
            Ok(new) => {
                results.push(created(state, &new));
                steps.extend(create_topic(state, new));
            }
            Err(refusal) => results.push(refused(&topic.name, refusal)),
        }
    }
    results.extend(withheld(request, &duplicates));
    if request.validate_only {
        steps.clear();
    }
    answer(results, Plan { steps: in_steps(steps), ..Plan::default() })
}

fn answer(topics: Vec<CreatableTopicResult>, plan: Plan) -> Decided<CreateTopicsResponse> {
    Decided { answer: CreateTopicsResponse { topics, ..CreateTopicsResponse::default() }, plan }
}

fn partitions_asked_for(state: &State, request: &CreateTopicsRequest) -> i64 {
    let of_topic = |topic: &CreatableTopic| match (topic.assignments.len(), topic.num_partitions) {
        (0, DEFAULT) => state.cluster_number("num.partitions"),
        (0, count) => i64::from(count.max(0)),
        (assignments, _) => assignments as i64,
    };
    request.topics.iter().map(of_topic).sum()
}

fn duplicate_names(request: &CreateTopicsRequest) -> BTreeSet<&Str> {
    let mut seen = BTreeSet::new();
    request.topics.iter().map(|topic| &topic.name).filter(|name| !seen.insert(*name)).collect()
}

fn is_withheld(topic: &CreatableTopic, duplicates: &BTreeSet<&Str>) -> bool {
    duplicates.contains(&topic.name) || &*topic.name == CLUSTER_METADATA_TOPIC
}

/// The answers of those that are not even looked at; they come last, each once.
fn withheld(request: &CreateTopicsRequest, duplicates: &BTreeSet<&Str>) -> Vec<CreatableTopicResult> {
    let invalid = |message: &str| Refusal::new(ErrorCode::InvalidRequest, message);
    let duplicates_refused = duplicates.iter().map(|name| refused(name, invalid("Duplicate topic name.")));
    let prohibited = request
        .topics
        .iter()
        .filter(|topic| &*topic.name == CLUSTER_METADATA_TOPIC && !duplicates.contains(&topic.name))
        .map(|topic| {
            let message = format!("Creation of internal topic {CLUSTER_METADATA_TOPIC} is prohibited.");
            refused(&topic.name, invalid(&message))
        });
    duplicates_refused.chain(prohibited).collect()
}

fn new_topic(state: &State, topic: &CreatableTopic, rng: &mut Rng) -> Result<NewTopic, Refusal> {
    check_name(state, &topic.name)?;
    let configs = check_configs(topic)?;
    let assignment = match topic.assignments.is_empty() {
        true => placed_assignment(state, topic, rng)?,
        false => manual_assignment(state, topic)?,
    };
    Ok(NewTopic { name: topic.name.to_string(), id: topic_id(rng), assignment, configs })
}

fn check_name(state: &State, name: &str) -> Result<(), Refusal> {
    if state.image.topic(name).is_some() {
        let message = format!("Topic '{name}' already exists.");
        return Err(Refusal::new(ErrorCode::TopicAlreadyExists, message));
    }
    let others = state.image.topics.keys().map(String::as_str);
    if let Some(other) = topic_name::colliding(name, others) {
        let message = format!("Topic '{name}' collides with existing topic: {other}");
        return Err(Refusal::new(ErrorCode::InvalidTopicException, message));
    }
    match topic_name::invalid(name) {
        Some(reason) => Err(Refusal::new(ErrorCode::InvalidTopicException, reason)),
        None => Ok(()),
    }
}

fn check_configs(topic: &CreatableTopic) -> Result<Values, Refusal> {
    let invalid = |message: String| Refusal::new(ErrorCode::InvalidConfig, message);
    let without_value = topic.configs.iter().filter(|config| config.value.is_none());
    let without_value: Vec<&str> = without_value.map(|config| &*config.name).collect();
    if !without_value.is_empty() {
        let names = without_value.join(",");
        return Err(invalid(format!("Null value not supported for topic configs: {names}")));
    }
    let set = topic
        .configs
        .iter()
        .filter_map(|config| Some((config.name.to_string(), config.value.as_ref()?.to_string())));
    let values: Values = set.collect();
    if values.values().any(|value| value.len() > CONFIG_VALUE_MAX) {
        let message = format!("A configuration value exceeds the maximum size of {CONFIG_VALUE_MAX} bytes.");
        return Err(invalid(message));
    }
    configs::check_topic(&values).map_err(|error| invalid(error.to_string()))?;
    Ok(values)
}

fn placed_assignment(state: &State, topic: &CreatableTopic, rng: &mut Rng) -> Result<Assignment, Refusal> {
    let replication_factor = match i32::from(topic.replication_factor) {
        DEFAULT => i32::try_from(state.cluster_number("default.replication.factor")).unwrap_or(0),
        given if given > 0 => given,
        _ => {
            let message = "Replication factor must be larger than 0, or -1 to use the default value.";
            return Err(Refusal::new(ErrorCode::InvalidReplicationFactor, message));
        }
    };
    let partitions = match topic.num_partitions {
        DEFAULT => usize::try_from(state.cluster_number("num.partitions")).unwrap_or(0),
        given if given > 0 => given as usize,
        _ => {
            let message = "Number of partitions was set to an invalid non-positive value.";
            return Err(Refusal::new(ErrorCode::InvalidPartitions, message));
        }
    };
    let placed = place_replicas(state, partitions, replication_factor, rng).map_err(|error| {
        let message = format!("Unable to replicate the partition {replication_factor} time(s): {error}");
        Refusal::new(ErrorCode::InvalidReplicationFactor, message)
    })?;
    check_active(state, &placed, replication_factor)?;
    Ok(placed)
}

fn manual_assignment(state: &State, topic: &CreatableTopic) -> Result<Assignment, Refusal> {
    let prefix = "A manual partition assignment was specified, but";
    if i32::from(topic.replication_factor) != DEFAULT {
        let message = format!("{prefix} replication factor was not set to -1.");
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    if topic.num_partitions != DEFAULT {
        let message = format!("{prefix} numPartitions was not set to -1.");
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    in_order(checked_assignments(state, &topic.assignments)?)
}

type Numbered = std::collections::BTreeMap<i32, Vec<BrokerId>>;

fn checked_assignments(
    state: &State,
    assignments: &[CreatableReplicaAssignment],
) -> Result<Numbered, Refusal> {
    let (mut numbered, mut replication_factor) = (Numbered::new(), None);
    for CreatableReplicaAssignment { partition_index, broker_ids } in assignments {
        if numbered.contains_key(partition_index) {
            let message =
                format!("Found multiple manual partition assignments for partition {partition_index}");
            return Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
        }
        let replicas = check_manual(state, *partition_index, broker_ids, replication_factor)?;
        replication_factor = Some(replicas.len());
        numbered.insert(*partition_index, replicas);
    }
    Ok(numbered)
}

fn in_order(numbered: Numbered) -> Result<Assignment, Refusal> {
    let consecutive = numbered.keys().copied().eq(0..numbered.len() as i32);
    match consecutive {
        true => Ok(numbered.into_values().collect()),
        false => Err(Refusal::new(
            ErrorCode::InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        )),
    }
}

fn refused(name: &Str, refusal: Refusal) -> CreatableTopicResult {
    CreatableTopicResult {
        name: name.clone(),
        error_code: refusal.error.code(),
        error_message: refusal.message,
        ..CreatableTopicResult::default()
    }
}

fn created(state: &State, topic: &NewTopic) -> CreatableTopicResult {
    CreatableTopicResult {
        name: Str::from(&topic.name),
        topic_id: topic.id,
        num_partitions: topic.assignment.len() as i32,
        replication_factor: topic.assignment.first().map_or(0, Vec::len) as i16,
        error_message: None,
        configs: Some(effective_configs(state, &topic.configs)),
        ..CreatableTopicResult::default()
    }
}

/// All that holds for the topic, ordered by name.
fn effective_configs(state: &State, own: &Values) -> Vec<CreatableTopicConfigs> {
    let config = state.topic_config(Some(own));
    let mut keys: Vec<_> = configs::topic_keys().iter().collect();
    keys.retain(|key| !key.internal || own.contains_key(key.name));
    keys.sort_unstable_by_key(|key| key.name);
    let resolved = keys.into_iter().filter_map(|key| Some((key, config.resolve(key.name)?)));
    let described = resolved.map(|(key, resolved)| CreatableTopicConfigs {
        name: Str::from_static(key.name),
        value: resolved.value.filter(|_| !key.kind.is_sensitive()).map(Str::from),
        read_only: false,
        config_source: resolved.source as i8,
        is_sensitive: key.kind.is_sensitive(),
    });
    described.collect()
}
