//! Carrying out a plan: one transaction a step, fenced by our own election key and by every written key's own revision
//! (safety rule 4), and the delta published as soon as it is committed.
//!
//! Whatever goes wrong ends the present reading of the state: what is in doubt is read anew before anything is decided.

use metadata::change::Change;
use metadata::store::{Compare, LeaseId, Operation, StoreError, TxnOutcome};

use crate::active::Active;
use crate::metrics;
use crate::plan::{Plan, Step, UncleanElection, Write};
use crate::state::CommittedError;

/// Why a plan was not carried out, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing, or everything, may have been written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The election key or a written key is not as we know it.
    #[error("a transaction was refused: this controller is deposed, or someone else changed {keys}")]
    Refused { keys: String },
    #[error(transparent)]
    State(#[from] CommittedError),
}

impl Active {
    /// Commits all steps and publishes what brokers are to learn.
    pub(crate) async fn commit(&mut self, plan: Plan) -> Result<(), CommitError> {
        plan.unclean_elections.iter().for_each(report_unclean);
        for step in plan.steps {
            self.commit_step(step).await?;
        }
        Ok(())
    }

    async fn commit_step(&mut self, step: Step) -> Result<(), CommitError> {
        let (when, then) = self.transaction(&step.writes);
        match self.term.store.txn(when, then).await? {
            TxnOutcome::Applied(revision) => {
                if let Some(delta) = self.state.committed(step, revision)? {
                    delta.changes.iter().for_each(report_topic);
                    self.publisher.publish(delta);
                }
                Ok(())
            }
            TxnOutcome::Refused(_) => {
                let keys: Vec<_> = step.writes.iter().map(|write| write.key.to_string()).collect();
                Err(CommitError::Refused { keys: keys.join(", ") })
            }
        }
    }

    fn transaction(&self, writes: &[Write]) -> (Vec<Compare>, Vec<Operation>) {
        let prefix = &self.term.prefix;
        let fence =
            Compare::CreateRevision(metadata::keys::controller_key::key(prefix), self.term.claim.fence);
        let unchanged =
            |write: &Write| Compare::ModRevision(write.key.path(prefix), self.state.revision_of(&write.key));
        let when = std::iter::once(fence).chain(writes.iter().map(unchanged)).collect();
        let then = writes.iter().map(|write| match &write.value {
            Some(value) => {
                let (key, value) = (write.key.path(prefix), value.clone());
                Operation::Put { key, value, lease: LeaseId::NONE }
            }
            None => Operation::Delete { key: write.key.path(prefix) },
        });
        (when, then.collect())
    }
}

fn report_topic(change: &Change) {
    match change {
        Change::TopicCreated { name, id } => tracing::info!(topic = name, %id, "created"),
        Change::TopicDeleted { name, id } => tracing::info!(topic = name, %id, "deleted"),
        _ => {}
    }
}

fn report_unclean(election: &UncleanElection) {
    let UncleanElection { topic, partition, leader } = election;
    tracing::warn!(
        %leader,
        "unclean election: {topic}-{partition} is led by a broker that may lack acknowledged records"
    );
    metrics::observe_unclean_election();
}
