//! Membership of a classic group: join, receive partitions, say "I live" until the group changes, join again.
//!
//! ```text
//!            join, sync                heartbeats stop, for whatever reason
//! outside ───────────────▶ settled ─────────────────────────────────────────▶ outside
//! ```
//!
//! The group's protocol is the eager one: what was assigned is given up before every join. While a member is settled a
//! task of its own sends heartbeats; that it has ended is how the member learns that it must join again.
//!
//! * `coordinator`: the calls, each to the broker that coordinates the group; `commits`: those about offsets.
//! * `protocol`: what members write to each other.
//! * `assignor`: who reads what, decided by the member that leads.

mod assignor;
mod commits;
mod coordinator;
mod protocol;

use std::sync::Arc;
use std::time::Duration;

use ::protocol::ErrorCode;
use ::protocol::types::LeaderEpoch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

pub use assignor::assign_range;
use coordinator::{Coordinator, Joined, Member};
pub(crate) use protocol::owned_partitions;

use super::{ConsumerConfig, OffsetSpec};
use crate::{Cluster, Error, RetryPolicy, TopicPartition};

/// Of which group, for which topics, and how patient.
#[derive(Clone, Debug)]
pub struct GroupConfig {
    pub group_id: String,
    /// A member with a name of its own keeps its partitions over a restart.
    pub instance_id: Option<String>,
    pub topics: Vec<String>,
    /// The group goes on without a member that was not heard of for so long.
    pub session_timeout: Duration,
    /// How long the others wait for a member to join again.
    pub rebalance_timeout: Duration,
    pub heartbeat_interval: Duration,
}

impl GroupConfig {
    /// Kafka's defaults.
    pub fn new(group_id: &str, topics: impl IntoIterator<Item = String>) -> GroupConfig {
        GroupConfig {
            group_id: group_id.to_owned(),
            instance_id: None,
            topics: topics.into_iter().collect(),
            session_timeout: Duration::from_secs(45),
            rebalance_timeout: Duration::from_secs(300),
            heartbeat_interval: Duration::from_secs(3),
        }
    }
}

/// One member, in or out of its group.
#[derive(Debug)]
pub struct Membership {
    coordinator: Arc<Coordinator>,
    member: Member,
    heartbeats: Option<JoinHandle<()>>,
}

impl Membership {
    pub fn new(cluster: Cluster, config: GroupConfig) -> Membership {
        let coordinator = Arc::new(Coordinator::new(cluster, config));
        Membership { coordinator, member: Member::default(), heartbeats: None }
    }

    /// Whether what was assigned last still holds.
    pub fn is_settled(&self) -> bool {
        self.heartbeats.as_ref().is_some_and(|task| !task.is_finished())
    }

    /// Resolves when it no longer does.
    pub async fn unsettled(&mut self) {
        if let Some(heartbeats) = &mut self.heartbeats {
            // However the task ended, the member has to join again.
            let _ = heartbeats.await;
            self.heartbeats = None;
        }
    }

    /// Joins, and returns what to read from where.
    pub async fn join(
        &mut self,
        config: &ConsumerConfig,
    ) -> Result<Vec<(TopicPartition, OffsetSpec)>, Error> {
        self.stop_heartbeats();
        let mut backoff = self.patience().start();
        let assigned = loop {
            let refused = match self.try_join().await {
                Ok(assigned) => break assigned,
                Err(error) => error,
            };
            tracing::debug!(error = %refused, "joining again");
            if !self.may_join_after(&refused) || !backoff.wait().await {
                return Err(refused);
            }
        };
        let heartbeats = beat(Arc::clone(&self.coordinator), self.member.clone());
        self.heartbeats = Some(tokio::spawn(heartbeats));
        self.coordinator.committed(&assigned, config.offset_reset).await
    }

    async fn try_join(&mut self) -> Result<Vec<TopicPartition>, Error> {
        let Joined { member, to_assign } = self.coordinator.join(&self.member).await?;
        self.member = member;
        let assignments = match to_assign {
            Some(subscriptions) => self.coordinator.assign(subscriptions).await?,
            None => Vec::new(),
        };
        self.coordinator.sync(&self.member, assignments).await
    }

    /// Some refusals say what to change before the next attempt.
    fn may_join_after(&mut self, refused: &Error) -> bool {
        match refused.code() {
            Some(ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration) => {
                self.member = Member::default();
                true
            }
            Some(ErrorCode::RebalanceInProgress) => true,
            _ => refused.is_retriable(),
        }
    }

    fn patience(&self) -> RetryPolicy {
        let time_max = self.coordinator.config().rebalance_timeout.saturating_mul(2);
        RetryPolicy { time_max, ..RetryPolicy::default() }
    }

    /// Stores how far the member has read. [`OffsetSpec`]s that were never resolved are not among the offsets.
    pub async fn commit(&self, offsets: &[(TopicPartition, i64, LeaderEpoch)]) -> Result<(), Error> {
        if offsets.is_empty() {
            return Ok(());
        }
        self.coordinator.commit(&self.member, offsets).await
    }

    /// As [`Membership::commit`]; a member that was never in has nothing to say.
    pub async fn commit_before_rejoining(
        &self,
        offsets: &[(TopicPartition, i64, LeaderEpoch)],
    ) -> Result<(), Error> {
        if self.member.is_named() { self.commit(offsets).await } else { Ok(()) }
    }

    /// Leaves at once, unless it is a static member, which is expected back.
    pub async fn leave(&mut self) -> Result<(), Error> {
        self.stop_heartbeats();
        let stays = self.coordinator.config().instance_id.is_some();
        if stays || !self.member.is_named() {
            return Ok(());
        }
        self.coordinator.leave(&self.member).await
    }

    fn stop_heartbeats(&mut self) {
        if let Some(heartbeats) = self.heartbeats.take() {
            heartbeats.abort();
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.stop_heartbeats();
    }
}

/// Says "I live" until the group changes, or does not answer for a session.
async fn beat(coordinator: Arc<Coordinator>, member: Member) {
    let every = coordinator.config().heartbeat_interval;
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    loop {
        ticks.tick().await;
        match coordinator.heartbeat(&member).await {
            Ok(()) => heard_at = Instant::now(),
            Err(error)
                if error.is_retriable() && heard_at.elapsed() < coordinator.config().session_timeout =>
            {
                tracing::debug!(%error, "a heartbeat went unheard");
            }
            Err(error) => {
                tracing::debug!(%error, "the membership has ended");
                return;
            }
        }
    }
}
