//! What a broker asks of the active controller beside the stream: admin calls of its clients, and producer ids.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use proto::controller::{
    AllocateProducerIdsRequest, ControlledShutdownRequest, ForwardRequest, ForwardResponse,
    ReplicasOfflineRequest,
};
use protocol::wire::{DecodeError, EncodeError, Message, Reader, Request, Writer};
use protocol::{ApiKey, ErrorCode};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Response, Status};

use super::unusable::UnusableReplicas;
use super::{ControllerLink, Session};
use crate::api::RequestContext;

/// Who a broker is when it asks for itself.
const BROKER_PRINCIPAL: &str = "User:ANONYMOUS";

/// On whose behalf a call is forwarded.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// `User:ANONYMOUS` for one.
    pub principal: String,
    pub listener: String,
    pub client_id: String,
    pub client_host: String,
}

/// Producer ids that are this broker's alone to give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerIdBlock {
    pub first: i64,
    pub count: i32,
}

/// Why the controller gave no answer that a client could have.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    #[error("no controller is active")]
    NoController,
    #[error("the controller did not answer in time; what was asked may still happen")]
    TimedOut,
    #[error("the controller gave no answer: {0}; what was asked may still happen")]
    Interrupted(#[source] Box<Status>),
    /// It decides nothing at present, and says what is to be done.
    #[error("{0}")]
    Suspended(String),
    #[error("the controller refused: {0}")]
    Refused(ErrorCode),
    #[error("the controller's answer cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
    #[error("the request cannot be written: {0}")]
    Unwritable(#[from] EncodeError),
}

impl ForwardError {
    /// What a client is told.
    pub fn code(&self) -> ErrorCode {
        match self {
            ForwardError::NoController | ForwardError::TimedOut | ForwardError::Interrupted(_) => {
                ErrorCode::RequestTimedOut
            }
            ForwardError::Refused(code) => *code,
            // Not to be tried again and again: somebody has to do something.
            ForwardError::Suspended(_) | ForwardError::Unreadable(_) | ForwardError::Unwritable(_) => {
                ErrorCode::UnknownServerError
            }
        }
    }
}

impl From<&RequestContext> for Caller {
    fn from(context: &RequestContext) -> Caller {
        Caller {
            principal: format!("{}:{}", context.principal.kind, context.principal.name),
            listener: context.listener.name.clone(),
            client_id: context.client_id.as_deref().unwrap_or_default().to_owned(),
            client_host: context.peer.ip().to_string(),
        }
    }
}

impl ControllerLink {
    /// The broker itself, for calls that no client asked for.
    pub fn caller(&self) -> Caller {
        let host = self.identity.endpoints.first().map(|endpoint| endpoint.host.clone());
        Caller {
            principal: BROKER_PRINCIPAL.to_owned(),
            client_id: format!("broker-{}", self.identity.broker_id),
            client_host: host.unwrap_or_default(),
            ..Caller::default()
        }
    }

    /// Lets the controller answer a client's request. Returns once this broker's image has what the answer speaks of, so
    /// that a client that was told of a topic finds it.
    pub async fn forward<R: Request>(
        &self,
        caller: Caller,
        request: &R,
        version: i16,
        wait_max: Duration,
    ) -> Result<R::Response, ForwardError> {
        let mut writer = Writer::new();
        request.encode(&mut writer, version)?;
        let body = self.forward_body(caller, R::KEY, version, writer.finish().bytes, wait_max).await?;
        Ok(R::Response::decode(&mut Reader::new(body), version)?)
    }

    /// [`ControllerLink::forward`] for a body that is encoded already.
    pub async fn forward_body(
        &self,
        caller: Caller,
        api: ApiKey,
        version: i16,
        body: Bytes,
        wait_max: Duration,
    ) -> Result<Bytes, ForwardError> {
        let deadline = Instant::now() + wait_max;
        let request = ForwardRequest {
            principal: caller.principal,
            listener: caller.listener,
            api_key: i32::from(api as i16),
            api_version: i32::from(version),
            body,
            client_id: caller.client_id,
            client_host: caller.client_host,
        };
        let ask = |mut session: Session| {
            let request = request.clone();
            async move { session.client.forward(request).await }
        };
        let ForwardResponse { body, metadata_revision } = self.ask(deadline, ask).await?;
        self.await_revision(metadata_revision, deadline).await;
        Ok(body)
    }

    /// A fresh block of producer ids.
    pub async fn allocate_producer_ids(&self, wait_max: Duration) -> Result<ProducerIdBlock, ForwardError> {
        let broker_epoch = self.broker_epoch().ok_or(ForwardError::NoController)?;
        let request = AllocateProducerIdsRequest { broker_id: self.identity.broker_id.0, broker_epoch };
        let ask = |mut session: Session| async move { session.client.allocate_producer_ids(request).await };
        let block = self.ask(Instant::now() + wait_max, ask).await?;
        match ErrorCode::from_code(i16::try_from(block.error_code).unwrap_or(-1)) {
            ErrorCode::None => Ok(ProducerIdBlock { first: block.first, count: block.count }),
            code => Err(ForwardError::Refused(code)),
        }
    }

    /// Asks to be relieved of every leadership before this broker stops; how many are left.
    pub async fn controlled_shutdown(&self, wait_max: Duration) -> Result<u32, ForwardError> {
        let broker_epoch = self.broker_epoch().ok_or(ForwardError::NoController)?;
        let request = ControlledShutdownRequest { broker_id: self.identity.broker_id.0, broker_epoch };
        let ask = |mut session: Session| async move { session.client.controlled_shutdown(request).await };
        let response = self.ask(Instant::now() + wait_max, ask).await?;
        match ErrorCode::from_code(i16::try_from(response.error_code).unwrap_or(-1)) {
            ErrorCode::None => Ok(response.partitions_remaining),
            code => Err(ForwardError::Refused(code)),
        }
    }

    /// Tells of every replica here that can't be used now; one that is not named is taken to be fine (again). To be told
    /// after each opened stream, and whenever a log directory fails or is full.
    pub async fn replicas_offline(
        &self,
        replicas: &UnusableReplicas,
        wait_max: Duration,
    ) -> Result<(), ForwardError> {
        let broker_epoch = self.broker_epoch().ok_or(ForwardError::NoController)?;
        let request = ReplicasOfflineRequest {
            broker_id: self.identity.broker_id.0,
            broker_epoch,
            replicas: replicas.on_the_wire(),
        };
        let ask = |mut session: Session| {
            let request = request.clone();
            async move { session.client.replicas_offline(request).await }
        };
        let response = self.ask(Instant::now() + wait_max, ask).await?;
        match ErrorCode::from_code(i16::try_from(response.error_code).unwrap_or(-1)) {
            ErrorCode::None => Ok(()),
            code => Err(ForwardError::Refused(code)),
        }
    }

    /// Asks whoever is active; asks again where the one asked says that it is not (it has done nothing then).
    pub(super) async fn ask<T, F>(
        &self,
        deadline: Instant,
        call: impl Fn(Session) -> F,
    ) -> Result<T, ForwardError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut connections = self.connection.subscribe();
        loop {
            let session = connected(&mut connections, deadline).await?;
            match timeout_at(deadline, call(session)).await {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                Ok(Err(status)) if status.code() == Code::FailedPrecondition => {
                    // The stream to it will end as well; the next controller's is another one.
                    let _ = timeout_at(deadline, connections.changed()).await;
                }
                Ok(Err(status)) if status.code() == Code::Aborted => {
                    return Err(ForwardError::Suspended(status.message().to_owned()));
                }
                Ok(Err(status)) => return Err(ForwardError::Interrupted(Box::new(status))),
                Err(_) => return Err(ForwardError::TimedOut),
            }
        }
    }

    async fn await_revision(&self, revision: i64, deadline: Instant) {
        let mut images = self.image.subscribe();
        if timeout_at(deadline, images.wait_for(|image| image.revision >= revision)).await.is_err() {
            tracing::warn!(
                revision,
                "the controller answered, but its push is late: the client hears the answer first"
            );
        }
    }
}

async fn connected(
    connections: &mut watch::Receiver<Option<Session>>,
    deadline: Instant,
) -> Result<Session, ForwardError> {
    let connected = timeout_at(deadline, connections.wait_for(Option::is_some)).await;
    let session = connected.ok().and_then(Result::ok).and_then(|session| session.clone());
    session.ok_or(ForwardError::NoController)
}
