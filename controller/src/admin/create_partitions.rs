//! CreatePartitions: a topic grows to the count that is asked for, with as many replicas as its first partition has.

use std::collections::BTreeSet;

use fastrand::Rng;
use metadata::image::TopicImage;
use protocol::ErrorCode;
use protocol::messages::create_partitions_request::CreatePartitionsTopic;
use protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};
use protocol::wire::Str;

use super::Decided;
use super::assignment::{Assignment, check_active, check_manual, place_replicas};
use super::refusal::Refusal;
use crate::plan::create_partitions::create_partitions;
use crate::plan::{Plan, Step, in_steps};
use crate::state::State;

pub(super) fn decide(
    state: &State,
    request: &CreatePartitionsRequest,
    rng: &mut Rng,
) -> Decided<CreatePartitionsResponse> {
    let mut seen = BTreeSet::new();
    let names = request.topics.iter().map(|topic| &topic.name);
    let duplicates: BTreeSet<&Str> = names.filter(|name| !seen.insert(*name)).collect();
    let refusal = Refusal::new(ErrorCode::InvalidRequest, "Duplicate topic name.");
    let mut results: Vec<_> = duplicates.iter().map(|name| result(name, Err(refusal.clone()))).collect();
    let mut steps = Vec::new();
    for topic in request.topics.iter().filter(|topic| !duplicates.contains(&topic.name)) {
        let grown = grow(state, topic, rng).map(|more| steps.extend(more));
        results.push(result(&topic.name, grown));
    }
    if request.validate_only {
        steps.clear();
    }
    let answer = CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() };
    Decided { answer, plan: Plan { steps: in_steps(steps), ..Plan::default() } }
}

fn result(name: &Str, outcome: Result<(), Refusal>) -> CreatePartitionsTopicResult {
    let refusal = outcome.err();
    CreatePartitionsTopicResult {
        name: name.clone(),
        error_code: refusal.as_ref().map_or(ErrorCode::None, |refusal| refusal.error).code(),
        error_message: refusal.and_then(|refusal| refusal.message),
    }
}

fn grow(state: &State, wanted: &CreatePartitionsTopic, rng: &mut Rng) -> Result<Vec<Step>, Refusal> {
    let unknown = || Refusal::silent(ErrorCode::UnknownTopicOrPartition);
    let topic = state.image.topic(&wanted.name).ok_or_else(unknown)?;
    let additional = additional(topic, wanted)?;
    let replication_factor = topic.partitions.first().map_or(1, |partition| partition.replicas.len());
    let assignment = match &wanted.assignments {
        Some(named) => {
            let named: Vec<&[i32]> = named.iter().map(|assignment| &assignment.broker_ids[..]).collect();
            manual(state, topic, &named, additional, replication_factor)?
        }
        None => placed(state, additional, replication_factor, rng)?,
    };
    Ok(create_partitions(state, topic, assignment))
}

fn additional(topic: &TopicImage, wanted: &CreatePartitionsTopic) -> Result<usize, Refusal> {
    let (count, known) = (i64::from(wanted.count), topic.partitions.len() as i64);
    let refuse = |message: String| Err(Refusal::new(ErrorCode::InvalidPartitions, message));
    if count == known {
        return refuse(format!("Topic already has {known} partition(s)."));
    }
    if count < known {
        let name = &wanted.name;
        return refuse(format!(
            "The topic {name} currently has {known} partition(s); {count} would not be an increase."
        ));
    }
    Ok((count - known) as usize)
}

fn manual(
    state: &State,
    topic: &TopicImage,
    named: &[&[i32]],
    additional: usize,
    replication_factor: usize,
) -> Result<Assignment, Refusal> {
    if named.len() != additional {
        let message = format!(
            "Attempted to add {additional} additional partition(s), but only {} assignment(s) were specified.",
            named.len()
        );
        return Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    let numbered = (topic.partitions.len() as i32..).zip(named);
    numbered.map(|(index, brokers)| check_manual(state, index, brokers, Some(replication_factor))).collect()
}

fn placed(
    state: &State,
    additional: usize,
    replication_factor: usize,
    rng: &mut Rng,
) -> Result<Assignment, Refusal> {
    let replication_factor = i32::try_from(replication_factor).unwrap_or(i32::MAX);
    let placed = place_replicas(state, additional, replication_factor, rng)
        .map_err(|error| Refusal::new(ErrorCode::InvalidReplicationFactor, error.to_string()))?;
    check_active(state, &placed, replication_factor)?;
    Ok(placed)
}
