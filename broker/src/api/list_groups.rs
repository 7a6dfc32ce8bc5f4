//! ListGroups: the groups that this broker coordinates.

use std::sync::Arc;

use protocol::messages::{ListGroupsRequest, ListGroupsResponse};
use protocol::wire::Str;

use super::RequestContext;
use crate::Broker;

/// Filters are taken in any case.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: ListGroupsRequest,
) -> ListGroupsResponse {
    let (states, types) = (lower_case(&request.states_filter), lower_case(&request.types_filter));
    match broker.groups.list(&states, &types).await {
        Ok(groups) => ListGroupsResponse { groups, ..ListGroupsResponse::default() },
        Err(error) => ListGroupsResponse { error_code: error.code(), ..ListGroupsResponse::default() },
    }
}

fn lower_case(names: &[Str]) -> Vec<String> {
    names.iter().map(|name| name.trim().to_lowercase()).collect()
}
