//! DeleteTopics: the controller's to answer; the client hears once this broker has dropped the topics.

use std::sync::Arc;

use protocol::messages::delete_topics_response::DeletableTopicResult;
use protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};

use super::RequestContext;
use super::forward::{Failure, forward};
use crate::Broker;

/// Forwards; a failure is told of each topic. Before version 6 topics are named, from there each has a name or an id.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let failure = match forward(broker, context, &request, request.timeout_ms).await {
        Ok(response) => return response,
        Err(failure) => failure,
    };
    let Failure { error, message } = failure;
    let failed = || DeletableTopicResult {
        error_code: error.code(),
        error_message: Some(message.clone()),
        ..DeletableTopicResult::default()
    };
    let named =
        request.topic_names.iter().map(|name| DeletableTopicResult { name: Some(name.clone()), ..failed() });
    let chosen = request.topics.iter().map(|topic| DeletableTopicResult {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        ..failed()
    });
    DeleteTopicsResponse { responses: named.chain(chosen).collect(), ..DeleteTopicsResponse::default() }
}
