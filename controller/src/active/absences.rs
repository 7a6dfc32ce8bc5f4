//! What becomes of brokers without a stream: the failure detector's verdicts, carried out.

use metadata::keys::{Key, broker_registration, controller_key};
use metadata::store::{Compare, Operation, TxnOutcome};
use protocol::types::BrokerId;
use tokio::time::Instant;

use super::{Active, Aside, Ended};
use crate::commit::CommitError;
use crate::failure_detector::{Dialled, Verdict};
use crate::metrics;
use crate::plan::broker_gone::{broker_gone, fence_broker};
use crate::term::Doubt;

impl Active {
    pub(super) fn dialled(&mut self, broker: BrokerId, epoch: i64, outcome: Dialled) {
        tracing::debug!(%broker, epoch, ?outcome, "dialled, for it has no stream");
        self.detector.dialled(broker, epoch, outcome, Instant::now());
    }

    /// Carries out what the failure detector says by now.
    pub(super) async fn judge_the_absent(&mut self) -> Result<Option<Ended>, Doubt> {
        for verdict in self.detector.poll(Instant::now()) {
            match verdict {
                Verdict::Dial { broker, epoch } => self.dial(broker, epoch),
                Verdict::Evict { broker, epoch } => self.evict(broker, epoch).await?,
                Verdict::Fence(broker) => self.fence(broker).await?,
                Verdict::Forget(broker) => self.forget(broker).await?,
                Verdict::Resign => {
                    tracing::warn!("half of the brokers or more fell silent at once: cut off, resigning");
                    return Ok(Some(Ended::Resigned));
                }
            }
        }
        Ok(None)
    }

    fn dial(&mut self, broker: BrokerId, epoch: i64) {
        let registered = self.state.registrations.get(&broker);
        let endpoint = registered.and_then(|registered| registered.registration.inter_broker_endpoint());
        self.asides.extend(endpoint.map(|endpoint| Aside::Dial { broker, epoch, endpoint }));
    }

    /// Nobody listens where it did: its registration is deleted before its lease ends. Safe though it may live: then it finds
    /// itself fenced by its epoch, and registers again.
    async fn evict(&mut self, id: BrokerId, epoch: i64) -> Result<(), CommitError> {
        let registered = self.state.registrations.get(&id).filter(|registered| registered.epoch == epoch);
        let Some(lease) = registered.map(|registered| registered.lease) else { return Ok(()) };
        let (prefix, key) = (&self.term.prefix, broker_registration::key(&self.term.prefix, id));
        let when = vec![
            Compare::CreateRevision(controller_key::key(prefix), self.term.claim.fence),
            Compare::CreateRevision(key.clone(), epoch),
        ];
        match self.term.store.txn(when, vec![Operation::Delete { key }]).await? {
            TxnOutcome::Applied(_) => {
                tracing::warn!(broker = %id, epoch, "refuses connections: evicted");
                metrics::observe_eviction("broker");
                self.asides.push(Aside::Revoke(lease));
                self.state.registrations.remove(&id);
                self.forget_broker(id).await
            }
            // It registered anew, or we are deposed; the watch or the lease will tell.
            TxnOutcome::Refused(_) => Ok(()),
        }
    }

    /// Its registration stands, but it has been silent for a session timeout.
    async fn fence(&mut self, id: BrokerId) -> Result<(), CommitError> {
        if self.state.image.is_live(id) {
            tracing::warn!(broker = %id, "has had no stream for a session timeout: fenced");
            metrics::observe_silence();
        }
        self.carry_out(fence_broker(&self.state, id)).await
    }

    async fn forget(&mut self, id: BrokerId) -> Result<(), CommitError> {
        tracing::warn!(broker = %id, "its registration is gone and was not made again");
        self.forget_broker(id).await
    }

    /// The broker, as the image has it, is no more: whatever it led is given to others.
    pub(super) async fn forget_broker(&mut self, id: BrokerId) -> Result<(), CommitError> {
        self.detector.forget(id);
        self.close_stream(id);
        self.state.shutting_down.remove(&id);
        self.carry_out(broker_gone(&self.state, id)).await
    }

    pub(super) fn broker_of(&self, path: &[u8]) -> Option<BrokerId> {
        match Key::parse(&self.term.prefix, path) {
            Some(Key::Broker(id)) => Some(id),
            _ => None,
        }
    }
}
