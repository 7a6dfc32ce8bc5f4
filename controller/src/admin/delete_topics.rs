//! DeleteTopics: by name or, from version 6, by name or id, never both.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::messages::delete_topics_response::DeletableTopicResult;
use protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};
use protocol::types::Uuid;
use protocol::wire::Str;

use super::Decided;
use super::refusal::Refusal;
use crate::plan::delete_topic::delete_topic;
use crate::plan::{Plan, in_steps};
use crate::state::State;

/// The first version that knows TOPIC_DELETION_DISABLED.
const DELETION_DISABLED_FROM: i16 = 3;

pub(super) fn decide(
    state: &State,
    request: &DeleteTopicsRequest,
    version: i16,
) -> Decided<DeleteTopicsResponse> {
    let wanted = wanted(request);
    if !state.cluster_flag("delete.topic.enable") {
        return answer(
            wanted.into_iter().map(|topic| topic.refused(disabled(version))).collect(),
            Plan::default(),
        );
    }
    let (mut responses, mut steps) = (Vec::new(), Vec::new());
    let once = without_duplicates(wanted, &mut responses);
    let twice = named_both_ways(state, &once);
    for topic in once {
        match find(state, &topic) {
            // As in Kafka the name is refused, and the id goes without an answer.
            Ok(found) if twice.contains(&found.id.0) => {
                let message = "The provided topic name maps to an ID that was already supplied.";
                let refusal = Refusal::new(ErrorCode::InvalidRequest, message);
                responses
                    .extend(topic.name.is_some().then(|| Wanted { id: found.id, ..topic }.refused(refusal)));
            }
            Ok(found) => {
                steps.extend(delete_topic(state, found));
                let (name, topic_id) = (Some(Str::from(&found.name)), found.id);
                responses.push(DeletableTopicResult { name, topic_id, ..DeletableTopicResult::default() });
            }
            Err(refusal) => responses.push(topic.refused(refusal)),
        }
    }
    answer(responses, Plan { steps: in_steps(steps), ..Plan::default() })
}

/// The ids of topics that are named by their names as well.
fn named_both_ways(state: &State, wanted: &[Wanted]) -> BTreeSet<[u8; 16]> {
    let by_name = wanted.iter().filter_map(|topic| Some(state.image.topic(topic.name.as_ref()?)?.id));
    by_name
        .filter(|id| wanted.iter().any(|topic| topic.name.is_none() && topic.id == *id))
        .map(|id| id.0)
        .collect()
}

fn answer(responses: Vec<DeletableTopicResult>, plan: Plan) -> Decided<DeleteTopicsResponse> {
    Decided { answer: DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() }, plan }
}

/// A topic as the client names it.
#[derive(Clone, PartialEq)]
struct Wanted {
    name: Option<Str>,
    id: Uuid,
}

impl Wanted {
    fn refused(self, refusal: Refusal) -> DeletableTopicResult {
        DeletableTopicResult {
            name: self.name,
            topic_id: self.id,
            error_code: refusal.error.code(),
            error_message: refusal.message,
        }
    }
}

fn wanted(request: &DeleteTopicsRequest) -> Vec<Wanted> {
    let by_name = request.topic_names.iter().map(|name| Wanted { name: Some(name.clone()), id: Uuid::ZERO });
    let stated = request.topics.iter().map(|topic| Wanted { name: topic.name.clone(), id: topic.topic_id });
    by_name.chain(stated).collect()
}

fn disabled(version: i16) -> Refusal {
    match version < DELETION_DISABLED_FROM {
        true => Refusal::new(ErrorCode::InvalidRequest, "This version does not support topic deletion."),
        false => Refusal::of(ErrorCode::TopicDeletionDisabled),
    }
}

/// Those that are named once; the others are refused, once each.
fn without_duplicates(wanted: Vec<Wanted>, responses: &mut Vec<DeletableTopicResult>) -> Vec<Wanted> {
    let mut once = Vec::new();
    for (at, topic) in wanted.iter().enumerate() {
        let is_same = |other: &Wanted| is_well_formed(topic) && other == topic;
        if wanted[..at].iter().any(is_same) {
            continue;
        }
        if wanted[at + 1..].iter().any(is_same) {
            let what = if topic.name.is_some() { "name" } else { "id" };
            let refusal = Refusal::new(ErrorCode::InvalidRequest, format!("Duplicate topic {what}."));
            responses.push(topic.clone().refused(refusal));
        } else {
            once.push(topic.clone());
        }
    }
    once
}

fn is_well_formed(topic: &Wanted) -> bool {
    topic.name.is_some() == topic.id.is_zero()
}

fn find<'a>(state: &'a State, topic: &Wanted) -> Result<&'a metadata::image::TopicImage, Refusal> {
    let invalid = |message: &str| Refusal::new(ErrorCode::InvalidRequest, message);
    match (&topic.name, topic.id.is_zero()) {
        (None, true) => Err(invalid("Neither topic name nor id were specified.")),
        (Some(_), false) => Err(invalid("You may not specify both topic name and topic id.")),
        (Some(name), true) => state
            .image
            .topic(name)
            .map(|topic| &**topic)
            .ok_or(Refusal::of(ErrorCode::UnknownTopicOrPartition)),
        (None, false) => state
            .image
            .topic_by_id(topic.id)
            .map(|topic| &**topic)
            .ok_or(Refusal::of(ErrorCode::UnknownTopicId)),
    }
}
