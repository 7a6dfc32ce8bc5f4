//! CreateTopics: the controller's to answer; the client hears once this broker knows the topics.

use std::sync::Arc;

use protocol::messages::create_topics_response::CreatableTopicResult;
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};

use super::RequestContext;
use super::forward::{Failure, forward};
use crate::Broker;

/// Forwards; a failure is told of each topic.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let failure = match forward(broker, context, &request, request.timeout_ms).await {
        Ok(response) => return response,
        Err(failure) => failure,
    };
    let Failure { error, message } = failure;
    let results = request.topics.iter().map(|topic| CreatableTopicResult {
        name: topic.name.clone(),
        error_code: error.code(),
        error_message: Some(message.clone()),
        ..CreatableTopicResult::default()
    });
    CreateTopicsResponse { topics: results.collect(), ..CreateTopicsResponse::default() }
}
