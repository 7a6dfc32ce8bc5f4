//! The metadata store of one process: an ordered map, a bounded history for watches, and, unless it is ephemeral, a
//! journal. `milena dev` stands on it.
//!
//! One task owns everything; [`EmbeddedStore`] only sends it commands. A command is answered when all that came before it
//! is on the disk. Leases do not outlive the process: their keys are deleted when the store is opened again.

mod command;
pub mod history;
mod journal;
mod owner;
mod record;
pub mod state;
mod watchers;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use storage::durable::AppendFileError;
use tokio::sync::{mpsc, oneshot};

use crate::store::{
    Compare, Found, KeyRange, LeaseId, MetadataStore, Operation, Revision, StoreError, TxnOutcome,
    WatchMessage,
};
use command::Command;
use history::HISTORY_EVENTS_MAX;
use journal::Journal;
use owner::Owner;

/// Commands that may wait for the owner.
const COMMANDS_MAX: usize = 1024;

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    File(#[from] AppendFileError),
    #[error(transparent)]
    Io(#[from] storage::IoFailure),
    #[error("record {at} of {} cannot be read: another release wrote it, or it is damaged", path.display())]
    Record { path: PathBuf, at: usize },
    #[error("{} is locked: another process has this metadata open", path.display())]
    Locked { path: PathBuf },
}

/// A handle to the store; it ends with its last handle.
#[derive(Clone)]
pub struct EmbeddedStore {
    commands: mpsc::Sender<Command>,
}

impl EmbeddedStore {
    /// Opens or creates the store in this directory. Within a tokio runtime.
    pub fn open(directory: &Path) -> Result<EmbeddedStore, OpenError> {
        Self::open_with_history(directory, HISTORY_EVENTS_MAX)
    }

    /// As [`EmbeddedStore::open`], but remembers only so many events for watches.
    pub fn open_with_history(directory: &Path, events_max: usize) -> Result<EmbeddedStore, OpenError> {
        let (journal, state) = Journal::open(directory, events_max)?;
        Ok(Self::start(Owner::new(state, Some(journal))))
    }

    /// A store without files: all is lost with the process.
    pub fn ephemeral() -> EmbeddedStore {
        Self::start(Owner::new(state::State::new(HISTORY_EVENTS_MAX), None))
    }

    fn start(owner: Owner) -> EmbeddedStore {
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        tokio::spawn(owner.run(receiver));
        EmbeddedStore { commands }
    }

    async fn ask<T>(&self, command: impl FnOnce(command::Reply<T>) -> Command) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let gone = || StoreError::Unavailable { reason: "the embedded store has ended".to_owned() };
        self.commands.send(command(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl MetadataStore for EmbeddedStore {
    async fn range(&self, range: KeyRange) -> Result<Found, StoreError> {
        self.ask(|reply| Command::Range { range, reply }).await
    }

    async fn txn(&self, when: Vec<Compare>, then: Vec<Operation>) -> Result<TxnOutcome, StoreError> {
        self.ask(|reply| Command::Txn { when, then, reply }).await
    }

    async fn lease_grant(&self, ttl: Duration) -> Result<(LeaseId, Duration), StoreError> {
        self.ask(|reply| Command::Grant { ttl, reply }).await
    }

    async fn lease_keepalive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.ask(|reply| Command::KeepAlive { lease, reply }).await
    }

    async fn lease_revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.ask(|reply| Command::Revoke { lease, reply }).await
    }

    async fn watch(
        &self,
        range: KeyRange,
        from: Revision,
    ) -> Result<mpsc::Receiver<WatchMessage>, StoreError> {
        self.ask(|reply| Command::Watch { range, from, reply }).await
    }
}
