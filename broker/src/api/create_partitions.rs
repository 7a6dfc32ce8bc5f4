//! CreatePartitions: the controller's to answer; the client hears once this broker knows the partitions.

use std::sync::Arc;

use protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use super::RequestContext;
use super::forward::{Failure, forward};
use crate::Broker;

/// Forwards; a failure is told of each topic.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let answer = forward(broker, context, &request, request.timeout_ms).await;
    answer.unwrap_or_else(|failure| refuse(&request, failure))
}

fn refuse(request: &CreatePartitionsRequest, failure: Failure) -> CreatePartitionsResponse {
    let Failure { error, message } = failure;
    let results = request.topics.iter().map(|topic| CreatePartitionsTopicResult {
        name: topic.name.clone(),
        error_code: error.code(),
        error_message: Some(message.clone()),
    });
    CreatePartitionsResponse { results: results.collect(), ..CreatePartitionsResponse::default() }
}
