//! InitProducerId: an id for an idempotent producer, from the block that the controller gave to this broker.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};

use super::RequestContext;
use crate::Broker;

/// What stands for "no id" and "no epoch".
const NO_PRODUCER_ID: i64 = -1;
const NO_PRODUCER_EPOCH: i16 = -1;
/// How long a producer waits for a fresh block; then it hears a retriable error.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A fresh id at epoch 0. Producers with a transactional id are refused: there are no transactions to begin.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    if let Some(error) = refusal(&request) {
        return refuse(error);
    }
    match broker.link.next_producer_id(WAIT_MAX).await {
        Some(producer_id) => InitProducerIdResponse { producer_id, ..InitProducerIdResponse::default() },
        None => refuse(ErrorCode::CoordinatorLoadInProgress),
    }
}

fn refusal(request: &InitProducerIdRequest) -> Option<ErrorCode> {
    let (has_id, has_epoch) =
        (request.producer_id != NO_PRODUCER_ID, request.producer_epoch != NO_PRODUCER_EPOCH);
    match &request.transactional_id {
        _ if has_id != has_epoch => Some(ErrorCode::InvalidRequest),
        Some(id) if id.is_empty() => Some(ErrorCode::InvalidRequest),
        Some(_) => Some(ErrorCode::UnsupportedVersion),
        None => None,
    }
}

fn refuse(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: error.code(),
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        ..InitProducerIdResponse::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(transactional_id: Option<&str>, producer_id: i64, expected: Option<ErrorCode>) {
        let request = InitProducerIdRequest {
            transactional_id: transactional_id.map(Into::into),
            producer_id,
            ..InitProducerIdRequest::default()
        };
        assert_eq!(refusal(&request), expected);
    }

    #[test]
    fn only_what_can_be_served_is() {
        check(None, NO_PRODUCER_ID, None);
        check(None, 5, Some(ErrorCode::InvalidRequest));
        check(Some(""), NO_PRODUCER_ID, Some(ErrorCode::InvalidRequest));
        check(Some("t"), NO_PRODUCER_ID, Some(ErrorCode::UnsupportedVersion));
    }
}
