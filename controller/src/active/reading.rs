//! What was read from the store is taken over and put in order, at the start of a term and after each doubt.

use std::sync::Arc;

use metadata::delta::{Delta, changes_between};
use metadata::keys::Key;
use metadata::store::StoreError;
use protocol::types::{BrokerId, Uuid};
use tokio::time::Instant;

use super::Active;
use super::streams::OpenStream;
use crate::admission::{Trust, judge};
use crate::commit::CommitError;
use crate::plan::broker_gone::{broker_gone, relieve_broker};
use crate::plan::orphans::sweep;
use crate::plan::{Plan, Step, Write};
use crate::state::State;
use crate::term::Doubt;

impl Active {
    /// Goes on from a new reading. Streams that stand hear what changed since the last one.
    pub fn take(&mut self, mut state: State) {
        state.inherit(&self.state);
        let stands = |id: BrokerId, stream: &OpenStream| state.is_registered(id, stream.epoch);
        state.connected =
            self.streams.iter().filter(|(id, stream)| stands(**id, stream)).map(|(id, _)| *id).collect();
        let earlier = std::mem::replace(&mut self.state, state);
        let (from, to) = (&earlier.image, &self.state.image);
        // Before the first reading no stream has anything.
        if from.revision > 0 && to.revision > from.revision {
            self.publisher.publish(Delta {
                timeline: to.timeline,
                controller_epoch: to.controller_epoch,
                controller_fence: to.controller_fence,
                controller_id: self.state.controller_id,
                cluster_id: to.cluster_id.clone(),
                from_revision: Some(from.revision),
                to_revision: to.revision,
                changes: changes_between(from, to),
            });
        }
        let lost = self.streams.keys().filter(|id| !self.state.connected.contains(id)).copied();
        lost.collect::<Vec<_>>().into_iter().for_each(|id| self.registration_lost(id));
    }

    /// Brings the store in order: a cluster id, no orphans, and none left in place whose death or fencing was cut short.
    pub async fn mend(&mut self, orphans: Vec<Key>) -> Result<(), Doubt> {
        self.mend_due = None;
        match self.try_to_mend(orphans).await {
            Err(Doubt::Commit(CommitError::Store(error @ StoreError::NoSpace { .. }))) => {
                self.retry_later(&error);
                Ok(())
            }
            mended => mended,
        }
    }

    async fn try_to_mend(&mut self, orphans: Vec<Key>) -> Result<(), Doubt> {
        if self.state.image.cluster_id.is_empty() {
            self.found_cluster().await?;
        }
        if !orphans.is_empty() {
            let count = orphans.len();
            tracing::info!(count, "sweeping keys of topics whose creation or deletion was cut short");
            self.commit(sweep(orphans)).await?;
        }
        self.finish_departures().await?;
        let now = Instant::now();
        for (id, registered) in &self.state.registrations {
            self.detector.awaited(*id, registered.epoch, now);
        }
        Ok(())
    }

    /// Brokers that were admitted once and are not live now lead nothing and are in no ISR that has another member, unless
    /// their process may be the same and come back.
    async fn finish_departures(&mut self) -> Result<(), Doubt> {
        let admitted = self.state.admitted.iter().filter(|(id, _)| !self.state.image.is_live(**id));
        for (id, admitted) in admitted.map(|(id, admitted)| (*id, admitted.clone())).collect::<Vec<_>>() {
            let registered = self.state.registrations.get(&id);
            match registered.map(|registered| judge(Some(&admitted), &registered.registration)) {
                _ if admitted.fenced => self.carry_out(relieve_broker(&self.state, id)).await?,
                None => self.detector.unregistered(id, Instant::now()),
                Some(Trust::SameProcess) => {}
                Some(_) => self.carry_out(broker_gone(&self.state, id)).await?,
            }
        }
        Ok(())
    }

    pub(super) async fn mend_if_due(&mut self) -> Result<(), Doubt> {
        match self.mend_due.is_some_and(|due| due <= Instant::now()) {
            true => self.mend(Vec::new()).await,
            false => Ok(()),
        }
    }

    async fn found_cluster(&mut self) -> Result<(), Doubt> {
        let cluster_id = Uuid::random().map_err(|_| Doubt::Randomness)?.to_string();
        let write = Write::put(Key::ClusterId, cluster_id.clone().into_bytes());
        self.commit(Plan::of_step(Step { writes: vec![write], changes: Vec::new() })).await?;
        tracing::info!(%cluster_id, "a new cluster");
        Arc::make_mut(&mut self.state.image).cluster_id = cluster_id;
        Ok(())
    }
}
