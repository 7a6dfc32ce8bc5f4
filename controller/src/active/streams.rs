//! Streams of brokers: who may open one, and what its end means.

use metadata::convert::uuid_from_proto;
use proto::controller::Hello;
use protocol::types::BrokerId;
use tokio::time::Instant;
use tonic::Status;

use super::Active;
use crate::commit::CommitError;
use crate::event::{Reply, StreamId};
use crate::push::Subscription;
use crate::state::Registered;

impl Active {
    /// Admits a broker that says hello under its present registration, and subscribes its stream.
    pub(super) async fn stream_opened(
        &mut self,
        hello: Hello,
        reply: Reply<Subscription>,
    ) -> Result<(), CommitError> {
        let id = BrokerId(hello.broker_id);
        let registered = match self.check_hello(&hello).await {
            Ok(registered) => registered,
            Err(refusal) => {
                tracing::warn!(broker = %id, "refused: {}", refusal.message());
                // Who has gone away need not hear it.
                let _ = reply.send(Err(refusal));
                return Ok(());
            }
        };
        self.admit(id, registered).await?;
        let ours = hello.controller_epoch == self.term.claim.epoch;
        let known = Some(hello.metadata_revision).filter(|revision| ours && *revision > 0);
        let subscription = self.publisher.subscribe(&self.state.image, self.term.id, known);
        let stream = subscription.stream;
        self.acknowledgements.opened(id, stream);
        if reply.send(Ok(subscription)).is_err() {
            self.stream_closed(id, stream);
        }
        Ok(())
    }

    /// Whether the broker belongs here, and its registration.
    async fn check_hello(&mut self, hello: &Hello) -> Result<Registered, Status> {
        let cluster_id = &self.state.image.cluster_id;
        if !hello.cluster_id.is_empty() && hello.cluster_id != *cluster_id {
            let theirs = &hello.cluster_id;
            return Err(Status::failed_precondition(format!(
                "the broker belongs to cluster {theirs}, but this is cluster {cluster_id}"
            )));
        }
        if hello.controller_epoch > self.term.claim.epoch {
            return Err(Status::unavailable("the broker has seen a newer controller"));
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

    /// A stream ended. Its broker goes on with what it leads for a session timeout; then it is fenced.
    pub(super) fn stream_closed(&mut self, broker: BrokerId, stream: StreamId) {
        if self.acknowledgements.closed(broker, stream) {
            self.state.connected.remove(&broker);
            if self.state.image.is_live(broker) {
                let fenced_at = Instant::now() + self.term.config.broker_session_timeout;
                self.silent_until.insert(broker, fenced_at);
            }
        }
    }
}
