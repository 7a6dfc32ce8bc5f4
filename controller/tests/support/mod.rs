//! Controllers that run, and brokers that register and listen but hold no logs.

pub mod faults;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use controller::{Controller, ControllerConfig, ControllerParams};
use metadata::convert::PushAssembly;
use metadata::image::{ClusterImage, Endpoint, PartitionImage};
use metadata::keys::broker_registration::{self, BrokerRegistration};
use metadata::keys::controller_key::{self, ActiveController};
use metadata::store::{Compare, LeaseId, MetadataStore, Operation, TxnOutcome, get};
use node::shutdown::{Trigger, channel};
use proto::controller::broker_message::Message;
use proto::controller::controller_client::ControllerClient;
use proto::controller::{Acknowledge, BrokerMessage, ForwardRequest, Hello};
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use protocol::types::{BrokerId, Uuid};
use protocol::wire::{Message as _, Reader, Request, Writer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;

pub const PREFIX: &str = "/test";
/// Long enough for everything on a busy machine, a lease of two seconds included.
const PATIENCE: Duration = Duration::from_secs(60);
/// A controller that has not pushed its image by then is not the active one any more; 20,000 partitions are in some.
const PUSH_TIME_MAX: Duration = Duration::from_secs(10);

pub type Store = Arc<dyn MetadataStore>;
pub type Client = ControllerClient<Channel>;

/// A controller in this process.
pub struct RunningController {
    pub endpoint: String,
    stop: Trigger,
    task: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl RunningController {
    pub async fn start(store: &Store, id: i32, statics: &[(&str, &str)]) -> RunningController {
        RunningController::with_session_timeout(store, id, statics, Duration::from_secs(1)).await
    }

    pub async fn with_session_timeout(
        store: &Store,
        id: i32,
        statics: &[(&str, &str)],
        broker_session_timeout: Duration,
    ) -> RunningController {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let statics: BTreeMap<_, _> =
            statics.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let config = ControllerConfig { statics: Arc::new(statics), broker_session_timeout };
        let (store, prefix) = (Arc::clone(store), PREFIX.to_owned());
        let params = ControllerParams { id, store, prefix, listener, endpoint: endpoint.clone(), config };
        let (stop, shutdown) = channel();
        let task = tokio::spawn(Controller::new(params).run(shutdown));
        RunningController { endpoint, stop, task }
    }

    pub async fn stop(self) {
        self.stop.fire();
        self.task.await.unwrap().unwrap();
    }

    /// Dies without giving anything up.
    pub fn kill(self) {
        self.task.abort();
    }

    pub async fn client(&self) -> Client {
        connect(&self.endpoint).await
    }
}

pub async fn connect(endpoint: &str) -> Client {
    let endpoint = tonic::transport::Endpoint::from_shared(endpoint.to_owned()).unwrap();
    ControllerClient::new(endpoint.connect().await.expect("the controller listens"))
}

/// Who is active, once someone with at least this epoch is.
pub async fn active(store: &Store, epoch: i32) -> ActiveController {
    eventually("an active controller", || async {
        let entry = get(&**store, controller_key::key(PREFIX)).await.ok()??;
        ActiveController::decode(&entry.value).ok().filter(|active| active.epoch >= epoch)
    })
    .await
}

/// Tries until there is something.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let tried = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    tried.await.unwrap_or_else(|_| panic!("{what} within {PATIENCE:?}"))
}

/// A broker as far as the controller sees it: it listens, and says nothing to those who come.
pub struct FakeBroker {
    pub id: i32,
    pub incarnation: Uuid,
    pub boot_id: String,
    store: Store,
    listener: std::net::TcpListener,
}

/// A registration that stands.
pub struct Registered {
    pub epoch: i64,
    pub lease: LeaseId,
}

/// A stream, and the image that its pushes make.
pub struct Stream {
    pub client: Client,
    pub image: watch::Receiver<Arc<ClusterImage>>,
    pub ended: tokio::task::JoinHandle<Status>,
    _messages: mpsc::Sender<BrokerMessage>,
}

impl FakeBroker {
    pub fn new(store: &Store, id: i32) -> FakeBroker {
        let incarnation = Uuid::random().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        FakeBroker { id, incarnation, boot_id: "boot".into(), store: Arc::clone(store), listener }
    }

    /// One whose host answers nobody: connections to its listener are neither accepted nor refused.
    pub async fn unreachable(store: &Store, id: i32) -> (FakeBroker, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap().into_std().unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        // Once its backlog is full the kernel drops whatever else comes.
        while let Ok(connected) =
            tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            waiting.push(connected.unwrap());
        }
        (FakeBroker { listener, ..FakeBroker::new(store, id) }, waiting)
    }

    /// The same broker in a new process.
    pub fn restarted(&self) -> FakeBroker {
        FakeBroker { boot_id: self.boot_id.clone(), ..FakeBroker::new(&self.store, self.id) }
    }

    pub async fn register(&self) -> Registered {
        let endpoint = Endpoint {
            listener: "PLAINTEXT".into(),
            host: "127.0.0.1".into(),
            port: self.listener.local_addr().unwrap().port(),
            security_protocol: "PLAINTEXT".into(),
        };
        let registration = BrokerRegistration {
            incarnation: self.incarnation,
            boot_id: self.boot_id.clone(),
            log_dirs: vec![Uuid([self.id as u8; 16])],
            ..BrokerRegistration::new(&[endpoint], 0)
        };
        let key = broker_registration::key(PREFIX, BrokerId(self.id));
        let (lease, _) = self.store.lease_grant(Duration::from_secs(60)).await.unwrap();
        let vacant = vec![Compare::CreateRevision(key.clone(), 0)];
        let put = vec![Operation::Put { key, value: registration.encode(), lease }];
        match self.store.txn(vacant, put).await.unwrap() {
            TxnOutcome::Applied(epoch) => Registered { epoch, lease },
            TxnOutcome::Refused(_) => panic!("broker {} is registered already", self.id),
        }
    }

    /// Its registration goes, as with its lease.
    pub async fn die(&self, registered: &Registered) {
        self.store.lease_revoke(registered.lease).await.unwrap();
    }

    /// Opens the stream to a controller.
    pub async fn open(&self, endpoint: &str, epoch: i64) -> Result<Stream, Status> {
        let mut client = connect(endpoint).await;
        let (messages, outgoing) = mpsc::channel(16);
        let hello = Hello {
            broker_id: self.id,
            incarnation: Bytes::copy_from_slice(&self.incarnation.0),
            broker_epoch: epoch,
            ..Hello::default()
        };
        messages.send(BrokerMessage { message: Some(Message::Hello(hello)) }).await.unwrap();
        let mut pushes = client.connect(ReceiverStream::new(outgoing)).await?.into_inner();
        let (publish, image) = watch::channel(Arc::new(ClusterImage::default()));
        let acknowledge = messages.clone();
        let ended = tokio::spawn(async move {
            let mut assembly = PushAssembly::default();
            loop {
                let push = match pushes.message().await {
                    Ok(Some(push)) => push,
                    Ok(None) => return Status::ok("ended"),
                    Err(status) => return status,
                };
                let Some(delta) = assembly.accept(push).unwrap() else { continue };
                let next = publish.borrow().advanced_by(&delta).unwrap();
                publish.send_replace(Arc::new(next));
                let acknowledge_message =
                    Message::Acknowledge(Acknowledge { metadata_revision: delta.to_revision });
                let _ = acknowledge.send(BrokerMessage { message: Some(acknowledge_message) }).await;
            }
        });
        Ok(Stream { client, image, ended, _messages: messages })
    }

    /// Registers and opens the stream to whoever is active.
    pub async fn start(&self) -> (Registered, Stream) {
        let registered = self.register().await;
        let stream = self.reconnect(registered.epoch).await;
        (registered, stream)
    }

    /// Opens the stream to whoever is active, as often as it takes.
    pub async fn reconnect(&self, epoch: i64) -> Stream {
        let stream = eventually("a stream", || async {
            let active = active(&self.store, 0).await;
            let mut stream = self.open(&active.endpoint, epoch).await.ok()?;
            let pushed = stream.image.wait_for(|image| image.is_live(BrokerId(self.id)));
            tokio::time::timeout(PUSH_TIME_MAX, pushed).await.ok()?.ok()?;
            Some(stream)
        });
        stream.await
    }
}

impl Stream {
    /// Sends an admin call.
    pub async fn call<R: Request>(&mut self, request: R, version: i16) -> Result<(R::Response, i64), Status> {
        self.call_beside(request, version).await
    }

    /// The same, beside others.
    pub async fn call_beside<R: Request>(
        &self,
        request: R,
        version: i16,
    ) -> Result<(R::Response, i64), Status> {
        let mut writer = Writer::new();
        request.encode(&mut writer, version).unwrap();
        let request = ForwardRequest {
            api_key: i32::from(R::KEY as i16),
            api_version: i32::from(version),
            body: writer.finish().bytes,
            ..ForwardRequest::default()
        };
        let response = self.client.clone().forward(request).await?.into_inner();
        let answer = R::Response::decode(&mut Reader::new(response.body), version).unwrap();
        Ok((answer, response.metadata_revision))
    }

    /// Creates a topic and returns its error code.
    pub async fn create(
        &mut self,
        name: &str,
        partitions: i32,
        replicas: i16,
        configs: &[(&str, &str)],
    ) -> i16 {
        let configs = configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig { name: (*name).into(), value: Some((*value).into()) });
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: replicas,
            configs: configs.collect(),
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
        let (response, _): (CreateTopicsResponse, _) = self.call(request, 7).await.unwrap();
        response.topics[0].error_code
    }

    /// Waits for an image.
    pub async fn image_where(
        &mut self,
        what: &str,
        holds: impl Fn(&ClusterImage) -> bool,
    ) -> Arc<ClusterImage> {
        let image = tokio::time::timeout(PATIENCE, self.image.wait_for(|image| holds(image))).await;
        Arc::clone(&image.unwrap_or_else(|_| panic!("an image where {what}")).expect("the stream stands"))
    }

    /// Waits until partition 0 of a topic is led by this broker.
    pub async fn led_by(&mut self, topic: &str, leader: i32) -> Arc<PartitionImage> {
        let led = |image: &ClusterImage| {
            image.partition(topic, 0).is_some_and(|partition| partition.leader == BrokerId(leader))
        };
        let image = self.image_where(&format!("{topic}-0 is led by {leader}"), led).await;
        Arc::clone(image.partition(topic, 0).unwrap())
    }
}
