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
    let answer = forward(broker, context, &request, request.timeout_ms).await;
    answer.unwrap_or_else(|failure| refuse(&request, failure))
}

fn refuse(request: &CreateTopicsRequest, failure: Failure) -> CreateTopicsResponse {
    let Failure { error, message } = failure;
    let results = request.topics.iter().map(|topic| CreatableTopicResult {
        name: topic.name.clone(),
        error_code: error.code(),
        error_message: Some(message.clone()),
        ..CreatableTopicResult::default()
    });
    CreateTopicsResponse { topics: results.collect(), ..CreateTopicsResponse::default() }
}

#[cfg(test)]
mod tests {
    use protocol::ErrorCode;
    use protocol::messages::create_topics_request::CreatableTopic;
    use protocol::wire::{Message, Writer};

    use super::*;

    #[test]
    fn without_a_controller_every_topic_hears_it_in_every_version() {
        let topic = CreatableTopic { name: "t".into(), ..CreatableTopic::default() };
        let request = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
        for version in CreateTopicsRequest::VERSIONS {
            let failure = Failure { error: ErrorCode::RequestTimedOut, message: "no controller".into() };
            let response = refuse(&request, failure);
            response.encode(&mut Writer::new(), version).expect("can be written");
            assert_eq!(response.topics[0].error_code, ErrorCode::RequestTimedOut.code());
        }
    }
}
