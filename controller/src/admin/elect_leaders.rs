//! ElectLeaders: the preferred replica (KIP-183), or whoever is there where nobody leads (KIP-460).

use protocol::ErrorCode;
use protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};
use protocol::wire::Str;

use super::Decided;
use super::refusal::Refusal;
use crate::plan::preferred_leaders::{elect_preferred, elect_unclean};
use crate::plan::{PartitionWrites, Plan};
use crate::state::{PartitionRef, State};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Election {
    Preferred,
    Unclean,
}

pub(super) fn decide(state: &State, request: &ElectLeadersRequest) -> Decided<ElectLeadersResponse> {
    let election = match request.election_type {
        0 => Election::Preferred,
        1 => Election::Unclean,
        other => return Decided { answer: refused(request, other), plan: Plan::default() },
    };
    let mut writes = PartitionWrites::default();
    let replica_election_results = match &request.topic_partitions {
        Some(topics) => {
            let named = topics.iter().map(|topic| {
                let results = topic.partitions.iter().map(|index| {
                    let elected = find(state, &topic.topic, *index)
                        .and_then(|of| elect(state, of, election, &mut writes));
                    result(*index, elected)
                });
                ReplicaElectionResult { topic: topic.topic.clone(), partition_result: results.collect() }
            });
            named.collect()
        }
        None => everywhere(state, election, &mut writes),
    };
    let answer = ElectLeadersResponse { replica_election_results, ..ElectLeadersResponse::default() };
    Decided { answer, plan: writes.into_plan() }
}

/// There is no election of this type: said on top, and of each partition that was named.
fn refused(request: &ElectLeadersRequest, election_type: i8) -> ElectLeadersResponse {
    let refusal = Refusal::new(ErrorCode::InvalidRequest, format!("{election_type} is no type of election"));
    let named = request.topic_partitions.iter().flatten().map(|topic| ReplicaElectionResult {
        topic: topic.topic.clone(),
        partition_result: topic.partitions.iter().map(|index| result(*index, Err(refusal.clone()))).collect(),
    });
    ElectLeadersResponse {
        error_code: refusal.error.code(),
        replica_election_results: named.collect(),
        ..ElectLeadersResponse::default()
    }
}

/// Every topic, with its partitions but those that need no election.
fn everywhere(state: &State, election: Election, writes: &mut PartitionWrites) -> Vec<ReplicaElectionResult> {
    let mut results: Vec<ReplicaElectionResult> = Vec::new();
    for of in state.partitions() {
        if results.last().is_none_or(|last| *last.topic != *of.topic) {
            results.push(ReplicaElectionResult { topic: Str::from(of.topic), partition_result: vec![] });
        }
        let elected = elect(state, of, election, writes);
        let is_needless =
            elected.as_ref().is_err_and(|refusal| refusal.error == ErrorCode::ElectionNotNeeded);
        if let Some(last) = results.last_mut().filter(|_| !is_needless) {
            last.partition_result.push(result(of.partition, elected));
        }
    }
    results
}

fn find<'a>(state: &'a State, topic: &str, index: i32) -> Result<PartitionRef<'a>, Refusal> {
    let unknown = |message: String| Refusal::new(ErrorCode::UnknownTopicOrPartition, message);
    let found = state.image.topic(topic).ok_or_else(|| unknown(format!("No such topic as {topic}")))?;
    let partition = state.partition(found.id, index);
    let partition = partition.ok_or_else(|| unknown(format!("No such partition as {topic}-{index}")))?;
    Ok(PartitionRef { topic: &found.name, topic_id: found.id, partition: index, state: partition })
}

fn elect(
    state: &State,
    of: PartitionRef,
    election: Election,
    writes: &mut PartitionWrites,
) -> Result<(), Refusal> {
    let needless = match election {
        Election::Preferred => of.state.replicas.first() == Some(&of.state.leader),
        Election::Unclean => of.state.has_leader(),
    };
    if needless {
        return Err(Refusal::of(ErrorCode::ElectionNotNeeded));
    }
    let (changed, unavailable) = match election {
        Election::Preferred => (elect_preferred(state, of), ErrorCode::PreferredLeaderNotAvailable),
        Election::Unclean => (elect_unclean(state, of), ErrorCode::EligibleLeadersNotAvailable),
    };
    let changed = changed.ok_or_else(|| Refusal::of(unavailable))?;
    match writes.change_once(of, changed) {
        true => Ok(()),
        // The same partition was named before, and is led as was asked by now.
        false => Err(Refusal::of(ErrorCode::ElectionNotNeeded)),
    }
}

fn result(partition_id: i32, elected: Result<(), Refusal>) -> PartitionResult {
    let refusal = elected.err();
    PartitionResult {
        partition_id,
        error_code: refusal.as_ref().map_or(ErrorCode::None, |refusal| refusal.error).code(),
        error_message: refusal.and_then(|refusal| refusal.message),
    }
}
