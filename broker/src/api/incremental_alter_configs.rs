//! IncrementalAlterConfigs: single keys are set, deleted, appended to and subtracted from. This broker settles what concerns
//! itself, the controller the rest; the client hears once this broker knows what is set.

use std::sync::Arc;

use protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

use super::RequestContext;
use super::alter_configs::TIMEOUT_MS;
use super::config_changes::{Answer, Change, Resource, assembled, settle, warn_of_idle};
use super::forward::forward;
use crate::Broker;

/// Settles, forwards, and puts the answers together.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let resources = resources(&request);
    let settled = settle(broker, &resources, request.validate_only);
    let rest = request.resources.iter().zip(&settled).filter(|(_, settled)| settled.is_none());
    let rest = IncrementalAlterConfigsRequest {
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
    IncrementalAlterConfigsResponse { responses: responses.collect(), ..Default::default() }
}

fn resources(request: &IncrementalAlterConfigsRequest) -> Vec<Resource<'_>> {
    let resources = request.resources.iter().map(|resource| {
        let changes = resource.configs.iter().map(|config| Change {
            name: &config.name,
            value: config.value.as_ref(),
            operation: config.config_operation,
        });
        Resource { kind: resource.resource_type, name: &resource.resource_name, changes: changes.collect() }
    });
    resources.collect()
}

/// The controller's answers, in order; a failure is told of each resource.
async fn ask(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: &IncrementalAlterConfigsRequest,
) -> Vec<Answer> {
    if request.resources.is_empty() {
        return Vec::new();
    }
    match forward(broker, context, request, TIMEOUT_MS).await {
        Ok(answer) => answer.responses.into_iter().map(|one| (one.error_code, one.error_message)).collect(),
        Err(failure) => vec![(failure.error.code(), Some(failure.message)); request.resources.len()],
    }
}
