//! While the metadata store is not to be trusted: nothing is elected and nothing is written. Streams stand, so that admin calls
//! are answered with what to do, and so that the brokers are there when someone says `milena cluster recover`.

use metadata::keys::timeline::TimelineRecord;
use metadata::keys::{Key, controller_key};
use metadata::store::{Compare, LeaseId, Operation, TxnOutcome, WatchEvent, WatchMessage};
use proto::controller::{Hello, RecoverRequest, RecoverResponse};
use protocol::types::BrokerId;
use tokio::sync::oneshot;
use tonic::Status;

use super::requests::respond;
use super::streams::OpenStream;
use super::{Active, Ended};
use crate::commit::CommitError;
use crate::event::{Event, Reply};
use crate::metrics;
use crate::plan::{Plan, Step, Write};
use crate::push::Subscription;
use crate::recovery::{Newer, Recovery, Report, newer, newer_reading, recover, remedy};
use crate::state::State;
use crate::term::Doubt;

impl Active {
    /// Goes on from a new reading, if it is to be trusted; then its mark is the first thing that is written.
    pub async fn begin(&mut self, mut state: State, orphans: Vec<Key>) -> Result<(), Doubt> {
        let newer = newer_reading(&self.state, &state);
        let trusted = state.timeline.went_back.is_none() && newer.is_none();
        match trusted {
            true => self.mark(&mut state).await?,
            false => self.end_streams("the metadata store has gone back"),
        }
        self.take(state);
        if let Some(newer) = newer {
            return Ok(self.went_back(newer).await?);
        }
        self.report_went_back();
        if !trusted {
            return Ok(());
        }
        self.plan_balancing();
        self.mend(orphans).await
    }

    /// From the mark's revision on brokers are told of this reading: a later controller finds it in the store.
    async fn mark(&self, state: &mut State) -> Result<(), CommitError> {
        let (prefix, write) = (&self.term.prefix, state.mark());
        let (key, value) = (write.key.path(prefix), write.value.clone().unwrap_or_default());
        let when = vec![
            Compare::CreateRevision(controller_key::key(prefix), self.term.claim.fence),
            Compare::ModRevision(key.clone(), state.revision_of(&write.key)),
        ];
        let put = Operation::Put { key, value, lease: LeaseId::NONE };
        match self.term.store.txn(when, vec![put]).await? {
            TxnOutcome::Applied(revision) => {
                state.committed(Step { writes: vec![write], changes: Vec::new() }, revision)?;
                state.began(revision);
                Ok(())
            }
            TxnOutcome::Refused(_) => Err(CommitError::Refused { keys: write.key.to_string() }),
        }
    }

    /// What a hello tells of that is newer than the store.
    pub(super) fn newer_in(&self, hello: &Hello) -> Result<Option<Newer>, Status> {
        Ok(newer(&self.state, BrokerId(hello.broker_id), &report_of(hello)?))
    }

    /// Something newer than the store was met: written down, so that no other controller goes on as if nothing had been.
    /// Every broker says hello again, by which it is known what each of them holds from here on.
    pub(super) async fn went_back(&mut self, newer: Newer) -> Result<(), CommitError> {
        let record = TimelineRecord { went_back: Some(newer.to_string()), ..self.state.timeline.clone() };
        let write = Write::put(Key::Timeline, record.encode());
        self.commit(Plan::of_step(Step { writes: vec![write], changes: Vec::new() })).await?;
        self.report_went_back();
        self.end_streams("the metadata store has gone back");
        Ok(())
    }

    /// Says so where the store is not to be trusted.
    fn report_went_back(&self) {
        let went_back = self.state.timeline.went_back.as_deref();
        metrics::observe_went_back(went_back.is_some());
        if let Some(went_back) = went_back {
            tracing::error!("{}", remedy(went_back));
        }
    }

    fn end_streams(&mut self, why: &'static str) {
        self.state.reports.clear();
        self.state.connected.clear();
        self.bystanders.clear();
        for (broker, stream) in std::mem::take(&mut self.streams) {
            self.acknowledgements.closed(broker, stream.id);
            stream.hang_up(Status::unavailable(why));
        }
    }

    /// Whose logs were still being opened may have opened them by now. What the others reported stands.
    fn ask_again(&mut self) {
        let unread =
            |report: &Report| report.replicas.values().any(|replica| replica.log_end_offset.is_none());
        let brokers: Vec<BrokerId> =
            self.state.reports.extract_if(.., |_, report| unread(report)).map(|(broker, _)| broker).collect();
        for broker in brokers {
            let Some(stream) = self.streams.remove(&broker) else { continue };
            self.acknowledgements.closed(broker, stream.id);
            stream.hang_up(Status::unavailable("say hello again"));
        }
    }

    pub(super) fn nothing_to_recover(&self, reply: Reply<RecoverResponse>) {
        let refusal =
            "nothing newer than the metadata store was met: there is nothing to recover from".to_owned();
        respond(reply, Ok(RecoverResponse { refusal, findings: Vec::new() }));
    }

    /// Decides one event while the store is not to be trusted.
    pub(super) async fn decide_distrusting(
        &mut self,
        event: Event,
        went_back: &str,
    ) -> Result<Option<Ended>, Doubt> {
        let refusal = || Status::aborted(remedy(went_back));
        match event {
            Event::Registrations(Some(WatchMessage::Events { events, .. })) => {
                self.note_registrations(&events)
            }
            Event::Opened { hello, reply } => self.stream_opened_distrusting(hello, reply, went_back).await,
            Event::Closed { broker, stream } => {
                if self.acknowledgements.closed(broker, stream) {
                    self.close_stream(broker);
                    self.state.reports.remove(&broker);
                }
            }
            Event::Forward { reply, .. } => respond(reply, Err(refusal())),
            Event::AlterIsr { reply, .. } => respond(reply, Err(refusal())),
            Event::AllocateProducerIds { reply, .. } => respond(reply, Err(refusal())),
            Event::ControlledShutdown { reply, .. } => respond(reply, Err(refusal())),
            Event::ReplicasOffline { reply, .. } => respond(reply, Err(refusal())),
            Event::Recover { request, reply } => return Ok(self.recover(&request, reply).await?),
            // An image of a store that forgot something is none to hand out.
            Event::WholeImage { .. } | Event::Timer | Event::Dialled { .. } => {
                (self.mend_due, self.balancing_due) = (None, None);
            }
            other => return self.decide(other).await,
        }
        Ok(None)
    }

    fn note_registrations(&mut self, events: &[WatchEvent]) {
        for event in events {
            match event {
                WatchEvent::Put(entry) => self.note_registration(entry),
                WatchEvent::Deleted { key, revision } => {
                    let id = self.broker_of(key);
                    self.state
                        .registrations
                        .retain(|other, known| Some(*other) != id || known.epoch > *revision);
                }
            }
        }
    }

    /// The broker's stream stands, and nothing comes down it.
    async fn stream_opened_distrusting(&mut self, hello: Hello, reply: Reply<Subscription>, went_back: &str) {
        let id = BrokerId(hello.broker_id);
        let checked = self.check_hello(&hello).await;
        let report = match checked.and_then(|_| report_of(&hello)) {
            Ok(report) => report,
            Err(refusal) => return respond(reply, Err(refusal)),
        };
        tracing::info!(broker = %id, replicas = report.replicas.len(), "heard, while the cluster waits to be recovered");
        self.state.reports.insert(id, report);
        let (hang_up, hung_up) = oneshot::channel();
        let (image, nothing_new) = (&self.state.image, Some(self.state.image.revision));
        let subscription = self.publisher.subscribe(image, self.term.id, nothing_new, hung_up);
        self.acknowledgements.opened(id, subscription.stream);
        self.streams.insert(id, OpenStream { id: subscription.stream, epoch: hello.broker_epoch, hang_up });
        respond(reply, Ok(subscription.with_notice(remedy(went_back))));
    }

    /// `milena cluster recover`: once all of it stands, this controller resigns, and the next one begins the new timeline.
    async fn recover(
        &mut self,
        request: &RecoverRequest,
        reply: Reply<RecoverResponse>,
    ) -> Result<Option<Ended>, CommitError> {
        let Recovery { plan, findings } = match recover(&self.state, &self.state.reports, request.unclean) {
            Ok(recovery) => recovery,
            Err(findings) => {
                let refusal = "not every replica is known, so acknowledged records might be lost".to_owned();
                respond(reply, Ok(RecoverResponse { refusal, findings }));
                self.ask_again();
                return Ok(None);
            }
        };
        self.commit(plan).await?;
        findings.iter().for_each(|finding| tracing::warn!("recovery: {finding}"));
        tracing::warn!(timeline = self.state.timeline.timeline, "the cluster is recovered; resigning");
        respond(reply, Ok(RecoverResponse { refusal: String::new(), findings }));
        Ok(Some(Ended::Resigned))
    }
}

/// What a hello reports.
pub(super) fn report_of(hello: &Hello) -> Result<Report, Status> {
    Report::of(hello).map_err(|error| Status::invalid_argument(error.to_string()))
}
