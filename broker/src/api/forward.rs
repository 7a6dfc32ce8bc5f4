//! What admin calls share: the controller answers them, and where it does not the client is told so.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::wire::{Request, Str};

use super::RequestContext;
use crate::Broker;
use crate::link::Caller;

/// A client that asks for less waits as long as this all the same: an election must not fail it.
const WAIT_MIN: Duration = Duration::from_secs(3);
/// A client that asks for more, as admin clients do by default, hears after this long that nobody answered.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What to tell the client of everything that it asked for.
pub(super) struct Failure {
    pub(super) error: ErrorCode,
    pub(super) message: Str,
}

/// Lets the controller answer, in the version that the client speaks, within the time that the client gives.
pub(super) async fn forward<R: Request>(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: &R,
    timeout_ms: i32,
) -> Result<R::Response, Failure> {
    let asked = Duration::from_millis(timeout_ms.try_into().unwrap_or(0));
    let wait_max = asked.clamp(WAIT_MIN, WAIT_MAX);
    let answer = broker.link.forward(Caller::from(context), request, context.api_version, wait_max).await;
    answer.map_err(|error| {
        context.span().in_scope(|| tracing::warn!("not answered: {error}"));
        Failure { error: error.code(), message: error.to_string().into() }
    })
}
