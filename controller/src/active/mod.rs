//! The active controller: one task over a closed enum of events. Each event is decided on the state, committed, and pushed;
//! then the next.

mod admissions;
mod requests;
mod streams;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use fastrand::Rng;
use metadata::keys::Key;
use metadata::store::WatchMessage;
use node::shutdown::Shutdown;
use proto::controller::ForwardResponse;
use protocol::types::{BrokerId, Uuid};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::acknowledgements::Acknowledgements;
use crate::commit::CommitError;
use crate::event::{Event, Reply};
use crate::metrics;
use crate::plan::broker_gone::broker_gone;
use crate::plan::orphans::sweep;
use crate::plan::{Plan, Step, Write};
use crate::push::Publisher;
use crate::state::State;
use crate::term::{Term, TermError};

/// Counting every partition takes a while, so it is done at most so often.
const METRICS_INTERVAL: Duration = Duration::from_secs(1);

/// The answer of an admin call, and where it goes when its time has come.
struct Answer {
    response: ForwardResponse,
    reply: Reply<ForwardResponse>,
}

/// One reading of the state, and what hangs on it.
pub struct Active {
    pub(crate) term: Term,
    pub(crate) state: State,
    pub(crate) publisher: Publisher,
    acknowledgements: Acknowledgements<Answer, Instant>,
    /// Live brokers without a stream, and when they are fenced.
    silent_until: BTreeMap<BrokerId, Instant>,
    metrics_due: Option<Instant>,
    rng: Rng,
}

/// Where events come from.
pub struct Sources<'a, Lost> {
    pub registrations: mpsc::Receiver<WatchMessage>,
    pub received: mpsc::Receiver<Event>,
    pub lease_lost: Pin<&'a mut Lost>,
    pub shutdown: &'a Shutdown,
}

/// Why an active controller stopped in good order.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    LeaseLost,
    Shutdown,
    WatchLost,
}

impl Active {
    pub fn new(term: Term, state: State) -> Result<Active, TermError> {
        let seed = Uuid::random().map_err(|_| TermError::Randomness)?;
        let (seed, _) = seed.0.split_at(8);
        let fenced_at = Instant::now() + term.config.broker_session_timeout;
        let silent_until = state.image.live_brokers().map(|broker| (broker.id, fenced_at)).collect();
        Ok(Active {
            term,
            state,
            publisher: Publisher::new(),
            acknowledgements: Acknowledgements::new(),
            silent_until,
            metrics_due: Some(Instant::now()),
            rng: Rng::with_seed(seed.iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))),
        })
    }

    /// Brings the state in order before anybody is served: a cluster id, no orphans, and no broker counted as live whose
    /// registration is gone.
    pub async fn mend(&mut self, orphans: Vec<Key>) -> Result<(), TermError> {
        if self.state.image.cluster_id.is_empty() {
            self.found_cluster().await?;
        }
        if !orphans.is_empty() {
            tracing::info!(
                count = orphans.len(),
                "sweeping keys of topics whose creation or deletion was cut short"
            );
            self.commit(sweep(orphans)).await?;
        }
        let gone = |id: &BrokerId| !self.state.image.brokers.contains_key(id);
        let admitted = self.state.admitted.iter().filter(|(id, admitted)| !admitted.fenced && gone(id));
        for id in admitted.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.commit(broker_gone(&self.state, id)).await?;
        }
        Ok(())
    }

    async fn found_cluster(&mut self) -> Result<(), TermError> {
        let cluster_id = Uuid::random().map_err(|_| TermError::Randomness)?.to_string();
        let write = Write::put(Key::ClusterId, cluster_id.clone().into_bytes());
        self.commit(Plan::of_step(Step { writes: vec![write], changes: Vec::new() })).await?;
        tracing::info!(%cluster_id, "a new cluster");
        std::sync::Arc::make_mut(&mut self.state.image).cluster_id = cluster_id;
        Ok(())
    }

    /// Serves until the term or this reading of the state ends. Streams end with it.
    pub async fn run<Lost: Future<Output = ()>>(
        mut self,
        mut sources: Sources<'_, Lost>,
    ) -> Result<Ended, TermError> {
        loop {
            let event = self.next_event(&mut sources).await;
            if let Some(ended) = self.handle(event).await? {
                return Ok(ended);
            }
        }
    }

    /// Decides one event, commits and pushes what follows from it. `Some`: the term, or this reading of the state, has ended.
    pub async fn handle(&mut self, event: Event) -> Result<Option<Ended>, TermError> {
        match event {
            Event::Registrations(Some(WatchMessage::Events { events, .. })) => {
                self.registrations_changed(events).await?;
            }
            Event::Registrations(_) => return Ok(Some(Ended::WatchLost)),
            Event::Opened { hello, reply } => self.stream_opened(hello, reply).await?,
            Event::Acknowledged { broker, stream, revision } => {
                self.acknowledgements.acknowledged(broker, stream, revision);
            }
            Event::Closed { broker, stream } => self.stream_closed(broker, stream),
            Event::WholeImage { reply } => self.give_image(reply),
            Event::Forward { request, reply } => self.forward(request, reply).await?,
            Event::AlterIsr { request, reply } => self.alter_isr(request, reply).await?,
            Event::AllocateProducerIds { request, reply } => {
                self.allocate_producer_ids(request, reply).await?
            }
            Event::ControlledShutdown { request, reply } => self.controlled_shutdown(request, reply).await?,
            Event::ReplicasOffline { request, reply } => self.replicas_offline(request, reply).await?,
            Event::Timer => self.fence_silent_brokers().await?,
            Event::LeaseLost => return Ok(Some(Ended::LeaseLost)),
            Event::Shutdown => return Ok(Some(Ended::Shutdown)),
        }
        self.give_answers();
        self.count_if_due();
        Ok(None)
    }

    async fn next_event<Lost: Future<Output = ()>>(&self, sources: &mut Sources<'_, Lost>) -> Event {
        let deadline = self.next_deadline();
        tokio::select! {
            // A lost lease before all, and deaths before requests that would count on the dead.
            biased;
            () = sources.lease_lost.as_mut() => Event::LeaseLost,
            () = sources.shutdown.requested() => Event::Shutdown,
            message = sources.registrations.recv() => Event::Registrations(message),
            event = sources.received.recv() => event.unwrap_or(Event::Shutdown),
            () = sleep_until_some(deadline) => Event::Timer,
        }
    }

    /// When [`Event::Timer`] is due next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let silent = self.silent_until.values().min().copied();
        [silent, self.acknowledgements.next_deadline(), self.metrics_due].into_iter().flatten().min()
    }

    fn give_answers(&mut self) {
        let ready = self.acknowledgements.ready(Instant::now());
        for Answer { response, reply } in ready {
            // Who has gone away wants no answer.
            let _ = reply.send(Ok(response));
        }
    }

    fn count_if_due(&mut self) {
        if self.metrics_due.is_some_and(|due| due <= Instant::now()) {
            metrics::observe_cluster(&self.state);
            self.metrics_due = None;
        }
    }

    /// Carries out a plan that changes the cluster.
    pub(crate) async fn carry_out(&mut self, plan: Plan) -> Result<(), CommitError> {
        if !plan.is_empty() {
            self.metrics_due.get_or_insert_with(|| Instant::now() + METRICS_INTERVAL);
        }
        self.commit(plan).await
    }
}

async fn sleep_until_some(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
