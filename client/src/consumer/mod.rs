//! Reading records: partitions chosen by the caller or assigned by a group, and fetches that run ahead of the reader.
//!
//! * `offsets`: where to begin, and the offsets that brokers know.
//! * `positions`: how far each partition was read. Decides which fetches are due, and does nothing else.
//! * `fetch`: one Fetch to one leader, and the records in its answer.
//! * `isolation`: which batches of an answer a reader of committed records sees.
//! * `group`: membership of a classic group.

mod fetch;
mod group;
mod isolation;
pub(crate) mod offsets;
mod positions;

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use protocol::ErrorCode;
use protocol::records::Record;
use protocol::types::{BrokerId, LeaderEpoch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

pub(crate) use group::owned_partitions;
pub use group::{GroupConfig, assign_range};
pub use isolation::IsolationLevel;
pub use offsets::OffsetSpec;

use crate::{Cluster, Error, TopicPartition};
use fetch::{Fetched, Read};
use group::Membership;
use positions::Positions;

/// After a fetch that failed, before the next one to the same broker.
const FETCH_BACKOFF: Duration = Duration::from_millis(100);

/// What is fetched, and how much of it at once.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    pub isolation: IsolationLevel,
    /// Where to begin where no offset is committed, and to go on where the one that was is gone; an offset of its own
    /// is no way to go on, and makes that an error.
    pub offset_reset: OffsetSpec,
    /// A broker answers once it has this much, or after `fetch_wait_max`.
    pub fetch_bytes_min: usize,
    pub fetch_bytes_max: usize,
    pub partition_bytes_max: usize,
    pub fetch_wait_max: Duration,
    /// How many bytes a batch may unpack to.
    pub decompressed_bytes_max: usize,
}

impl Default for ConsumerConfig {
    fn default() -> ConsumerConfig {
        ConsumerConfig {
            isolation: IsolationLevel::ReadUncommitted,
            offset_reset: OffsetSpec::Latest,
            fetch_bytes_min: 1,
            fetch_bytes_max: 16 << 20,
            partition_bytes_max: 1 << 20,
            fetch_wait_max: Duration::from_millis(500),
            decompressed_bytes_max: protocol::records::DECOMPRESSED_BYTES_MAX,
        }
    }
}

/// A record and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerRecord {
    pub partition: TopicPartition,
    pub leader_epoch: LeaderEpoch,
    pub record: Record,
}

/// See the module. It is not shared: one task polls.
#[derive(Debug)]
pub struct Consumer {
    cluster: Cluster,
    config: ConsumerConfig,
    positions: Positions,
    fetches: JoinSet<Fetched>,
    /// The brokers that a fetch is running to.
    asked: HashSet<BrokerId>,
    membership: Option<Membership>,
}

impl Consumer {
    /// Reads the partitions that it is told to, from where it is told to.
    pub fn assigned(
        cluster: Cluster,
        config: ConsumerConfig,
        partitions: impl IntoIterator<Item = (TopicPartition, OffsetSpec)>,
    ) -> Consumer {
        let mut consumer = Consumer::new(cluster, config, None);
        consumer.positions.assign(partitions);
        consumer
    }

    /// Reads what the group gives it, from where the group had come to.
    pub fn subscribed(cluster: Cluster, config: ConsumerConfig, group: GroupConfig) -> Consumer {
        let membership = Membership::new(cluster.clone(), group);
        Consumer::new(cluster, config, Some(membership))
    }

    fn new(cluster: Cluster, config: ConsumerConfig, membership: Option<Membership>) -> Consumer {
        Consumer {
            cluster,
            config,
            positions: Positions::default(),
            fetches: JoinSet::new(),
            asked: HashSet::new(),
            membership,
        }
    }

    /// The records that came next, or none if none came within `wait`. What an earlier call returned counts as read.
    pub async fn poll(&mut self, wait: Duration) -> Result<Vec<ConsumerRecord>, Error> {
        let until = Instant::now() + wait;
        loop {
            self.follow_group().await?;
            self.resolve_positions().await?;
            self.start_fetches().await?;
            let records = self.next_records(until).await?;
            if !records.is_empty() || Instant::now() >= until {
                return Ok(records);
            }
        }
    }

    /// The offset of the next record of a partition that is being read, once it is known.
    pub fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.positions.of(partition)
    }

    /// Reads on at another offset. Of a partition that is not read, nothing changes.
    pub fn seek(&mut self, partition: &TopicPartition, offset: i64) {
        self.positions.seek(partition, offset);
    }

    /// What is being read.
    pub fn assignment(&self) -> impl Iterator<Item = &TopicPartition> {
        self.positions.partitions()
    }

    /// Commits what was read to the group. Without a group there is nothing to commit to.
    pub async fn commit(&mut self) -> Result<(), Error> {
        let offsets = self.positions.to_commit();
        match &mut self.membership {
            Some(membership) => membership.commit(&offsets).await,
            None => Ok(()),
        }
    }

    /// Leaves the group, so that the others need not wait until it is missed.
    pub async fn close(mut self) -> Result<(), Error> {
        match &mut self.membership {
            Some(membership) => membership.leave().await,
            None => Ok(()),
        }
    }

    async fn follow_group(&mut self) -> Result<(), Error> {
        let Some(membership) = &mut self.membership else { return Ok(()) };
        if membership.is_settled() {
            return Ok(());
        }
        if let Err(error) = membership.commit_before_rejoining(&self.positions.to_commit()).await {
            tracing::debug!(%error, "what was read last is not committed and will be read again");
        }
        self.positions.assign([]);
        let assigned = membership.join(&self.config).await?;
        self.positions.assign(assigned);
        Ok(())
    }

    async fn resolve_positions(&mut self) -> Result<(), Error> {
        let unresolved = self.positions.unresolved();
        if unresolved.is_empty() {
            return Ok(());
        }
        for (partition, offset) in offsets::resolve(&self.cluster, self.config.isolation, &unresolved).await?
        {
            match offset {
                Some(offset) => self.positions.seek(&partition, offset),
                None => self.positions.reset(&partition, OffsetSpec::Latest),
            }
        }
        Ok(())
    }

    async fn start_fetches(&mut self) -> Result<(), Error> {
        let metadata = self.cluster.metadata();
        let mut homeless = Vec::new();
        for (leader, wanted) in self.positions.by_leader(&metadata) {
            match leader {
                None => homeless.extend(wanted.into_iter().map(|(partition, _)| partition)),
                Some(leader) if self.asked.insert(leader) => {
                    let (cluster, config) = (self.cluster.clone(), self.config.clone());
                    self.fetches.spawn(Read { cluster, config, leader, wanted }.run());
                }
                Some(_) => {}
            }
        }
        for partition in homeless {
            self.cluster.refresh_topic(&partition.topic, false).await?.partition(&partition)?;
        }
        Ok(())
    }

    async fn next_records(&mut self, until: Instant) -> Result<Vec<ConsumerRecord>, Error> {
        let rebalance = async {
            match &mut self.membership {
                Some(membership) => membership.unsettled().await,
                None => std::future::pending().await,
            }
        };
        let fetched = tokio::select! {
            fetched = timeout_at(until, self.fetches.join_next()) => fetched.ok().flatten(),
            () = rebalance => None,
        };
        match fetched {
            Some(Ok(fetched)) => self.take(fetched).await,
            Some(Err(_)) => Ok(Vec::new()),
            None if self.fetches.is_empty() => {
                sleep(FETCH_BACKOFF.min(until.saturating_duration_since(Instant::now()))).await;
                Ok(Vec::new())
            }
            None => Ok(Vec::new()),
        }
    }

    async fn take(&mut self, fetched: Fetched) -> Result<Vec<ConsumerRecord>, Error> {
        self.asked.remove(&fetched.leader);
        let (mut taken, mut failed) = (Vec::new(), Vec::new());
        for (partition, from, outcome) in fetched.partitions {
            // An answer to a question that was asked before a rebalance or a reset is of no use.
            if self.positions.of(&partition) != Some(from) {
                continue;
            }
            match outcome {
                Ok(chunk) => {
                    self.positions.advance(&partition, chunk.next_offset, chunk.leader_epoch);
                    taken.extend(chunk.records);
                }
                Err(error) => failed.push((partition, error)),
            }
        }
        self.recover(failed).await?;
        Ok(taken)
    }

    async fn recover(&mut self, failed: Vec<(TopicPartition, Error)>) -> Result<(), Error> {
        let mut stale = BTreeSet::new();
        for (partition, error) in failed {
            let gone = error.code() == Some(ErrorCode::OffsetOutOfRange);
            if gone && !matches!(self.config.offset_reset, OffsetSpec::At(_)) {
                tracing::info!(%partition, to = %self.config.offset_reset, "the offset is gone, resetting");
                self.positions.reset(&partition, self.config.offset_reset);
            } else if error.is_retriable() {
                tracing::debug!(%partition, %error, "a fetch will be repeated");
                stale.insert(partition.topic);
            } else {
                return Err(error);
            }
        }
        if !stale.is_empty() {
            sleep(FETCH_BACKOFF).await;
        }
        for topic in stale {
            if let Err(error) = self.cluster.refresh_topic_once(&topic).await {
                tracing::debug!(%topic, %error, "metadata could not be refreshed");
            }
        }
        Ok(())
    }
}
