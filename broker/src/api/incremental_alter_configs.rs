//! IncrementalAlterConfigs: the controller's to answer; the client hears once this broker knows what is set.

use std::sync::Arc;

use protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

use super::RequestContext;
use super::alter_configs::TIMEOUT_MS;
use super::forward::{Failure, forward};
use crate::Broker;

/// Forwards; a failure is told of each resource.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let answer = forward(broker, context, &request, TIMEOUT_MS).await;
    answer.unwrap_or_else(|failure| refuse(&request, failure))
}

fn refuse(request: &IncrementalAlterConfigsRequest, failure: Failure) -> IncrementalAlterConfigsResponse {
    let Failure { error, message } = failure;
    let responses = request.resources.iter().map(|resource| AlterConfigsResourceResponse {
        error_code: error.code(),
        error_message: Some(message.clone()),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
    });
    IncrementalAlterConfigsResponse { responses: responses.collect(), ..Default::default() }
}
