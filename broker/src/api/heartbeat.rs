//! Heartbeat: a member lives, and learns whether the group rebalances.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::RequestContext;
use crate::Broker;

/// A coordinator that is still loading can't tell whether the member is known, so it takes it for alive.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: HeartbeatRequest,
) -> HeartbeatResponse {
    match broker.groups.heartbeat(request).await {
        Ok(response) => response,
        Err(ErrorCode::CoordinatorLoadInProgress) => HeartbeatResponse::default(),
        Err(error) => HeartbeatResponse { error_code: error.code(), ..HeartbeatResponse::default() },
    }
}
