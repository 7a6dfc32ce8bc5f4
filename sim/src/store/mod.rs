//! The metadata store: the embedded store's own state machine, asked over the network.
//!
//! A call is asked (`client`), travels, is carried out here, and its answer travels back. Either way may be lost, and then
//! nobody knows what became of it. A call whose asker has given up may still be carried out.

mod client;
mod watches;

use std::collections::BTreeMap;
use std::time::Duration;

use metadata::embedded::history::HISTORY_EVENTS_MAX;
use metadata::embedded::state::{Batch, State};
use metadata::store::{
    Compare, Found, KeyRange, LeaseId, Operation, Revision, StoreError, TxnOutcome, WatchMessage,
};
use tokio::sync::{mpsc, oneshot};

use crate::event::CallId;
use crate::host::Host;
use watches::Watches;

pub use client::{Outbox, StoreClient};

/// What every key begins with.
pub const PREFIX: &str = "/m";

/// What is asked of the store.
#[derive(Clone, Debug)]
pub enum Request {
    Range(KeyRange),
    Txn(Vec<Compare>, Vec<Operation>),
    Grant(Duration),
    KeepAlive(LeaseId),
    Revoke(LeaseId),
    Watch(KeyRange, Revision),
}

/// What the store answers.
#[derive(Debug)]
pub enum Reply {
    Found(Found),
    Outcome(TxnOutcome),
    Lease(LeaseId, Duration),
    Done,
    Watch(mpsc::Receiver<WatchMessage>),
}

pub type Answer = Result<Reply, StoreError>;

/// A call under way.
pub struct Call {
    pub from: Host,
    pub request: Request,
    asker: Option<oneshot::Sender<Answer>>,
    answer: Option<Answer>,
}

/// The store and all who ask it.
pub struct Store {
    state: State,
    calls: BTreeMap<CallId, Call>,
    last_call: CallId,
    pub watches: Watches,
    pub is_up: bool,
    /// A deliberate bug: whoever writes a partition compares the election key and nothing else.
    forgets_revisions: bool,
}

impl Store {
    pub fn new(forgets_revisions: bool) -> Store {
        Store {
            state: State::new(HISTORY_EVENTS_MAX),
            calls: BTreeMap::new(),
            last_call: 0,
            watches: Watches::default(),
            is_up: true,
            forgets_revisions,
        }
    }

    /// What is there when the simulation begins.
    pub fn found(&mut self, entries: Vec<(Vec<u8>, Vec<u8>)>) -> Option<Batch> {
        let put = |(key, value)| Operation::Put { key, value, lease: LeaseId::NONE };
        let batch = self.state.decide(&[], entries.into_iter().map(put).collect()).ok()??;
        self.state.apply(batch.clone());
        Some(batch)
    }

    /// Takes a call from its asker.
    pub fn sent(&mut self, from: Host, request: Request, asker: oneshot::Sender<Answer>) -> CallId {
        self.last_call += 1;
        self.calls.insert(self.last_call, Call { from, request, asker: Some(asker), answer: None });
        self.last_call
    }

    pub fn call(&self, id: CallId) -> Option<&Call> {
        self.calls.get(&id)
    }

    /// Carries a call out. What it changed, if anything.
    pub fn carry_out(&mut self, id: CallId, now: Duration) -> Option<Batch> {
        let (from, request) = self.calls.get(&id).map(|call| (call.from, call.request.clone()))?;
        let (answer, changed) = self.answer(from, request, now);
        self.calls.get_mut(&id)?.answer = Some(answer);
        changed
    }

    /// The answer has arrived, or the asker waits no longer.
    pub fn settle(&mut self, id: CallId, in_time: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(asker) = call.asker.take() else {
            self.calls.remove(&id);
            return;
        };
        let answer = call.answer.take().filter(|_| in_time);
        let unavailable = || StoreError::Unavailable { reason: "no answer".to_owned() };
        // Who died wants none.
        let _ = asker.send(answer.unwrap_or_else(|| Err(unavailable())));
        if in_time {
            self.calls.remove(&id);
        }
    }

    fn answer(&mut self, from: Host, request: Request, now: Duration) -> (Answer, Option<Batch>) {
        match request {
            Request::Range(range) => (Ok(Reply::Found(self.state.range(&range))), None),
            Request::Txn(when, then) => self.transact(when, then),
            Request::Grant(ttl) => (Ok(Reply::Lease(self.state.grant(ttl, now), ttl)), None),
            Request::KeepAlive(lease) => (self.state.keep_alive(lease, now).map(|()| Reply::Done), None),
            Request::Revoke(lease) => match self.end_lease(lease) {
                Ok(batch) => (Ok(Reply::Done), batch),
                Err(error) => (Err(error), None),
            },
            Request::Watch(range, since) => {
                let missed = self.state.history.since(since, &range);
                (Ok(Reply::Watch(self.watches.open(from, range, missed))), None)
            }
        }
    }

    fn transact(&mut self, mut when: Vec<Compare>, then: Vec<Operation>) -> (Answer, Option<Batch>) {
        let partitions = format!("{PREFIX}/partitions/");
        if self.forgets_revisions && then.iter().any(|write| write.key().starts_with(partitions.as_bytes())) {
            when.retain(|compare| matches!(compare, Compare::CreateRevision(..)));
        }
        match self.state.decide(&when, then) {
            Ok(Some(batch)) => {
                self.apply(batch.clone());
                (Ok(Reply::Outcome(TxnOutcome::Applied(batch.revision))), Some(batch))
            }
            Ok(None) => (Ok(Reply::Outcome(TxnOutcome::Refused(self.state.revision()))), None),
            Err(error) => (Err(error), None),
        }
    }

    fn end_lease(&mut self, lease: LeaseId) -> Result<Option<Batch>, StoreError> {
        let batch = self.state.deletion_of_keys_of(lease)?;
        self.state.end_lease(lease);
        if batch.events.is_empty() {
            return Ok(None);
        }
        self.apply(batch.clone());
        Ok(Some(batch))
    }

    fn apply(&mut self, batch: Batch) {
        self.watches.tell(&batch);
        self.state.apply(batch);
    }

    /// Ends a lease whose time is over.
    pub fn expire(&mut self, now: Duration) -> Option<Batch> {
        let (lease, _) = self.state.next_expiry().filter(|(_, at)| *at <= now)?;
        self.end_lease(lease).ok().flatten().or(Some(Batch { revision: 0, events: Vec::new() }))
    }

    /// Ends some lease before its time.
    pub fn expire_any(&mut self, rng: &mut fastrand::Rng) -> Option<Batch> {
        let leased: Vec<LeaseId> =
            self.state.entries().map(|entry| entry.lease).filter(|lease| *lease != LeaseId::NONE).collect();
        let lease = leased.get(rng.usize(..leased.len().max(1)))?;
        self.end_lease(*lease).ok()?
    }

    /// After a restart every lease has its whole time again.
    pub fn renew_leases(&mut self, now: Duration) {
        while let Some((lease, at)) = self.state.next_expiry().filter(|(_, at)| *at <= now + RENEWED_FOR) {
            debug_assert!(at <= now + RENEWED_FOR);
            self.state.postpone_expiry(lease, now + RENEWED_FOR + Duration::from_millis(1));
        }
    }
}

/// About what a lease lives in a simulation.
const RENEWED_FOR: Duration = Duration::from_secs(2);
