//! SyncGroup: the leader brings the assignment, the others wait for theirs.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::RequestContext;
use crate::Broker;

/// From here on a member must say which protocol it believes in (KIP-559).
const PROTOCOL_REQUIRED_SINCE: i16 = 5;

/// Waits for the assignment.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    let says_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    if context.api_version >= PROTOCOL_REQUIRED_SINCE && !says_protocol {
        return failed(ErrorCode::InconsistentGroupProtocol);
    }
    broker.groups.sync(request).await.unwrap_or_else(failed)
}

fn failed(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code: error.code(), ..SyncGroupResponse::default() }
}
