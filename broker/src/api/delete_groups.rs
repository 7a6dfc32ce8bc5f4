//! DeleteGroups: empty groups go, and what they have committed.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::delete_groups_response::DeletableGroupResult;
use protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

use super::RequestContext;
use crate::Broker;

/// Each group once, however often it is said.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let mut seen = BTreeSet::new();
    let mut results = Vec::new();
    for group in request.groups_names.iter().filter(|group| seen.insert(group.as_str())) {
        let error = broker.groups.delete(group).await.err().unwrap_or(ErrorCode::None);
        let group_id = group.clone();
        results.push(DeletableGroupResult {
            group_id,
            error_code: error.code(),
            ..DeletableGroupResult::default()
        });
    }
    DeleteGroupsResponse { results, ..DeleteGroupsResponse::default() }
}
