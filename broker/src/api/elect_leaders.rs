//! ElectLeaders: the controller's to answer; the client hears once this broker knows who leads.

use std::sync::Arc;

use protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};

use super::RequestContext;
use super::forward::{Failure, forward};
use crate::Broker;

/// Forwards; a failure is told of the call and of each partition.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: ElectLeadersRequest,
) -> ElectLeadersResponse {
    let answer = forward(broker, context, &request, request.timeout_ms).await;
    answer.unwrap_or_else(|failure| refuse(&request, &failure))
}

fn refuse(request: &ElectLeadersRequest, failure: &Failure) -> ElectLeadersResponse {
    let result = |partition_id: &i32| PartitionResult {
        partition_id: *partition_id,
        error_code: failure.error.code(),
        error_message: Some(failure.message.clone()),
    };
    let topics = request.topic_partitions.iter().flatten().map(|topic| ReplicaElectionResult {
        topic: topic.topic.clone(),
        partition_result: topic.partitions.iter().map(result).collect(),
    });
    ElectLeadersResponse {
        error_code: failure.error.code(),
        replica_election_results: topics.collect(),
        ..ElectLeadersResponse::default()
    }
}
