//! The gRPC service: what brokers call is handed to the active controller's loop as an event; a standby names the active one
//! instead. Who stands by keeps a stream to the active one, which says which process it is and holds the stream while it lives.
//!
//! Calls in work are bounded for all connections together, and each has a time limit. Streams are neither: they last.

use std::time::Duration;

use metadata::convert::uuid_to_proto;
use metadata::keys::controller_key::ActiveController;
use node::shutdown::Shutdown;
use proto::controller::broker_message::Message;
use proto::controller::controller_server::{Controller as Service, ControllerServer};
use proto::controller::{
    ActiveSign, AllocateProducerIdsRequest, AllocateProducerIdsResponse, AlterIsrRequest, AlterIsrResponse,
    BrokerMessage, ControlledShutdownRequest, ControlledShutdownResponse, ForwardRequest, ForwardResponse,
    Hello, Push, RecoverRequest, RecoverResponse, ReplicasOfflineRequest, ReplicasOfflineResponse,
    StandbyMessage, StandbysRequest, StandbysResponse,
};
use proto::{MESSAGE_BYTES_MAX, NOTICE};
use protocol::types::{BrokerId, Uuid};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::metadata::MetadataValue;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use tower::limit::GlobalConcurrencyLimitLayer;

use crate::event::{Event, Reply, StreamId};
use crate::event_queue::EventSender;
use crate::push::feed;
use crate::standbys::{Place, Standbys};

/// Calls in work, of all brokers together.
const CALLS_MAX: usize = 256;
/// How long a call may take. A client that gave more time hears that nobody answered, and asks again.
const CALL_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a broker may take to say hello.
const HELLO_TIME_MAX: Duration = Duration::from_secs(5);
/// Pushes of one stream that wait for its connection.
const PUSHES_MAX: usize = 4;
/// A silent connection is asked for a sign of life, and given up where none comes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
const KEEPALIVE_TIME_MAX: Duration = Duration::from_secs(2);

/// What this process is now.
#[derive(Clone)]
pub enum Role {
    /// The store has not been reached yet, or not any more.
    Unconnected,
    /// Another one is active, unless there is none.
    Standby(Option<ActiveController>),
    /// Here is where events go.
    Active(EventSender),
    /// Active, but it must read its state before it does anything: what comes waits.
    Reading(EventSender),
}

/// Which process this is.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    pub controller_id: i32,
    pub incarnation: Uuid,
}

/// Serves until it is to stop and every stream has ended.
pub async fn serve(
    listener: TcpListener,
    process: Process,
    role: watch::Receiver<Role>,
    stop: Shutdown,
) -> Result<(), tonic::transport::Error> {
    let stopped = stop.clone();
    let service = ControllerServer::new(Front { process, role, standbys: Standbys::default(), stop })
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    Server::builder()
        .layer(GlobalConcurrencyLimitLayer::new(CALLS_MAX))
        .timeout(CALL_TIME_MAX)
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIME_MAX))
        .add_service(service)
        .serve_with_incoming_shutdown(
            TcpListenerStream::new(listener),
            async move { stopped.requested().await },
        )
        .await
}

struct Front {
    process: Process,
    role: watch::Receiver<Role>,
    standbys: Standbys,
    stop: Shutdown,
}

impl Front {
    fn active(&self) -> Result<EventSender, Status> {
        match &*self.role.borrow() {
            Role::Active(events) | Role::Reading(events) if !events.is_closed() => Ok(events.clone()),
            Role::Active(_) | Role::Reading(_) | Role::Unconnected => {
                Err(Status::failed_precondition("no active controller is known"))
            }
            Role::Standby(None) => Err(Status::failed_precondition("there is no active controller yet")),
            Role::Standby(Some(active)) => Err(Status::failed_precondition(active.endpoint.clone())),
        }
    }

    /// Hands an event over and waits for its answer.
    async fn ask<T>(&self, event: impl FnOnce(Reply<T>) -> Event) -> Result<Response<T>, Status> {
        let events = self.active()?;
        ask(&events, event).await.map(Response::new)
    }
}

async fn ask<T>(events: &EventSender, event: impl FnOnce(Reply<T>) -> Event) -> Result<T, Status> {
    let (reply, answer) = oneshot::channel();
    let not_asked = |_| Status::failed_precondition("this controller is no longer active");
    events.send(event(reply)).await.map_err(not_asked)?;
    let unknown = |_| Status::unavailable("the controller was interrupted; what was asked may still happen");
    answer.await.map_err(unknown)?
}

#[tonic::async_trait]
impl Service for Front {
    type ConnectStream = ReceiverStream<Result<Push, Status>>;

    async fn connect(
        &self,
        request: Request<Streaming<BrokerMessage>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let events = self.active()?;
        let mut messages = request.into_inner();
        let hello = hello(&mut messages).await?;
        let broker = BrokerId(hello.broker_id);
        let subscription = ask(&events, |reply| Event::Opened { hello, reply }).await?;
        let (stream, (to, pushes)) = (subscription.stream, mpsc::channel(PUSHES_MAX));
        let notice = subscription.notice.clone();
        let feeding = feed(subscription, events.clone(), to);
        tokio::spawn(async move {
            tokio::select! {
                _ = feeding => {}
                () = listen(messages, broker, stream, &events) => {}
            }
            // Where the controller is no longer active nobody needs to know.
            let _ = events.send(Event::Closed { broker, stream }).await;
        });
        Ok(with_notice(Response::new(ReceiverStream::new(pushes)), notice))
    }

    async fn forward(&self, request: Request<ForwardRequest>) -> Result<Response<ForwardResponse>, Status> {
        let request = request.into_inner();
        self.ask(|reply| Event::Forward { request, reply }).await
    }

    async fn alter_isr(
        &self,
        request: Request<AlterIsrRequest>,
    ) -> Result<Response<AlterIsrResponse>, Status> {
        let request = request.into_inner();
        self.ask(|reply| Event::AlterIsr { request, reply }).await
    }

    async fn allocate_producer_ids(
        &self,
        request: Request<AllocateProducerIdsRequest>,
    ) -> Result<Response<AllocateProducerIdsResponse>, Status> {
        let request = request.into_inner();
        self.ask(|reply| Event::AllocateProducerIds { request, reply }).await
    }

    async fn controlled_shutdown(
        &self,
        request: Request<ControlledShutdownRequest>,
    ) -> Result<Response<ControlledShutdownResponse>, Status> {
        let request = request.into_inner();
        self.ask(|reply| Event::ControlledShutdown { request, reply }).await
    }

    async fn replicas_offline(
        &self,
        request: Request<ReplicasOfflineRequest>,
    ) -> Result<Response<ReplicasOfflineResponse>, Status> {
        let request = request.into_inner();
        self.ask(|reply| Event::ReplicasOffline { request, reply }).await
    }

    async fn recover(&self, request: Request<RecoverRequest>) -> Result<Response<RecoverResponse>, Status> {
        let request = request.into_inner();
        self.ask(|reply| Event::Recover { request, reply }).await
    }

    type StandByStream = ReceiverStream<Result<ActiveSign, Status>>;

    async fn stand_by(
        &self,
        request: Request<Streaming<StandbyMessage>>,
    ) -> Result<Response<Self::StandByStream>, Status> {
        let (to, signs) = mpsc::channel(1);
        let Process { controller_id, incarnation } = self.process;
        let sign = ActiveSign { controller_id, incarnation: uuid_to_proto(incarnation) };
        // The channel is new and has room.
        let _ = to.try_send(Ok(sign));
        let (messages, stop, place) = (request.into_inner(), self.stop.clone(), self.standbys.came());
        tokio::spawn(async move {
            tokio::select! {
                () = last_word(messages, place) => {}
                () = stop.requested() => {}
            }
            drop(to);
        });
        Ok(Response::new(ReceiverStream::new(signs)))
    }

    async fn standbys(&self, _: Request<StandbysRequest>) -> Result<Response<StandbysResponse>, Status> {
        Ok(Response::new(StandbysResponse { standbys: self.standbys.list() }))
    }
}

/// A text for the broker's log goes ahead of its stream.
fn with_notice<T>(mut response: Response<T>, notice: Option<String>) -> Response<T> {
    if let Some(notice) = notice {
        response.metadata_mut().insert_bin(NOTICE, MetadataValue::from_bytes(notice.as_bytes()));
    }
    response
}

async fn hello(messages: &mut Streaming<BrokerMessage>) -> Result<Hello, Status> {
    let silent = |_| Status::deadline_exceeded("the broker did not say hello");
    let first = tokio::time::timeout(HELLO_TIME_MAX, messages.message()).await.map_err(silent)??;
    match first.and_then(|message| message.message) {
        Some(Message::Hello(hello)) => Ok(hello),
        _ => Err(Status::invalid_argument("a stream begins with a hello")),
    }
}

/// Returns when a standby's stream has ended.
async fn last_word(mut messages: Streaming<StandbyMessage>, place: Place) {
    while let Ok(Some(message)) = messages.message().await {
        tracing::debug!(standby = message.controller_id, endpoint = %message.endpoint, "stands by");
        place.is_of(message);
    }
}

/// Takes a broker's acknowledgements until its stream ends.
async fn listen(
    mut messages: Streaming<BrokerMessage>,
    broker: BrokerId,
    stream: StreamId,
    events: &EventSender,
) {
    while let Ok(Some(message)) = messages.message().await {
        // A message of another kind is that of a newer release.
        if let Some(Message::Acknowledge(acknowledge)) = message.message {
            let revision = acknowledge.metadata_revision;
            if events.send(Event::Acknowledged { broker, stream, revision }).await.is_err() {
                return;
            }
        }
    }
}
