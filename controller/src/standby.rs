//! Standing by: the place of the active controller is watched in the store, and its process by a stream to it.
//!
//! A stream that breaks is followed by a dial. Refused, or taken up by another process than the one that `/controller` names:
//! the active one is gone, and its key is deleted before its lease ends. Accepted: it lives. No answer proves nothing; then
//! the lease decides (design §2).

use std::time::Duration;

use metadata::convert::uuid_from_proto;
use metadata::keys::controller_key::ActiveController;
use proto::controller::controller_client::ControllerClient;
use proto::controller::{ActiveSign, StandbyMessage};
use protocol::types::Uuid;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Endpoint, Uri};

use crate::dial::dial;
use crate::failure_detector::{Dialled, REDIAL_INTERVAL};

/// How long a connection may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(1);
/// A silent connection is asked for a sign of life after so long…
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
/// …and given up when none has come after so long.
const KEEPALIVE_TIME_MAX: Duration = Duration::from_secs(1);

/// Returns once the process that `active` names is gone, as far as can be told from `me`.
pub async fn gone(active: &ActiveController, me: &ActiveController) {
    loop {
        if is_past(active, me.incarnation) || refuses(&active.endpoint).await {
            return;
        }
        // However the stream ended, what matters is who listens now.
        if let Ok(Heard::Another) = hear(active, me).await {
            return;
        }
        if refuses(&active.endpoint).await {
            return;
        }
        tokio::time::sleep(REDIAL_INTERVAL).await;
    }
}

/// Whether the place is one that this very process has given up, or lost, before.
fn is_past(active: &ActiveController, incarnation: Uuid) -> bool {
    active.incarnation == incarnation && !incarnation.is_zero()
}

async fn refuses(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<Uri>() else { return false };
    let (Some(host), Some(port)) = (uri.host(), uri.port_u16()) else { return false };
    dial(host.trim_matches(['[', ']']), port).await == Dialled::Refused
}

/// What a stream told.
enum Heard {
    /// Another process listens where the active one did.
    Another,
    /// It was the active one, until the stream ended.
    Ended,
}

async fn hear(active: &ActiveController, me: &ActiveController) -> Result<Heard, tonic::Status> {
    let unreachable = |error: tonic::transport::Error| tonic::Status::unavailable(error.to_string());
    let channel = Endpoint::from_shared(active.endpoint.clone())
        .map_err(unreachable)?
        .connect_timeout(CONNECT_TIME_MAX)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIME_MAX)
        .keep_alive_while_idle(true)
        .connect()
        .await
        .map_err(unreachable)?;
    let (to, messages) = mpsc::channel(1);
    // The channel is new and has room.
    let _ = to.try_send(StandbyMessage { controller_id: me.id, endpoint: me.endpoint.clone() });
    let mut signs =
        ControllerClient::new(channel).stand_by(ReceiverStream::new(messages)).await?.into_inner();
    while let Some(ActiveSign { incarnation, controller_id }) = signs.message().await? {
        let incarnation = uuid_from_proto(&incarnation, "the incarnation");
        let incarnation = incarnation.map_err(|error| tonic::Status::invalid_argument(error.to_string()))?;
        if incarnation != active.incarnation && !active.incarnation.is_zero() {
            tracing::info!(controller_id, "another process listens where the active controller did");
            return Ok(Heard::Another);
        }
        tracing::debug!(active = active.id, "watching the active controller's process");
    }
    Ok(Heard::Ended)
}
