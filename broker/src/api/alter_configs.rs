//! AlterConfigs: the controller's to answer; the client hears once this broker knows what is set.

use std::sync::Arc;

use protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};

use super::RequestContext;
use super::forward::{Failure, forward};
use crate::Broker;

/// The request names no time of its own: as long as an admin client gives by default.
pub(super) const TIMEOUT_MS: i32 = 30_000;

/// Forwards; a failure is told of each resource.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let answer = forward(broker, context, &request, TIMEOUT_MS).await;
    answer.unwrap_or_else(|failure| refuse(&request, failure))
}

fn refuse(request: &AlterConfigsRequest, failure: Failure) -> AlterConfigsResponse {
    let Failure { error, message } = failure;
    let responses = request.resources.iter().map(|resource| AlterConfigsResourceResponse {
        error_code: error.code(),
        error_message: Some(message.clone()),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
    });
    AlterConfigsResponse { responses: responses.collect(), ..AlterConfigsResponse::default() }
}
