//! Brokers that come and go: registrations and admissions.

use std::sync::Arc;

use bytes::Bytes;
use metadata::keys::Key;
use metadata::keys::broker_registration::BrokerRegistration;
use metadata::store::{KeyValue, StoreError, WatchEvent, get};
use protocol::types::BrokerId;
use tokio::time::Instant;
use tonic::Status;

use super::Active;
use crate::admission::{Trust, judge};
use crate::commit::CommitError;
use crate::plan::broker_back::{admit_broker, distrust_broker};
use crate::plan::elect_leaders::elect_missing_leaders;
use crate::state::Registered;

impl Active {
    /// What the watch on `/brokers/ids` told.
    pub(super) async fn registrations_changed(&mut self, events: Vec<WatchEvent>) -> Result<(), CommitError> {
        for event in events {
            match event {
                WatchEvent::Put(entry) => {
                    self.note_registration(&entry);
                    self.succeed_earlier_process(&entry).await?;
                }
                WatchEvent::Deleted { key, revision } => self.registration_deleted(&key, revision).await?,
            }
        }
        Ok(())
    }

    /// Takes note of a registration; the broker is admitted when its stream is there.
    pub(super) fn note_registration(&mut self, entry: &KeyValue) {
        let Some(id) = self.broker_of(&entry.key) else { return };
        match BrokerRegistration::decode(id, &entry.value) {
            Ok(registration) => {
                let (epoch, mod_revision) = (entry.create_revision, entry.mod_revision);
                let known = self.state.registrations.get(&id).map_or(0, |registered| registered.mod_revision);
                if mod_revision > known {
                    let registered = Registered { epoch, mod_revision, lease: entry.lease, registration };
                    self.state.registrations.insert(id, registered);
                    self.detector.registered_again(id, epoch, Instant::now());
                }
            }
            Err(error) => tracing::error!(%error, "a registration cannot be read and is passed over"),
        }
    }

    /// Another process has registered under a broker's id: the earlier one is gone, whatever became of its stream, and what it
    /// led is not to wait for the new one's.
    async fn succeed_earlier_process(&mut self, entry: &KeyValue) -> Result<(), CommitError> {
        let Some(id) = self.broker_of(&entry.key) else { return Ok(()) };
        let (Some(admitted), Some(registered)) =
            (self.state.admitted.get(&id), self.state.registrations.get(&id))
        else {
            return Ok(());
        };
        let (epoch, trust) = (registered.epoch, judge(Some(admitted), &registered.registration));
        if !admitted.fenced && admitted.epoch < epoch && trust != Trust::SameProcess {
            self.forget_broker(id).await?;
            self.detector.awaited(id, epoch, Instant::now());
        }
        Ok(())
    }

    async fn registration_deleted(&mut self, key: &Bytes, revision: i64) -> Result<(), CommitError> {
        let Some(id) = self.broker_of(key) else { return Ok(()) };
        let newer = self.state.registrations.get(&id).is_some_and(|registered| registered.epoch > revision);
        if newer {
            return Ok(());
        }
        tracing::info!(broker = %id, "the registration is gone");
        let gone = self.state.registrations.remove(&id);
        let has_stream = |epoch| self.streams.get(&id).is_some_and(|stream| stream.epoch == epoch);
        if gone.is_some_and(|gone| has_stream(gone.epoch)) {
            self.registration_lost(id);
            return Ok(());
        }
        self.forget_broker(id).await
    }

    /// The lease of a broker ended, but its process lives, for its stream stands: it is told, and has some time to register
    /// again before it is given up. Where it can't, it opens another stream, by which it only listens.
    pub(super) fn registration_lost(&mut self, id: BrokerId) {
        if let Some(stream) = self.streams.remove(&id) {
            tracing::warn!(broker = %id, epoch = stream.epoch, "its registration is gone, but not its stream: told to register again");
            self.acknowledgements.closed(id, stream.id);
            stream.hang_up(Status::failed_precondition("the registration is gone: register again"));
        }
        self.state.connected.remove(&id);
        self.detector.unregistered(id, Instant::now());
    }

    /// The registration of this epoch, read from the store where the watch has not told of it yet.
    pub(super) async fn registration_of(
        &mut self,
        id: BrokerId,
        epoch: i64,
    ) -> Result<Option<Registered>, StoreError> {
        let known = |active: &Active| {
            active.state.registrations.get(&id).filter(|known| known.epoch == epoch).cloned()
        };
        if let Some(registered) = known(self) {
            return Ok(Some(registered));
        }
        if let Some(entry) = get(&*self.term.store, Key::Broker(id).path(&self.term.prefix)).await? {
            self.note_registration(&entry);
        }
        Ok(known(self))
    }

    /// Lets a registered broker with a stream take part: distrusted first where its pages may be lost (safety rule 7).
    pub(super) async fn admit(&mut self, id: BrokerId, registered: Registered) -> Result<(), CommitError> {
        self.state.connected.insert(id);
        let live = self.state.broker_of_epoch(id, registered.epoch).is_some_and(|broker| !broker.fenced);
        if live {
            return self.carry_out(elect_missing_leaders(&self.state)).await;
        }
        let admitted = self.state.admitted.get(&id);
        let trust = judge(admitted, &registered.registration);
        if trust != Trust::SameProcess && admitted.is_some_and(|admitted| !admitted.fenced) {
            // Its earlier process is gone, though the watch has not told of it yet: what it led is led under new epochs.
            self.forget_broker(id).await?;
            self.state.connected.insert(id);
        }
        if !trust.keeps_memberships() {
            tracing::warn!(broker = %id, "came back without its pages: it leaves every ISR and ELR");
            self.carry_out(distrust_broker(&self.state, id)).await?;
        }
        self.state.shutting_down.remove(&id);
        if trust != Trust::SameProcess {
            // It tells anew which of its replicas are offline.
            self.state.offline_replicas.remove(&id);
        }
        self.carry_out(admit_broker(&self.state, id, &registered)).await?;
        tracing::info!(broker = %id, epoch = registered.epoch, ?trust, "admitted");
        Ok(())
    }

    /// Hands out the present image.
    pub(super) fn give_image(&self, reply: tokio::sync::oneshot::Sender<Arc<metadata::image::ClusterImage>>) {
        // A stream that has ended wants none.
        let _ = reply.send(Arc::clone(&self.state.image));
    }
}
