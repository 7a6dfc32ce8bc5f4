//! AlterConfigs replaces all that is set on a resource; IncrementalAlterConfigs sets, deletes, appends and subtracts single
//! keys. Each resource stands or falls by itself; the order of the checks, and their words, are Apache Kafka's.

mod check;
mod operations;
#[cfg(test)]
mod tests;

use metadata::configs::check_keys;
use protocol::ErrorCode;
use protocol::messages::alter_configs_response::AlterConfigsResourceResponse as Replaced;
use protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse as Altered;
use protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use protocol::wire::Str;

use self::check::{check, resource};
use self::operations::{Operation, applied};
use super::Decided;
use super::refusal::Refusal;
use crate::plan::Plan;
use crate::plan::alter_configs::{NewValues, alter_configs};
use crate::state::{State, Values};

/// One resource of a request.
struct Wanted<'a> {
    kind: i8,
    name: &'a Str,
    /// Whether what is set and not named goes.
    replaces: bool,
    operations: Vec<Operation<'a>>,
}

pub(super) fn replace(state: &State, request: &AlterConfigsRequest) -> Decided<AlterConfigsResponse> {
    let wanted = request.resources.iter().map(|resource| Wanted {
        kind: resource.resource_type,
        name: &resource.resource_name,
        replaces: true,
        operations: resource
            .configs
            .iter()
            .map(|config| Operation::set(&config.name, config.value.as_ref()))
            .collect(),
    });
    let (outcomes, plan) = decide(state, wanted.collect(), request.validate_only);
    let responses = request.resources.iter().zip(outcomes).map(|(resource, outcome)| {
        let (error_code, error_message) = told(outcome);
        let (resource_type, resource_name) = (resource.resource_type, resource.resource_name.clone());
        Replaced { error_code, error_message, resource_type, resource_name }
    });
    Decided {
        answer: AlterConfigsResponse { responses: responses.collect(), ..AlterConfigsResponse::default() },
        plan,
    }
}

pub(super) fn alter(
    state: &State,
    request: &IncrementalAlterConfigsRequest,
) -> Decided<IncrementalAlterConfigsResponse> {
    let wanted = request.resources.iter().map(|resource| Wanted {
        kind: resource.resource_type,
        name: &resource.resource_name,
        replaces: false,
        operations: resource
            .configs
            .iter()
            .map(|config| Operation {
                code: config.config_operation,
                name: &config.name,
                value: config.value.as_ref(),
            })
            .collect(),
    });
    let (outcomes, plan) = decide(state, wanted.collect(), request.validate_only);
    let responses = request.resources.iter().zip(outcomes).map(|(resource, outcome)| {
        let (error_code, error_message) = told(outcome);
        let (resource_type, resource_name) = (resource.resource_type, resource.resource_name.clone());
        Altered { error_code, error_message, resource_type, resource_name }
    });
    let answer = IncrementalAlterConfigsResponse { responses: responses.collect(), ..Default::default() };
    Decided { answer, plan }
}

fn told(outcome: Result<(), Refusal>) -> (i16, Option<Str>) {
    match outcome {
        Ok(()) => (ErrorCode::None.code(), None),
        Err(refusal) => (refusal.error.code(), refusal.message),
    }
}

fn decide(state: &State, wanted: Vec<Wanted>, validate_only: bool) -> (Vec<Result<(), Refusal>>, Plan) {
    let mut new = Vec::new();
    let outcomes = wanted.iter().map(|one| {
        let twice =
            wanted.iter().filter(|other| (other.kind, other.name) == (one.kind, one.name)).count() > 1;
        if twice {
            return Err(invalid_request("Each resource must appear at most once."));
        }
        new.push(new_values(state, one)?);
        Ok(())
    });
    let outcomes = outcomes.collect();
    let plan = if validate_only { Plan::default() } else { alter_configs(state, new) };
    (outcomes, plan)
}

fn new_values(state: &State, wanted: &Wanted) -> Result<NewValues, Refusal> {
    check_operations(&wanted.operations)?;
    let resource = resource(wanted.kind, wanted.name)?;
    let set = state.image.config(&resource).map(|values| Values::clone(values)).unwrap_or_default();
    let before = if wanted.replaces { Values::new() } else { set.clone() };
    let values = applied(before, &resource, &wanted.operations)?;
    check(state, &resource, &set, &values)?;
    Ok(NewValues { resource, values })
}

fn check_operations(operations: &[Operation]) -> Result<(), Refusal> {
    let keys = operations.iter().map(|operation| (&**operation.name, !operation.lacks_value()));
    check_keys(keys).map_err(|error| invalid_request(&error.to_string()))
}

fn invalid_request(message: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, message)
}

fn invalid_config(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::InvalidConfig, message)
}
