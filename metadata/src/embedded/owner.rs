//! The task that owns the store: takes commands, decides, journals, applies, syncs once for all that had come, and only
//! then answers and tells the watchers.
//!
//! After a failed write or sync nothing is taken any more: the process has to be started again, and reads what is on the
//! disk. A full disk merely refuses ([`StoreError::NoSpace`]).

use std::time::Duration;

use storage::durable::AppendFileError;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::command::{Command, HeldAnswer, Reply, hold};
use super::journal::Journal;
use super::state::{Batch, State};
use super::watchers::Watchers;
use crate::store::{Compare, KeyRange, LeaseId, Operation, Revision, StoreError, TxnOutcome, WatchMessage};

/// How many commands share one sync.
const COMMANDS_A_SYNC: usize = 128;
/// When the deletion of an expired lease's keys is tried again.
const EXPIRY_RETRY: Duration = Duration::from_secs(1);

/// A watch that is opened once the changes before it are durable.
struct Wanted {
    range: KeyRange,
    from: Revision,
    reply: Reply<mpsc::Receiver<WatchMessage>>,
}

pub(super) struct Owner {
    state: State,
    /// Absent while a sync runs, and for good in an ephemeral store.
    journal: Option<Journal>,
    watchers: Watchers,
    opened: Instant,
    /// Answers, batches for the watchers, and new watches, that wait for the sync.
    held: Vec<HeldAnswer>,
    untold: Vec<Batch>,
    wanted: Vec<Wanted>,
    failed: Option<StoreError>,
}

impl Owner {
    pub fn new(state: State, journal: Option<Journal>) -> Owner {
        Owner {
            state,
            journal,
            watchers: Watchers::default(),
            opened: Instant::now(),
            held: Vec::new(),
            untold: Vec::new(),
            wanted: Vec::new(),
            failed: None,
        }
    }

    /// Serves until the last handle is gone.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut batch = Vec::with_capacity(COMMANDS_A_SYNC);
        loop {
            tokio::select! {
                count = commands.recv_many(&mut batch, COMMANDS_A_SYNC) => {
                    if count == 0 {
                        return;
                    }
                }
                () = until(self.opened, self.state.next_expiry()) => {}
            }
            self.expire_leases();
            batch.drain(..).for_each(|command| self.perform(command));
            self.settle().await;
        }
    }

    fn perform(&mut self, command: Command) {
        let now = self.opened.elapsed();
        match command {
            Command::Range { range, reply } => {
                let found = self.state.range(&range);
                self.answer(reply, Ok(found));
            }
            Command::Txn { when, then, reply } => {
                let outcome = self.txn(&when, then);
                self.answer(reply, outcome);
            }
            Command::Grant { ttl, reply } => {
                let lease = self.state.grant(ttl, now);
                self.answer(reply, Ok((lease, ttl)));
            }
            Command::KeepAlive { lease, reply } => {
                let kept = self.state.keep_alive(lease, now);
                self.answer(reply, kept);
            }
            Command::Revoke { lease, reply } => {
                let revoked = self.revoke(lease);
                self.answer(reply, revoked);
            }
            Command::Watch { range, from, reply } => self.wanted.push(Wanted { range, from, reply }),
        }
    }

    fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, answer: Result<T, StoreError>) {
        self.held.push(hold(reply, answer));
    }

    fn txn(&mut self, when: &[Compare], then: Vec<Operation>) -> Result<TxnOutcome, StoreError> {
        let Some(batch) = self.state.decide(when, then)? else {
            return Ok(TxnOutcome::Refused(self.state.revision()));
        };
        self.commit(batch)?;
        Ok(TxnOutcome::Applied(self.state.revision()))
    }

    fn revoke(&mut self, lease: LeaseId) -> Result<(), StoreError> {
        let deletion = self.state.deletion_of_keys_of(lease)?;
        self.commit(deletion)?;
        self.state.end_lease(lease);
        Ok(())
    }

    fn expire_leases(&mut self) {
        let now = self.opened.elapsed();
        while let Some((lease, _)) = self.state.next_expiry().filter(|(_, expires)| *expires <= now) {
            if self.revoke(lease).is_err() {
                self.state.postpone_expiry(lease, now + EXPIRY_RETRY);
            }
        }
    }

    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        if batch.events.is_empty() {
            return Ok(());
        }
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        if let Some(journal) = &mut self.journal {
            journal.append(&batch).map_err(refusal)?;
        }
        self.untold.push(batch.clone());
        self.state.apply(batch);
        Ok(())
    }

    /// Makes everything durable, then gives the answers that waited for it.
    async fn settle(&mut self) {
        if !self.untold.is_empty() {
            self.sync().await;
        }
        let outcome = self.failed.clone().map_or(Ok(()), Err);
        self.held.drain(..).for_each(|answer| answer(outcome.clone()));
        match outcome {
            Ok(()) => self.tell_watchers(),
            Err(_) => self.watchers.drop_all(),
        }
        self.open_wanted_watches();
    }

    fn tell_watchers(&mut self) {
        for batch in self.untold.drain(..) {
            self.watchers.tell(&batch);
        }
    }

    fn open_wanted_watches(&mut self) {
        for Wanted { range, from, reply } in self.wanted.drain(..) {
            let opened = match &self.failed {
                Some(failure) => Err(failure.clone()),
                None => {
                    let missed = self.state.history.since(from, &range);
                    Ok(self.watchers.open(range, from, missed))
                }
            };
            // Who asked may have gone away.
            let _ = reply.send(opened);
        }
    }

    async fn sync(&mut self) {
        let Some(mut journal) = self.journal.take() else { return };
        let synced = tokio::task::spawn_blocking(move || {
            let synced = journal.sync();
            (journal, synced)
        });
        let outcome = synced.await.map_err(|panic| panic.to_string());
        let outcome = outcome.and_then(|(journal, synced)| {
            self.journal = Some(journal);
            synced.map_err(|failure| failure.to_string())
        });
        match outcome {
            Ok(()) => self.compact_if_due(),
            Err(reason) => self.fail(reason),
        }
    }

    fn compact_if_due(&mut self) {
        let Some(journal) = self.journal.as_mut().filter(|journal| journal.wants_compaction()) else {
            return;
        };
        if let Err(failure) = journal.compact(&self.state) {
            self.fail(failure.to_string());
        }
    }

    fn fail(&mut self, reason: String) {
        tracing::error!(%reason, "the embedded metadata store has failed and takes nothing more; start the process again");
        self.failed = Some(StoreError::Unavailable { reason });
    }
}

fn refusal(failure: AppendFileError) -> StoreError {
    let reason = failure.to_string();
    match failure {
        AppendFileError::Io(io) if io.is_disk_full() => StoreError::NoSpace { reason },
        AppendFileError::RecordTooLarge { .. } => StoreError::Invalid { reason },
        _ => StoreError::Unavailable { reason },
    }
}

async fn until(opened: Instant, expiry: Option<(LeaseId, Duration)>) {
    match expiry {
        Some((_, expires)) => tokio::time::sleep_until(opened + expires).await,
        None => std::future::pending().await,
    }
}
