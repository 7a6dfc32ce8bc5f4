//! The stream to the active controller: hello, pushes down, acknowledgements up; dialled again whenever it breaks.
//!
//! Invariant: images are published one after the other, each after the observer has seen it, and none is cut short.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use metadata::convert::{ConvertError, PushAssembly};
use metadata::delta::Delta;
use metadata::image::ClusterImage;
use metadata::keys::controller_key::ActiveController;
use node::shutdown::Shutdown;
use proto::controller::broker_message::Message;
use proto::controller::controller_client::ControllerClient;
use proto::controller::{Acknowledge, BrokerMessage, Hello, Push};
use proto::{MESSAGE_BYTES_MAX, NOTICE};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use super::ControllerLink;
use super::backoff::Backoff;
use super::intake::{self, Refusal};

/// How long a dial may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// A silent connection is asked for a sign of life after so long…
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
/// …and given up when none has come after so long.
const KEEPALIVE_TIME_MAX: Duration = Duration::from_secs(2);
/// A stream that stood for so long was no failed attempt.
const STOOD_WELL: Duration = Duration::from_secs(1);
/// Acknowledgements that wait to be sent.
const ACKNOWLEDGEMENTS_MAX: usize = 16;
/// How long a revision that was seen may wait to be saved; epochs are saved at once.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// The connection to the active controller.
#[derive(Debug, Clone)]
pub struct Session {
    pub(super) client: ControllerClient<Channel>,
}

/// What a stream stands for; with another registration or controller it is another stream.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    broker_epoch: i64,
    controller: ActiveController,
}

/// Why no stream to this cluster can ever stand.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StreamError(Refusal);

/// Why a stream ended; the next may do better.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("cannot dial: {0}")]
    Dial(#[source] tonic::transport::Error),
    #[error("{}: {}", .0.code(), .0.message())]
    Status(#[source] Box<Status>),
    #[error("it was closed")]
    Closed,
    #[error(transparent)]
    Unreadable(#[from] ConvertError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the image could not be applied: {0}")]
    Observer(#[source] tokio::task::JoinError),
}

impl ControllerLink {
    /// Keeps a stream to whoever is active until shutdown.
    pub(super) async fn stay_connected(&self, shutdown: &Shutdown) -> Result<(), StreamError> {
        let (mut backoff, mut resume, mut failures) = (Backoff::new(), true, 0);
        loop {
            let call = tokio::select! {
                call = self.next_call() => call,
                () = shutdown.requested() => return Ok(()),
            };
            let (began, revision) = (Instant::now(), self.image.borrow().revision);
            let outcome = self.converse(&call, resume, shutdown).await;
            let stood = self.connection.send_replace(None).is_some();
            if stood && (began.elapsed() >= STOOD_WELL || self.image.borrow().revision > revision) {
                (backoff, failures) = (Backoff::new(), 0);
            }
            match outcome {
                Ok(()) => continue,
                Err(Broken::Refused(refusal @ Refusal::OtherCluster { .. })) => {
                    return Err(StreamError(refusal));
                }
                Err(broken) => {
                    resume = !matches!(broken, Broken::Refused(Refusal::Missed(_)) | Broken::Unreadable(_));
                    self.report(&call, &broken, failures);
                    failures += 1;
                }
            }
            tokio::select! {
                () = backoff.sleep() => {}
                // Somebody else is active, or this broker is registered anew: no reason to wait.
                () = self.superseded(&call) => backoff = Backoff::new(),
                () = shutdown.requested() => return Ok(()),
            }
        }
    }

    /// Waits until there is a registration to speak of and a controller to speak to.
    async fn next_call(&self) -> Call {
        let (mut registrations, mut controllers) =
            (self.registration.subscribe(), self.controller.subscribe());
        loop {
            let registration = registrations.borrow_and_update().clone();
            let controller = controllers.borrow_and_update().clone();
            if let (Some(registration), Some(controller)) = (registration, controller) {
                return Call { broker_epoch: registration.epoch, controller };
            }
            // The senders live as long as the link; an error cannot come.
            tokio::select! {
                _ = registrations.changed() => {}
                _ = controllers.changed() => {}
            }
        }
    }

    /// Returns when the call is about a registration or a controller of the past.
    async fn superseded(&self, call: &Call) {
        let (mut registrations, mut controllers) =
            (self.registration.subscribe(), self.controller.subscribe());
        tokio::select! {
            _ = registrations.wait_for(|now| now.as_ref().is_none_or(|now| now.epoch != call.broker_epoch)) => {}
            _ = controllers.wait_for(|now| now.as_ref() != Some(&call.controller)) => {}
        }
    }

    /// One stream from hello to its end. No error: it was superseded, or shutdown came.
    async fn converse(&self, call: &Call, resume: bool, shutdown: &Shutdown) -> Result<(), Broken> {
        let over = async {
            tokio::select! {
                () = self.superseded(call) => {}
                () = shutdown.requested() => {}
            }
        };
        tokio::pin!(over);
        let (acknowledge, outgoing) = mpsc::channel(ACKNOWLEDGEMENTS_MAX);
        let mut pushes = tokio::select! {
            opened = self.open(call, resume, &acknowledge, outgoing) => opened?,
            () = &mut over => return Ok(()),
        };
        let mut assembly = PushAssembly::default();
        loop {
            let push = tokio::select! {
                push = pushes.message() => push.map_err(|status| Broken::Status(Box::new(status)))?,
                () = &mut over => return Ok(()),
            };
            let push = push.ok_or(Broken::Closed)?;
            let Some(delta) = assembly.accept(push)? else { continue };
            self.take(&delta).await?;
            self.doubt_registration(call);
            tokio::select! {
                sent = acknowledge.send(acknowledgement(delta.to_revision)) => sent.map_err(|_| Broken::Closed)?,
                () = &mut over => return Ok(()),
            }
        }
    }

    async fn open(
        &self,
        call: &Call,
        resume: bool,
        acknowledge: &mpsc::Sender<BrokerMessage>,
        outgoing: mpsc::Receiver<BrokerMessage>,
    ) -> Result<Streaming<Push>, Broken> {
        let channel = dial(&call.controller.endpoint).await.map_err(Broken::Dial)?;
        let mut client = ControllerClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        acknowledge.send(self.hello(call, resume)).await.map_err(|_| Broken::Closed)?;
        let opened = client.connect(ReceiverStream::new(outgoing)).await;
        let opened = opened.map_err(|status| Broken::Status(Box::new(status)))?;
        let notice = opened.metadata().get_bin(NOTICE).and_then(|notice| notice.to_bytes().ok());
        let pushes = opened.into_inner();
        let ActiveController { id, endpoint, epoch, .. } = &call.controller;
        tracing::info!(controller = id, epoch, %endpoint, "stream to the active controller opened");
        if let Some(notice) = notice {
            tracing::error!(controller = id, "the controller says: {}", String::from_utf8_lossy(&notice));
        }
        self.connection.send_replace(Some(Session { client }));
        Ok(pushes)
    }

    fn hello(&self, call: &Call, resume: bool) -> BrokerMessage {
        let newest = self.seen.newest();
        let hello = Hello {
            broker_id: self.identity.broker_id.0,
            incarnation: Bytes::copy_from_slice(&self.identity.incarnation.0),
            broker_epoch: call.broker_epoch,
            cluster_id: newest.cluster_id,
            metadata_revision: if resume { self.image.borrow().revision } else { 0 },
            controller_epoch: newest.controller_epoch,
            highest_metadata_revision: newest.metadata_revision,
            leader_epochs: self.reporter.report(),
            timeline: newest.timeline,
            controller_fence: newest.controller_fence,
        };
        BrokerMessage { message: Some(Message::Hello(hello)) }
    }

    /// Saves the revisions seen a little after they came, many together.
    pub(super) async fn keep_seen(&self) {
        loop {
            self.seen_more.notified().await;
            tokio::time::sleep(SAVE_INTERVAL).await;
            self.seen.save().await;
        }
    }

    /// Takes the delta into the image: checked, noted, shown to the observer, then published.
    async fn take(&self, delta: &Delta) -> Result<(), Broken> {
        let old = self.image.borrow().clone();
        let new = Arc::new(intake::take(&self.seen.newest(), &old, delta)?);
        match self.seen.note(&new) {
            true => self.seen.save().await,
            false => self.seen_more.notify_one(),
        }
        self.publish(old, new).await
    }

    async fn publish(&self, old: Arc<ClusterImage>, new: Arc<ClusterImage>) -> Result<(), Broken> {
        let (observer, shown) = (self.observer.clone(), new.clone());
        let observed = tokio::task::spawn_blocking(move || observer.before_publish(&old, &shown));
        observed.await.map_err(Broken::Observer)?;
        self.image.send_replace(new);
        Ok(())
    }

    /// An image that does not name this registration is a reason to look whether it still stands.
    fn doubt_registration(&self, call: &Call) {
        let image = self.image.borrow();
        let named = image.brokers.get(&self.identity.broker_id);
        if named.is_none_or(|broker| broker.epoch != call.broker_epoch) {
            self.registration_doubted.notify_one();
        }
    }

    /// Warns of an outage when it begins; what fails until a stream stands again is the same outage.
    fn report(&self, call: &Call, broken: &Broken, failures: u32) {
        let ActiveController { id, endpoint, epoch, .. } = &call.controller;
        match failures {
            0 => {
                tracing::warn!(controller = id, epoch, %endpoint, "no stream to the active controller, trying on: {broken}");
            }
            _ => tracing::debug!(controller = id, epoch, %endpoint, failures, "still no stream: {broken}"),
        }
        if matches!(broken, Broken::Status(status) if status.code() == Code::FailedPrecondition) {
            self.registration_doubted.notify_one();
        }
    }
}

async fn dial(uri: &str) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(uri.to_owned())?
        .connect_timeout(CONNECT_TIME_MAX)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIME_MAX)
        .keep_alive_while_idle(true)
        .connect()
        .await
}

fn acknowledgement(metadata_revision: i64) -> BrokerMessage {
    BrokerMessage { message: Some(Message::Acknowledge(Acknowledge { metadata_revision })) }
}
