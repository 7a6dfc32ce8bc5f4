//! Carrying out a plan: one transaction a step, fenced by our own election key, by the reading of the state on which it was
//! decided, and by every written key's own revision (safety rule 4), and the delta published as soon as it is committed.
//! Steps that stand for themselves are committed in waves, side by side, in the order of what matters most; a wave is one
//! delta.
//!
//! Whatever goes wrong ends the present reading of the state: what is in doubt is read anew before anything is decided.

use std::time::Instant;

use futures_util::future::join_all;
use metadata::change::Change;
use metadata::delta::Delta;
use metadata::keys::Key;
use metadata::store::{Compare, LeaseId, Operation, Revision, StoreError, TxnOutcome};

use crate::active::Active;
use crate::metrics;
use crate::plan::{Plan, Step, UncleanElection, Write};
use crate::state::CommittedError;

/// Transactions of one wave: more gain nothing (etcd takes 76,000 keys a second one after the other, 184,000 eight at once).
const WAVE_STEPS: usize = 8;

/// Why a plan was not carried out, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing, or everything, may have been written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The election key or a written key is not as we know it.
    #[error("a transaction was refused: this controller is deposed, or someone else changed {keys}")]
    Refused { keys: String },
    /// Of several transactions side by side some were not applied.
    #[error("a part of a plan was not carried out: {0}")]
    Partly(#[source] Box<CommitError>),
    #[error(transparent)]
    State(#[from] CommittedError),
}

impl Active {
    /// Commits all steps and publishes what brokers are to learn.
    pub(crate) async fn commit(&mut self, plan: Plan) -> Result<(), CommitError> {
        let elects = plan.moves_leadership(&self.state).then(Instant::now);
        plan.unclean_elections.iter().for_each(report_unclean);
        metrics::observe_eligible_elections(plan.eligible_elections);
        let Plan { steps, side_by_side, .. } = plan;
        let mut steps = steps.into_iter();
        // Who comes first is told of before anything that follows from it.
        let mut wave: Vec<Step> = steps.by_ref().take(1).collect();
        while !wave.is_empty() {
            self.commit_wave(wave).await?;
            wave = steps.by_ref().take(if side_by_side { WAVE_STEPS } else { 1 }).collect();
        }
        if let Some(began) = elects {
            metrics::observe_leader_election(began.elapsed());
        }
        Ok(())
    }

    async fn commit_wave(&mut self, steps: Vec<Step>) -> Result<(), CommitError> {
        let steps: Vec<Step> = steps.into_iter().map(|step| self.state.marked(step)).collect();
        let alone = steps.len() == 1;
        let outcomes = join_all(steps.iter().map(|step| self.apply(step))).await;
        let applied: Result<Vec<_>, CommitError> = outcomes.into_iter().collect();
        let applied =
            applied.map_err(|error| if alone { error } else { CommitError::Partly(Box::new(error)) })?;
        let mut committed: Vec<_> = applied.into_iter().zip(steps).collect();
        // The store applied them in an order of its own.
        committed.sort_unstable_by_key(|(revision, _)| *revision);
        let mut wave: Option<Delta> = None;
        for (revision, step) in committed {
            let delta = self.state.committed(step, revision)?;
            wave = joined(wave, delta);
        }
        if let Some(delta) = wave {
            delta.changes.iter().for_each(report_topic);
            self.publisher.publish(delta);
        }
        Ok(())
    }

    /// One transaction; the revision at which it was applied.
    async fn apply(&self, step: &Step) -> Result<Revision, CommitError> {
        let (when, then) = self.transaction(&step.writes);
        match self.term.store.txn(when, then).await? {
            TxnOutcome::Applied(revision) => Ok(revision),
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
        let unchanged = |key: &Key| Compare::ModRevision(key.path(prefix), self.state.revision_of(key));
        let reading = unchanged(&Key::ControllerEpoch);
        let when = [fence, reading].into_iter().chain(writes.iter().map(|write| unchanged(&write.key)));
        let when = when.collect();
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

/// Two deltas, one behind the other, as one.
fn joined(first: Option<Delta>, then: Option<Delta>) -> Option<Delta> {
    match (first, then) {
        (Some(first), Some(then)) => {
            let (to_revision, mut changes) = (then.to_revision, first.changes);
            changes.extend(then.changes);
            Some(Delta { to_revision, changes, ..first })
        }
        (first, then) => first.or(then),
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
