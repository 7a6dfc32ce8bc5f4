//! The active controller: one task over a closed enum of events. Each event is decided on the state, committed, and pushed;
//! then the next.
//!
//! What takes its time and decides nothing (dialling a broker, revoking a lease) is an [`Aside`], done beside the loop. All
//! that leaves the state in doubt is an error, after which it is read anew (`term`) and taken over here: streams go on.

mod absences;
mod admissions;
mod aside;
mod balancing;
mod reading;
mod requests;
mod streams;
mod went_back;

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use metadata::store::{StoreError, WatchMessage};
use node::shutdown::Shutdown;
use proto::controller::ForwardResponse;
use protocol::types::BrokerId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use self::streams::OpenStream;
use crate::acknowledgements::Acknowledgements;
use crate::commit::CommitError;
use crate::event::{Event, Reply};
use crate::event_queue::EventReceiver;
use crate::failure_detector::FailureDetector;
use crate::lease::HeldLease;
use crate::metrics;
use crate::plan::Plan;
use crate::push::Publisher;
use crate::state::State;
use crate::term::{Doubt, Term};

pub use self::aside::Aside;

/// Counting every partition takes a while, so it is done at most so often.
const METRICS_INTERVAL: Duration = Duration::from_secs(1);
/// Between two attempts to write what a store without space refused.
const NO_SPACE_RETRY: Duration = Duration::from_secs(1);

/// The answer of an admin call, and where it goes when its time has come.
struct Answer {
    response: ForwardResponse,
    reply: Reply<ForwardResponse>,
}

/// All that an active controller has, for one term.
pub struct Active {
    pub(crate) term: Term,
    pub(crate) state: State,
    pub(crate) publisher: Publisher,
    acknowledgements: Acknowledgements<Answer, Instant>,
    streams: BTreeMap<BrokerId, OpenStream>,
    /// The streams of those whose registration is gone: nobody counts on them, and nothing is judged by them.
    bystanders: BTreeMap<BrokerId, OpenStream>,
    detector: FailureDetector<Instant>,
    asides: Vec<Aside>,
    /// Asides in work.
    errands: JoinSet<Option<Event>>,
    /// When what should stand in the store is written again, since there was no space for it.
    mend_due: Option<Instant>,
    metrics_due: Option<Instant>,
    /// When leadership is looked at next, whether it should go back to preferred replicas.
    balancing_due: Option<Instant>,
    rng: Rng,
}

/// Where events come from.
pub struct Sources<'a> {
    pub registrations: mpsc::Receiver<WatchMessage>,
    pub received: &'a mut EventReceiver,
    pub lease: &'a mut HeldLease,
    pub shutdown: &'a Shutdown,
}

/// Why a term ended in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The lease is gone, or the place is another's.
    Deposed,
    /// It is cut off from half of its brokers or more.
    Resigned,
    Shutdown,
}

impl Active {
    /// Knows nothing before it takes a reading.
    pub fn new(term: Term) -> Active {
        let session_timeout = term.config.broker_session_timeout;
        Active {
            term,
            state: State::default(),
            publisher: Publisher::new(),
            acknowledgements: Acknowledgements::new(),
            streams: BTreeMap::new(),
            bystanders: BTreeMap::new(),
            detector: FailureDetector::new(session_timeout),
            asides: Vec::new(),
            errands: JoinSet::new(),
            mend_due: None,
            metrics_due: Some(Instant::now()),
            balancing_due: None,
            rng: Rng::new(),
        }
    }

    /// Whether the state was read before in this term.
    pub fn has_read(&self) -> bool {
        self.state.image.revision > 0
    }

    /// Serves until the term ends or this reading of the state is in doubt.
    pub async fn run(&mut self, mut sources: Sources<'_>) -> Result<Ended, Doubt> {
        loop {
            for aside in self.take_asides() {
                self.errands.spawn(aside.carry_out(self.term.store.clone()));
            }
            let event = self.next_event(&mut sources).await;
            if event.is_abandoned() {
                continue;
            }
            let (name, began) = (event.name(), Instant::now());
            let handled = self.handle(event).await;
            metrics::observe_event(name, began.elapsed());
            if let Some(ended) = handled? {
                return Ok(ended);
            }
        }
    }

    /// Decides one event, commits and pushes what follows from it. `Some`: the term has ended.
    pub async fn handle(&mut self, event: Event) -> Result<Option<Ended>, Doubt> {
        let ended = match self.state.timeline.went_back.clone() {
            Some(went_back) => self.decide_distrusting(event, &went_back).await,
            None => match self.decide(event).await {
                Ok(None) => self.judge_the_absent().await,
                ended => ended,
            },
        };
        match ended {
            Ok(Some(ended)) => return Ok(Some(ended)),
            Ok(None) => {}
            // Nothing was written, so nothing is in doubt; but what should be written must not be forgotten.
            Err(Doubt::Commit(CommitError::Store(error @ StoreError::NoSpace { .. }))) => {
                self.retry_later(&error)
            }
            Err(doubt) => return Err(doubt),
        }
        self.give_answers();
        metrics::observe_broker_streams(self.streams.len());
        metrics::observe_revision(self.state.image.revision);
        self.count_if_due();
        Ok(None)
    }

    async fn decide(&mut self, event: Event) -> Result<Option<Ended>, Doubt> {
        match event {
            Event::Registrations(Some(WatchMessage::Events { events, .. })) => {
                self.registrations_changed(events).await?;
            }
            Event::Registrations(Some(WatchMessage::Compacted { .. })) => return Err(Doubt::Compacted),
            Event::Registrations(None) => return Err(Doubt::WatchLost),
            Event::Opened { hello, reply } => self.stream_opened(hello, reply).await?,
            Event::Acknowledged { broker, stream, revision } => {
                self.acknowledgements.acknowledged(broker, stream, revision);
            }
            Event::Closed { broker, stream } => self.stream_closed(broker, stream),
            Event::Dialled { broker, epoch, outcome } => self.dialled(broker, epoch, outcome),
            Event::WholeImage { reply } => self.give_image(reply),
            Event::Forward { request, reply } => self.forward(request, reply).await?,
            Event::AlterIsr { request, reply } => self.alter_isr(request, reply).await?,
            Event::AllocateProducerIds { request, reply } => {
                self.allocate_producer_ids(request, reply).await?
            }
            Event::ControlledShutdown { request, reply } => self.controlled_shutdown(request, reply).await?,
            Event::ReplicasOffline { request, reply } => self.replicas_offline(request, reply).await?,
            Event::Recover { reply, .. } => self.nothing_to_recover(reply),
            Event::Timer => {
                self.mend_if_due().await?;
                self.balance_if_due().await?;
            }
            Event::LeaseDoubtful => return Err(Doubt::Lease),
            Event::Shutdown => return Ok(Some(Ended::Shutdown)),
        }
        Ok(None)
    }

    async fn next_event(&mut self, sources: &mut Sources<'_>) -> Event {
        let deadline = self.next_deadline();
        loop {
            return tokio::select! {
                // A doubtful lease before all, and deaths before requests that would count on the dead.
                biased;
                () = sources.lease.doubtful() => Event::LeaseDoubtful,
                () = sources.shutdown.requested() => Event::Shutdown,
                Some(done) = self.errands.join_next() => match done {
                    Ok(Some(event)) => event,
                    Ok(None) | Err(_) => continue,
                },
                message = sources.registrations.recv() => Event::Registrations(message),
                event = sources.received.recv() => event.unwrap_or(Event::Shutdown),
                () = sleep_until_some(deadline) => Event::Timer,
            };
        }
    }

    /// When [`Event::Timer`] is due next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let absences = self.detector.next_deadline().filter(|_| self.state.timeline.went_back.is_none());
        let answers = self.acknowledgements.next_deadline();
        [absences, answers, self.mend_due, self.metrics_due, self.balancing_due].into_iter().flatten().min()
    }

    /// What is to be done beside the loop, since it was asked last.
    pub fn take_asides(&mut self) -> Vec<Aside> {
        std::mem::take(&mut self.asides)
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

    fn retry_later(&mut self, refused: &StoreError) {
        tracing::error!("{refused}; reading goes on, and writing when there is space again");
        metrics::observe_doubt("no_space");
        self.mend_due = Some(Instant::now() + NO_SPACE_RETRY);
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
