//! A controller that does what a test tells it to: it takes streams, pushes what it is given, and answers calls.

use std::net::SocketAddr;
use std::sync::Arc;

use metadata::convert::pushes;
use metadata::delta::Delta;
use metadata::keys::Key;
use metadata::keys::controller_key::ActiveController;
use metadata::store::{LeaseId, MetadataStore, Operation};
use parking_lot::Mutex;
use proto::controller::broker_message::Message;
use proto::controller::controller_server::{Controller, ControllerServer};
use proto::controller::{
    ActiveSign, AllocateProducerIdsRequest, AllocateProducerIdsResponse, AlterIsrRequest, AlterIsrResponse,
    BrokerMessage, ControlledShutdownRequest, ControlledShutdownResponse, ForwardRequest, ForwardResponse,
    Hello, Push, RecoverRequest, RecoverResponse, ReplicasOfflineRequest, ReplicasOfflineResponse,
    StandbyMessage, StandbysRequest, StandbysResponse,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// How many producer ids a block holds here.
pub(super) const BLOCK: i32 = 10;

/// The controller's end of one stream.
pub(super) struct Stream {
    pub(super) hello: Hello,
    pushes: mpsc::Sender<Result<Push, Status>>,
    messages: Streaming<BrokerMessage>,
}

impl Stream {
    pub(super) async fn push(&self, delta: &Delta) {
        for push in pushes(delta) {
            self.pushes.send(Ok(push)).await.expect("the broker reads");
        }
    }

    /// The revision that the broker acknowledges next.
    pub(super) async fn acknowledged(&mut self) -> i64 {
        let message = self.messages.message().await.expect("no error").expect("no end");
        match message.message {
            Some(Message::Acknowledge(acknowledge)) => acknowledge.metadata_revision,
            other => panic!("an acknowledgement is expected, not {other:?}"),
        }
    }
}

/// The fake, while its server runs.
pub(super) struct FakeController {
    pub(super) address: SocketAddr,
    pub(super) streams: mpsc::UnboundedReceiver<Stream>,
    /// What the next calls of Forward answer.
    pub(super) answers: Arc<Mutex<Vec<ForwardResponse>>>,
    /// What was told of offline replicas.
    pub(super) offline: Arc<Mutex<Vec<ReplicasOfflineRequest>>>,
    server: tokio::task::JoinHandle<()>,
}

struct Service {
    streams: mpsc::UnboundedSender<Stream>,
    answers: Arc<Mutex<Vec<ForwardResponse>>>,
    offline: Arc<Mutex<Vec<ReplicasOfflineRequest>>>,
    next_producer_id: Mutex<i64>,
}

impl FakeController {
    pub(super) async fn start() -> FakeController {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = socket.local_addr().expect("is bound");
        let (sender, streams) = mpsc::unbounded_channel();
        let (answers, offline) = (Arc::new(Mutex::default()), Arc::new(Mutex::default()));
        let service = Service {
            streams: sender,
            answers: answers.clone(),
            offline: offline.clone(),
            next_producer_id: Mutex::new(1000),
        };
        let server = tonic::transport::Server::builder()
            .add_service(ControllerServer::new(service))
            .serve_with_incoming(TcpListenerStream::new(socket));
        let server = tokio::spawn(async move { server.await.expect("serves") });
        FakeController { address, streams, answers, offline, server }
    }

    /// Says in the store that this one is active.
    pub(super) async fn elect(&self, store: &dyn MetadataStore, epoch: i32) {
        let endpoint = format!("http://{}", self.address);
        let active = ActiveController { id: epoch, endpoint, epoch, ..ActiveController::default() };
        let key = Key::Controller.path(super::PREFIX);
        let put = Operation::Put { key, value: active.encode(), lease: LeaseId::NONE };
        store.txn(Vec::new(), vec![put]).await.expect("is written");
    }

    pub(super) async fn stream(&mut self) -> Stream {
        self.streams.recv().await.expect("the server runs")
    }
}

impl Drop for FakeController {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[tonic::async_trait]
impl Controller for Service {
    type ConnectStream = ReceiverStream<Result<Push, Status>>;

    async fn connect(
        &self,
        request: Request<Streaming<BrokerMessage>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let mut messages = request.into_inner();
        let first = messages.message().await?.and_then(|message| message.message);
        let Some(Message::Hello(hello)) = first else { return Err(Status::invalid_argument("no hello")) };
        let (pushes, outgoing) = mpsc::channel(16);
        self.streams
            .send(Stream { hello, pushes, messages })
            .map_err(|_| Status::cancelled("the test is over"))?;
        Ok(Response::new(ReceiverStream::new(outgoing)))
    }

    async fn forward(&self, request: Request<ForwardRequest>) -> Result<Response<ForwardResponse>, Status> {
        let answer = self.answers.lock().pop();
        let body = request.into_inner().body;
        Ok(Response::new(answer.unwrap_or(ForwardResponse { body, metadata_revision: 0 })))
    }

    async fn alter_isr(&self, _: Request<AlterIsrRequest>) -> Result<Response<AlterIsrResponse>, Status> {
        Err(Status::unimplemented("not in these tests"))
    }

    async fn allocate_producer_ids(
        &self,
        _: Request<AllocateProducerIdsRequest>,
    ) -> Result<Response<AllocateProducerIdsResponse>, Status> {
        let mut next = self.next_producer_id.lock();
        let first = *next;
        *next += i64::from(BLOCK);
        Ok(Response::new(AllocateProducerIdsResponse { error_code: 0, first, count: BLOCK }))
    }

    async fn controlled_shutdown(
        &self,
        _: Request<ControlledShutdownRequest>,
    ) -> Result<Response<ControlledShutdownResponse>, Status> {
        Err(Status::unimplemented("not in these tests"))
    }

    async fn replicas_offline(
        &self,
        request: Request<ReplicasOfflineRequest>,
    ) -> Result<Response<ReplicasOfflineResponse>, Status> {
        self.offline.lock().push(request.into_inner());
        Ok(Response::new(ReplicasOfflineResponse { error_code: 0 }))
    }

    async fn standbys(&self, _: Request<StandbysRequest>) -> Result<Response<StandbysResponse>, Status> {
        Err(Status::unimplemented("not in these tests"))
    }

    async fn recover(&self, _: Request<RecoverRequest>) -> Result<Response<RecoverResponse>, Status> {
        Err(Status::unimplemented("not in these tests"))
    }

    type StandByStream = ReceiverStream<Result<ActiveSign, Status>>;

    async fn stand_by(
        &self,
        _: Request<Streaming<StandbyMessage>>,
    ) -> Result<Response<Self::StandByStream>, Status> {
        Err(Status::unimplemented("not in these tests"))
    }
}
