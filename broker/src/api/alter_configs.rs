//! AlterConfigs: all that is set on a resource is replaced. This broker settles what concerns itself, the controller the rest;
//! the client hears once this broker knows what is set.

use std::sync::Arc;

use protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};

use super::RequestContext;
use super::config_changes::{Answer, Change, Resource, SET, assembled, settle, warn_of_idle};
use super::config_resource::BROKER_LOGGER;
use super::forward::forward;
use crate::Broker;

/// The request names no time of its own: as long as an admin client gives by default.
pub(super) const TIMEOUT_MS: i32 = 30_000;

/// Settles, forwards, and puts the answers together.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let resources = resources(&request);
    let mut settled = settle(broker, &resources, request.validate_only);
    // Levels of loggers cannot be replaced as a whole: the controller says that it knows no such resource.
    for (settled, resource) in settled.iter_mut().zip(&resources) {
        settled.take_if(|_| resource.kind == BROKER_LOGGER);
    }
    let rest = request.resources.iter().zip(&settled).filter(|(_, settled)| settled.is_none());
    let rest = AlterConfigsRequest {
        resources: rest.map(|(resource, _)| resource.clone()).collect(),
        validate_only: request.validate_only,
    };
    let answers = assembled(settled, ask(broker, context, &rest).await);
    if !request.validate_only {
        warn_of_idle(&resources, &answers);
    }
    let responses = request.resources.iter().zip(answers).map(|(resource, (error_code, error_message))| {
        let (resource_type, resource_name) = (resource.resource_type, resource.resource_name.clone());
        AlterConfigsResourceResponse { error_code, error_message, resource_type, resource_name }
    });
    AlterConfigsResponse { responses: responses.collect(), ..AlterConfigsResponse::default() }
}

fn resources(request: &AlterConfigsRequest) -> Vec<Resource<'_>> {
    let resources = request.resources.iter().map(|resource| {
        let changes = resource.configs.iter().map(|config| Change {
            name: &config.name,
            value: config.value.as_ref(),
            operation: SET,
        });
        Resource { kind: resource.resource_type, name: &resource.resource_name, changes: changes.collect() }
    });
    resources.collect()
}

/// The controller's answers, in order; a failure is told of each resource.
async fn ask(broker: &Arc<Broker>, context: &RequestContext, request: &AlterConfigsRequest) -> Vec<Answer> {
    if request.resources.is_empty() {
        return Vec::new();
    }
    match forward(broker, context, request, TIMEOUT_MS).await {
        Ok(answer) => answer.responses.into_iter().map(|one| (one.error_code, one.error_message)).collect(),
        Err(failure) => vec![(failure.error.code(), Some(failure.message)); request.resources.len()],
    }
}
