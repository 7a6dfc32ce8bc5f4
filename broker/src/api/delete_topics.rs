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
    let answer = forward(broker, context, &request, request.timeout_ms).await;
    answer.unwrap_or_else(|failure| refuse(&request, failure))
}

fn refuse(request: &DeleteTopicsRequest, failure: Failure) -> DeleteTopicsResponse {
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

#[cfg(test)]
mod tests {
    use protocol::ErrorCode;
    use protocol::messages::delete_topics_request::DeleteTopicState;
    use protocol::types::Uuid;
    use protocol::wire::{Message, Writer};

    use super::*;

    #[test]
    fn without_a_controller_every_topic_hears_it_in_every_version() {
        for version in DeleteTopicsRequest::VERSIONS {
            let by_id = DeleteTopicState { name: None, topic_id: Uuid([1; 16]) };
            let request = match version < 6 {
                true => {
                    DeleteTopicsRequest { topic_names: vec!["t".into()], ..DeleteTopicsRequest::default() }
                }
                false => DeleteTopicsRequest { topics: vec![by_id], ..DeleteTopicsRequest::default() },
            };
            let failure = Failure { error: ErrorCode::RequestTimedOut, message: "no controller".into() };
            let response = refuse(&request, failure);
            response.encode(&mut Writer::new(), version).expect("can be written");
            assert_eq!(response.responses.len(), 1);
        }
    }
}
