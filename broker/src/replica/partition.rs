//! One partition's replica on this broker: its log, its role, its high watermark, and those who wait for it.
//!
//! One mutex guards all of it and is never held across an await. Invariant (safety rule 8):
//! `log_start_offset ≤ last_stable_offset ≤ high_watermark ≤ log_end_offset`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use metadata::image::PartitionImage;
use parking_lot::{Mutex, MutexGuard, RwLock};
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch, Offset};
use storage::TopicPartition;
use storage::log::{Log, LogConfig};
use tokio::sync::Notify;

use super::ack_waits::AckWaits;
use super::changes::Mark;
use super::errors::PartitionError;
use super::followers::Followers;
use super::high_watermark;
use super::isr::{Returning, Told};
use super::log_dirs::ReplicaDir;
use super::role::{Assumed, Role};
use super::standing_down::StoodDown;
use crate::fetch::wait::{Audience, FetchWaits};
use crate::metrics::topics::{self, TopicMetrics};

/// One replica; shared by requests, housekeeping and those who apply images.
pub struct Partition {
    pub at: TopicPartition,
    pub dir: Arc<ReplicaDir>,
    pub metrics: TopicMetrics,
    /// This broker.
    pub(super) broker: BrokerId,
    /// Where is noted that a follower may return to the ISR.
    pub(super) returning: Arc<Returning>,
    /// Where is noted that it leads no more, before an image says so.
    pub(super) stood_down: Arc<StoodDown>,
    /// The topic's, as resolved from the newest image.
    config: RwLock<Arc<LogConfig>>,
    state: Mutex<State>,
}

/// What the mutex guards.
pub struct State {
    pub(super) log: LogState,
    pub(super) role: Role,
    pub(super) high_watermark: Offset,
    pub(super) followers: Followers,
    pub(super) acks: AckWaits,
    pub(super) fetches: FetchWaits,
    /// What was told of those out of the ISR.
    pub(super) out_of_sync: Told,
    /// To be noted whenever an offset of the log, or the high watermark, moves.
    pub(super) mark: Mark,
}

/// Whether the log can be used.
pub(super) enum LogState {
    /// Recovery runs; the broker answers with a retriable error.
    Opening,
    Open(Box<Log>),
    /// Its directory failed, or it would not open.
    Offline,
    /// The topic was deleted.
    Deleted,
    /// The broker stops.
    Closed,
}

/// Where an epoch that a request names stands to the partition's own (KIP-320).
pub type ExpectedEpoch = Option<LeaderEpoch>;

impl Partition {
    /// A replica whose log is still to be opened.
    pub(super) fn opening(
        at: TopicPartition,
        dir: Arc<ReplicaDir>,
        broker: BrokerId,
        config: Arc<LogConfig>,
        returning: Arc<Returning>,
        stood_down: Arc<StoodDown>,
    ) -> Arc<Partition> {
        let state = State {
            log: LogState::Opening,
            role: Role::Unassigned,
            high_watermark: Offset(0),
            followers: Followers::new(Instant::now()),
            acks: AckWaits::default(),
            fetches: FetchWaits::default(),
            out_of_sync: Told::new(),
            mark: Mark::new(dir.changes.clone(), at.clone()),
        };
        let metrics = topics::of(&at.topic);
        dir.replicas.fetch_add(1, Ordering::Relaxed);
        let config = RwLock::new(config);
        let state = Mutex::new(state);
        Arc::new(Partition { at, dir, metrics, broker, returning, stood_down, config, state })
    }

    /// The topic's configuration.
    pub fn config(&self) -> Arc<LogConfig> {
        self.config.read().clone()
    }

    /// Takes a changed configuration, for the log too.
    pub(super) fn configure(&self, config: &Arc<LogConfig>) {
        // First of all where a log that is just being opened will look for it.
        *self.config.write() = config.clone();
        if let LogState::Open(log) = &mut self.lock().log {
            log.reconfigure(LogConfig::clone(config));
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The log has been opened; `checkpointed` is the high watermark of the last checkpoint. It is closed again where the
    /// replica went, or its directory failed, in the meantime.
    pub(super) fn opened(&self, mut log: Log, checkpointed: Offset) {
        let mut state = self.lock();
        if !matches!(state.log, LogState::Opening) {
            return;
        }
        log.reconfigure(LogConfig::clone(&self.config.read()));
        state.high_watermark = checkpointed.clamp(log.log_start_offset(), log.log_end_offset());
        state.log = LogState::Open(Box::new(log));
        state.mark.note();
        state.begin_to_lead();
        self.report_refusal_to_lead(&state);
        state.advance_high_watermark(self.broker);
        state.fetches.wake_all();
    }

    /// Takes the role that the controller gave; an epoch that begins by it begins `now`.
    pub(super) fn assume(&self, image: &PartitionImage, now: Instant) {
        let mut state = self.lock();
        let isr_before = state.isr().to_vec();
        match state.role.assume(self.broker, image) {
            Assumed::Stale => return,
            Assumed::SameEpoch => state.renew_followers(&isr_before),
            Assumed::NewEpoch => {
                state.begin_epoch(now);
                self.report_refusal_to_lead(&state);
            }
        }
        state.advance_high_watermark(self.broker);
        state.refuse_acks_below_min_isr();
    }

    fn report_refusal_to_lead(&self, state: &State) {
        if let Err(error @ PartitionError::BehindItsLog { .. }) = state.check_leader(None) {
            tracing::error!(partition = %self.at, "not led: {error}");
        }
    }

    /// The log can't be used any more: everyone who waits is told.
    pub(super) fn take_offline(&self) {
        self.end(LogState::Offline, ErrorCode::KafkaStorageError);
    }

    /// The topic is gone: gives back what there was of its log.
    pub(super) fn remove(&self) -> LogState {
        self.end(LogState::Deleted, ErrorCode::UnknownTopicOrPartition)
    }

    /// Who leads by what this replica was told last, and in which epoch.
    pub fn leadership(&self) -> (BrokerId, LeaderEpoch) {
        let state = self.lock();
        if let Some(later) = state.later_epoch() {
            return (BrokerId::NONE, later);
        }
        let leader = match &state.role {
            Role::Leader(_) => self.broker,
            Role::Follower(follower) => follower.leader,
            Role::Unassigned => BrokerId::NONE,
        };
        (leader, state.role.epoch())
    }

    /// The broker stops: gives back what there was of its log. Clients look for the next leader.
    pub(super) fn close(&self) -> LogState {
        self.end(LogState::Closed, ErrorCode::NotLeaderOrFollower)
    }

    /// Where the log lies, or will.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.dir.partition_path(&self.at)
    }

    /// What is deleted stays so.
    fn end(&self, log: LogState, error: ErrorCode) -> LogState {
        let mut state = self.lock();
        if matches!(state.log, LogState::Deleted) {
            return LogState::Deleted;
        }
        state.acks.fail(error);
        state.fetches.wake_all();
        std::mem::replace(&mut state.log, log)
    }

    /// A long poll wants to be woken when there is more to read.
    pub fn watch(&self, audience: Audience, wait: &Arc<Notify>) {
        self.lock().fetches.add(audience, wait);
    }

    /// The long poll is over.
    pub fn unwatch(&self, audience: Audience, wait: &Arc<Notify>) {
        self.lock().fetches.remove(audience, wait);
    }
}

impl State {
    /// The log, if it can be used.
    pub(super) fn open_log(&mut self) -> Result<&mut Log, PartitionError> {
        match &mut self.log {
            LogState::Open(log) => Ok(log),
            LogState::Opening => Err(PartitionError::Opening),
            LogState::Offline => Err(PartitionError::Offline),
            LogState::Deleted => Err(PartitionError::Unknown),
            LogState::Closed => Err(PartitionError::NotLeader),
        }
    }

    /// Whether this replica may answer as leader under the epoch that the request expects.
    pub(super) fn check_leader(&self, expected: ExpectedEpoch) -> Result<LeaderEpoch, PartitionError> {
        self.check_log_and_epoch(expected)?;
        let Role::Leader(leader) = &self.role else { return Err(PartitionError::NotLeader) };
        if self.later_epoch().is_some() {
            return Err(PartitionError::NotLeader);
        }
        match &self.log {
            LogState::Open(log) if leader.epoch_start.is_none() => {
                let newest = log.latest_epoch().unwrap_or(LeaderEpoch::UNKNOWN);
                Err(PartitionError::BehindItsLog { led: leader.epoch, newest })
            }
            _ => Ok(leader.epoch),
        }
    }

    /// Whether this replica may answer a consumer, as leader or as follower (KIP-392).
    pub(super) fn check_serves_consumers(&self, expected: ExpectedEpoch) -> Result<(), PartitionError> {
        match &self.role {
            Role::Follower(follower) if follower.leader.known().is_some() => {
                self.check_log_and_epoch(expected)
            }
            _ => self.check_leader(expected).map(|_| ()),
        }
    }

    /// Without a log there is nobody to compare epochs with.
    fn check_log_and_epoch(&self, expected: ExpectedEpoch) -> Result<(), PartitionError> {
        match self.log {
            LogState::Offline => Err(PartitionError::Offline),
            LogState::Deleted => Err(PartitionError::Unknown),
            LogState::Closed => Err(PartitionError::NotLeader),
            LogState::Opening | LogState::Open(_) => self.check_epoch(expected),
        }
    }

    pub(super) fn check_epoch(&self, expected: ExpectedEpoch) -> Result<(), PartitionError> {
        match expected {
            Some(expected) if expected < self.role.epoch() => Err(PartitionError::Fenced),
            Some(expected) if expected > self.role.epoch() => Err(PartitionError::EpochFromTheFuture),
            _ => Ok(()),
        }
    }

    /// A new leader epoch begins at the end of the log: no follower's log end is known in it (safety rule 6).
    fn begin_epoch(&mut self, now: Instant) {
        self.followers = Followers::new(now);
        self.acks.fail(ErrorCode::NotLeaderOrFollower);
        self.fetches.wake_all();
        self.begin_to_lead();
    }

    /// Once the log is open, its end is where a leader's epoch begins. A log that has records of a later epoch is not led:
    /// they would be of another history (safety rule 3).
    fn begin_to_lead(&mut self) {
        if let (LogState::Open(log), Role::Leader(leader)) = (&mut self.log, &mut self.role)
            && log.latest_epoch().is_none_or(|newest| newest <= leader.epoch)
        {
            log.begin_leader_epoch(leader.epoch);
            self.mark.note();
            leader.epoch_start = Some(log.log_end_offset());
        }
    }

    /// The ISR as committed; none where this replica does not lead.
    pub(super) fn isr(&self) -> &[BrokerId] {
        match &self.role {
            Role::Leader(leader) => &leader.isr,
            Role::Follower(_) | Role::Unassigned => &[],
        }
    }

    /// Whoever left the ISR must catch up anew, and who is no replica any more is forgotten.
    fn renew_followers(&mut self, isr_before: &[BrokerId]) {
        let Role::Leader(leader) = &self.role else { return };
        for &left in isr_before.iter().filter(|id| !leader.isr.contains(id)) {
            self.followers.must_catch_up(left);
        }
        leader.isr.iter().for_each(|&member| self.followers.accepted(member));
        self.followers.retain(&leader.replicas);
    }

    /// Moves the high watermark as far as those allow whom it waits for, and wakes those who waited for it.
    pub(super) fn advance_high_watermark(&mut self, broker: BrokerId) {
        let (LogState::Open(log), Role::Leader(leader)) = (&self.log, &self.role) else { return };
        if leader.epoch_start.is_none() {
            return;
        }
        let log_end = log.log_end_offset();
        let followers = &self.followers;
        let log_ends = leader.maximal_isr().map(|member| match member {
            member if member == broker => Some(log_end),
            member => followers.log_end(member),
        });
        let caught_up = followers.caught_up().map(|(_, log_end)| Some(log_end));
        let (current, isr) = (self.high_watermark, leader.isr.len());
        let advanced = high_watermark::advanced(current, isr, leader.min_isr, log_ends.chain(caught_up));
        if advanced > self.high_watermark {
            self.high_watermark = advanced;
            self.mark.note();
            self.acks.high_watermark_moved(advanced);
            self.fetches.high_watermark_moved();
        }
    }

    /// What was appended while enough were in sync, and is not committed, is refused when too few are left: the high watermark
    /// stands still then (safety rule 14), and may do so for long.
    pub(super) fn refuse_acks_below_min_isr(&mut self) {
        if matches!(&self.role, Role::Leader(leader) if leader.is_below_min_isr()) {
            self.acks.fail(ErrorCode::NotEnoughReplicasAfterAppend);
        }
    }

    /// The offset below which every transaction is decided.
    pub(super) fn last_stable_offset(&self) -> Offset {
        match &self.log {
            LogState::Open(log) => log.last_stable_offset(self.high_watermark),
            _ => self.high_watermark,
        }
    }
}
