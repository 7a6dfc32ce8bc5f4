//! Streams of brokers: who may open one, and what its end means.

use metadata::convert::uuid_from_proto;
use metadata::keys::admitted_broker::AdmittedBroker;
use proto::controller::Hello;
use protocol::types::BrokerId;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tonic::Status;

use super::Active;
use crate::commit::CommitError;
use crate::event::{Reply, StreamId};
use crate::push::Subscription;
use crate::state::Registered;

/// The stream of one broker. When this value is dropped the stream ends.
pub(super) struct OpenStream {
    pub(super) id: StreamId,
    /// Of the registration under which it was opened.
    pub(super) epoch: i64,
    pub(super) hang_up: oneshot::Sender<Status>,
}

impl OpenStream {
    /// Ends the stream, and says why.
    pub(super) fn hang_up(self, why: Status) {
        // It may have ended already.
        let _ = self.hang_up.send(why);
    }
}

impl Active {
    /// Admits a broker that says hello under its present registration, and subscribes its stream.
    pub(super) async fn stream_opened(
        &mut self,
        hello: Hello,
        reply: Reply<Subscription>,
    ) -> Result<(), CommitError> {
        let id = BrokerId(hello.broker_id);
        let checked = self.identify(&hello).await;
        let (registered, newer) =
            match checked.and_then(|registered| Ok((registered, self.newer_in(&hello)?))) {
                Ok(checked) => checked,
                Err(refusal) => {
                    tracing::warn!(broker = %id, "refused: {}", refusal.message());
                    // Who has gone away need not hear it.
                    let _ = reply.send(Err(refusal));
                    return Ok(());
                }
            };
        if let Some(newer) = newer {
            // It comes again, with everyone else.
            return self.went_back(newer).await;
        }
        let Some(registered) = registered else {
            self.let_listen(&hello, reply);
            return Ok(());
        };
        if let Err(error) = self.admit(id, registered).await {
            if !self.streams.contains_key(&id) {
                self.state.connected.remove(&id);
            }
            return Err(error);
        }
        let (subscription, open) = self.subscribe(&hello);
        let stream = open.id;
        self.acknowledgements.opened(id, stream);
        self.bystanders.remove(&id);
        self.streams.insert(id, open);
        self.detector.connected(id, Instant::now());
        if reply.send(Ok(subscription)).is_err() {
            self.stream_closed(id, stream);
        }
        Ok(())
    }

    /// It takes part in nothing until it registers again, which it may not be able to. But it hears who leads what it led:
    /// its clients are to go there.
    fn let_listen(&mut self, hello: &Hello, reply: Reply<Subscription>) {
        let (id, epoch) = (BrokerId(hello.broker_id), hello.broker_epoch);
        tracing::info!(broker = %id, epoch, "its registration is gone: it may listen");
        let (subscription, open) = self.subscribe(hello);
        if reply.send(Ok(subscription)).is_ok() {
            self.bystanders.insert(id, open);
        }
    }

    /// A stream from where the broker's image stands.
    fn subscribe(&mut self, hello: &Hello) -> (Subscription, OpenStream) {
        let ours =
            hello.controller_epoch == self.term.claim.epoch && hello.timeline == self.state.image.timeline;
        let known = Some(hello.metadata_revision).filter(|revision| ours && *revision > 0);
        let (hang_up, hung_up) = oneshot::channel();
        let subscription = self.publisher.subscribe(&self.state.image, self.term.id, known, hung_up);
        let open = OpenStream { id: subscription.stream, epoch: hello.broker_epoch, hang_up };
        (subscription, open)
    }

    /// The registration of whoever says hello; `None`: it was admitted under one that is gone by now.
    async fn identify(&mut self, hello: &Hello) -> Result<Option<Registered>, Status> {
        match self.check_hello(hello).await {
            Ok(registered) => Ok(Some(registered)),
            Err(_) if self.is_bystander(hello) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether the process was admitted by this very registration, which is gone, and nobody has registered under its id since.
    fn is_bystander(&self, hello: &Hello) -> bool {
        let id = BrokerId(hello.broker_id);
        let is_it = |admitted: &AdmittedBroker| {
            admitted.epoch == hello.broker_epoch && admitted.incarnation.0[..] == hello.incarnation[..]
        };
        !self.state.registrations.contains_key(&id) && self.state.admitted.get(&id).is_some_and(is_it)
    }

    /// Whether the broker belongs here, and its registration.
    pub(super) async fn check_hello(&mut self, hello: &Hello) -> Result<Registered, Status> {
        let cluster_id = &self.state.image.cluster_id;
        if !hello.cluster_id.is_empty() && hello.cluster_id != *cluster_id {
            let theirs = &hello.cluster_id;
            return Err(Status::failed_precondition(format!(
                "the broker belongs to cluster {theirs}, but this is cluster {cluster_id}"
            )));
        }
        let incarnation = uuid_from_proto(&hello.incarnation, "the incarnation");
        let incarnation = incarnation.map_err(|error| Status::invalid_argument(error.to_string()))?;
        let id = BrokerId(hello.broker_id);
        let registered = self.registration_of(id, hello.broker_epoch).await;
        let registered = registered.map_err(|error| Status::unavailable(error.to_string()))?;
        let matching = registered.filter(|registered| registered.registration.incarnation == incarnation);
        matching.ok_or_else(|| {
            let epoch = hello.broker_epoch;
            Status::failed_precondition(format!("broker {id} is not registered under epoch {epoch}"))
        })
    }

    /// A stream ended. Whether its broker lives is for the failure detector to find out; until then it goes on with what it
    /// leads.
    pub(super) fn stream_closed(&mut self, broker: BrokerId, stream: StreamId) {
        self.bystanders.retain(|_, bystander| bystander.id != stream);
        if self.acknowledgements.closed(broker, stream) {
            let epoch = self.streams.get(&broker).map_or(0, |open| open.epoch);
            tracing::info!(%broker, epoch, "its stream ended");
            self.close_stream(broker);
            self.detector.disconnected(broker, epoch, Instant::now());
        }
    }

    /// The broker has no stream any more, whoever ended it.
    pub(super) fn close_stream(&mut self, broker: BrokerId) {
        if let Some(stream) = self.streams.remove(&broker) {
            self.acknowledgements.closed(broker, stream.id);
        }
        self.state.connected.remove(&broker);
    }
}
