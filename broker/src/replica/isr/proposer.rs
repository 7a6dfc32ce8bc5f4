//! Watches the ISRs of what this broker leads, and asks the controller to change them, many partitions a call.
//!
//! Shell. One call is on its way at a time; what comes up meanwhile goes with the next. A proposal without an answer is
//! sent again until it is answered or a push has settled it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metadata::image::ClusterImage;
use node::shutdown::Shutdown;
use protocol::ErrorCode;
use protocol::types::{BrokerId, Uuid};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep_until};

use super::leader::Circumstances;
use super::proposals::Proposal;
use crate::Broker;
use crate::link::{IsrOutcome, IsrProposal};
use crate::metrics::out_of_sync::OutOfSyncGauges;
use crate::metrics::replication;
use crate::replica::partition::Partition;

/// Proposals of one call.
const CALL_PROPOSALS_MAX: usize = 1_000;
/// How long the controller may take to answer one call.
const CALL_TIME_MAX: Duration = Duration::from_secs(5);
/// Before what had no answer is sent again.
const RESEND_DELAY: Duration = Duration::from_millis(100);
/// How often it is told why replicas are out of sync.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest time between two looks at every partition.
const LOOK_INTERVAL_MIN: Duration = Duration::from_millis(10);

/// A proposal on its way.
#[derive(Clone)]
struct Open {
    topic_id: Uuid,
    partition: Arc<Partition>,
    proposal: Proposal,
    expands: bool,
    shrinks: bool,
}

struct Proposer {
    broker: Arc<Broker>,
    /// By topic and partition.
    open: BTreeMap<(Uuid, i32), Open>,
    /// What is open is not sent before.
    next_call_at: Instant,
    images: watch::Receiver<Arc<ClusterImage>>,
    /// As of the last look at the brokers.
    image: Arc<ClusterImage>,
    gauges: OutOfSyncGauges,
    /// The image under which all were last found in sync.
    all_in_sync: Option<Arc<ClusterImage>>,
}

/// Keeps the ISRs true until shutdown.
pub async fn run(broker: Arc<Broker>, shutdown: Shutdown) {
    replication::begin();
    let (images, lag_time_max) = (broker.image.subscribe(), broker.config.replication.lag_time_max);
    // A replica that lags is found out after one and a half times the time that it may, at the latest.
    let mut looks = interval((lag_time_max / 2).max(LOOK_INTERVAL_MIN));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reports = interval(REPORT_INTERVAL);
    reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (open, next_call_at, image) = (BTreeMap::new(), Instant::now(), Arc::default());
    let gauges = OutOfSyncGauges::default();
    let proposer = Proposer { broker, open, next_call_at, images, image, gauges, all_in_sync: None };
    tokio::select! {
        () = proposer.run(&mut looks, &mut reports) => {}
        () = shutdown.requested() => {}
    }
}

impl Proposer {
    async fn run(mut self, looks: &mut Interval, reports: &mut Interval) {
        loop {
            tokio::select! {
                _ = looks.tick() => self.look_at(self.broker.replicas.all_by_id()),
                _ = reports.tick() => self.report(),
                () = self.broker.replicas.returning.noted() => self.look_at(self.noted()),
                changed = self.images.changed() => match changed {
                    Ok(()) => self.forget_gone_brokers(),
                    Err(_) => return,
                },
                () = sleep_until(self.next_call_at.into()), if !self.open.is_empty() => {}
            }
            if self.next_call_at <= Instant::now() {
                self.ask().await;
            }
        }
    }

    fn noted(&self) -> Vec<(Uuid, Arc<Partition>)> {
        let replicas = &self.broker.replicas;
        let noted = replicas.returning.take();
        noted.iter().filter_map(|at| replicas.with_topic_id(at)).collect()
    }

    /// Tells why replicas are out of sync. Where none was, only another image can tell of one.
    fn report(&mut self) {
        let image = self.broker.image();
        if self.all_in_sync.as_ref().is_some_and(|before| Arc::ptr_eq(before, &image)) {
            return;
        }
        let registered = |id| registered(&image, id);
        let circumstances = self.circumstances(-1, &registered);
        let mut counts = BTreeMap::new();
        for partition in self.broker.replicas.all() {
            for cause in partition.out_of_sync(&circumstances) {
                *counts.entry(cause).or_default() += 1;
            }
        }
        self.all_in_sync = counts.is_empty().then(|| image.clone());
        self.gauges.show(counts);
    }

    fn circumstances<'a>(
        &self,
        broker_epoch: i64,
        registered: &'a dyn Fn(BrokerId) -> Option<i64>,
    ) -> Circumstances<'a> {
        let lag_time_max = self.broker.config.replication.lag_time_max;
        Circumstances { broker_epoch, registered, lag_time_max, now: Instant::now() }
    }

    fn look_at(&mut self, partitions: Vec<(Uuid, Arc<Partition>)>) {
        let image = self.broker.image();
        let Some(broker_epoch) = self.broker.link.broker_epoch() else { return };
        let registered = |id| registered(&image, id);
        let circumstances = self.circumstances(broker_epoch, &registered);
        for (topic_id, partition) in partitions {
            if let Some((proposal, change)) = partition.propose_isr(&circumstances) {
                let (expands, shrinks) = (!change.returning.is_empty(), !change.leaving.is_empty());
                let key = (topic_id, partition.at.partition);
                self.open.insert(key, Open { topic_id, partition, proposal, expands, shrinks });
            }
        }
    }

    /// A high watermark must not wait for a follower whose broker has died.
    fn forget_gone_brokers(&mut self) {
        let new = self.images.borrow_and_update().clone();
        let gone: Vec<BrokerId> =
            self.image.live_brokers().map(|broker| broker.id).filter(|&id| !new.is_live(id)).collect();
        self.image = new;
        if !gone.is_empty() {
            self.broker.replicas.all().iter().for_each(|partition| partition.brokers_gone(&gone));
        }
    }

    /// Sends what is open, and settles what is answered.
    async fn ask(&mut self) {
        self.open.retain(|_, open| open.partition.is_in_flight(&open.proposal));
        let asked: Vec<Open> = self.open.values().take(CALL_PROPOSALS_MAX).cloned().collect();
        if asked.is_empty() {
            return;
        }
        let proposals: Vec<_> = asked.iter().map(on_the_wire).collect();
        match self.broker.link.alter_isr(&proposals, CALL_TIME_MAX).await {
            Ok(outcomes) => {
                // What the controller left out is as good as unanswered.
                asked.iter().skip(outcomes.len()).for_each(|open| self.keep(open));
                asked.iter().zip(outcomes).for_each(|(open, outcome)| self.settle(open, outcome));
            }
            Err(error) => {
                tracing::warn!(proposals = asked.len(), "ISR changes wait for the controller: {error}");
                asked.iter().for_each(|open| self.keep(open));
            }
        }
    }

    fn settle(&mut self, open: &Open, outcome: IsrOutcome) {
        let Open { topic_id, partition, proposal, expands, shrinks } = open;
        match outcome {
            IsrOutcome::Committed(state) => {
                partition.isr_committed(&state);
                if *expands {
                    tracing::info!(partition = %partition.at, isr = ?state.isr, "in sync: the ISR has expanded");
                }
                replication::observe_isr_change(*expands, *shrinks);
            }
            IsrOutcome::Refused(error) => {
                replication::observe_failed_isr_update();
                match verdict(error) {
                    Verdict::NotDone => partition.isr_refused(proposal),
                    // It stays in flight: only a push can tell what became of it.
                    Verdict::Overtaken => {}
                    Verdict::Unclear => return self.keep(open),
                }
            }
        }
        self.open.remove(&(*topic_id, partition.at.partition));
    }

    /// What had no clear answer may be committed or not, and is sent again.
    fn keep(&mut self, open: &Open) {
        open.partition.isr_unanswered(&open.proposal);
        self.next_call_at = Instant::now() + RESEND_DELAY;
    }
}

/// The broker epoch of whoever may be in an ISR.
fn registered(image: &ClusterImage, id: BrokerId) -> Option<i64> {
    image.brokers.get(&id).filter(|broker| !broker.fenced).map(|broker| broker.epoch)
}

/// What a refusal says of a proposal.
pub enum Verdict {
    /// The controller knew the partition's state, and did not change it.
    NotDone,
    /// The controller's state is another one: this proposal may be why, and a push will tell.
    Overtaken,
    Unclear,
}

/// What the controller's error says of a proposal.
pub fn verdict(error: ErrorCode) -> Verdict {
    match error {
        ErrorCode::IneligibleReplica | ErrorCode::OperationNotAttempted => Verdict::NotDone,
        ErrorCode::FencedLeaderEpoch
        | ErrorCode::InvalidUpdateVersion
        | ErrorCode::InvalidRequest
        | ErrorCode::NewLeaderElected
        | ErrorCode::UnknownTopicId
        | ErrorCode::UnknownTopicOrPartition => Verdict::Overtaken,
        _ => Verdict::Unclear,
    }
}

fn on_the_wire(Open { topic_id, partition, proposal, .. }: &Open) -> IsrProposal {
    IsrProposal {
        topic_id: *topic_id,
        partition: partition.at.partition,
        leader_epoch: proposal.leader_epoch,
        partition_epoch: proposal.partition_epoch,
        isr: proposal.isr.iter().map(|member| (member.id, member.broker_epoch)).collect(),
    }
}
