//! Fetch: file ranges for consumers and followers, at once if there is enough to read, else when there is.
//!
//! A long poll is registered with its partitions before it reads, and reads again whenever one of them moves. It ends with
//! nothing when its session's next fetch comes before there is enough. A follower's ends as well when its leader's high
//! watermark has moved and nothing else has happened for a moment: it may serve consumers.
//!
//! A consumer that says its rack is sent to a replica there, if `replica.selector.class` has it so (KIP-392).

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::ErrorCode;
use protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use protocol::messages::{FetchRequest, FetchResponse};
use protocol::types::{BrokerId, LeaderEpoch, Offset};
use protocol::wire::RecordSet;
use storage::log::FileRange;

use super::leader_hint::LeaderHints;
use super::{RequestContext, hosted};
use crate::Broker;
use crate::fetch::client_rack::ClientRack;
use crate::fetch::poll::LongPoll;
use crate::fetch::session::Wanted;
use crate::fetch::sessions::Plan;
use crate::fetch::wait::Audience;
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;
use crate::replica::read::{Reach, Read, ReadAnswer};

/// From this version on topics are named by id (KIP-516).
const TOPIC_IDS_SINCE: i16 = 13;

/// From this version on whoever went astray is told who leads (KIP-951).
const LEADER_HINTS_SINCE: i16 = 16;

const READ_COMMITTED: i8 = 1;

/// From this version on consumers may read from followers (KIP-392).
const FOLLOWERS_SERVE_SINCE: i16 = 11;

/// How long a follower's fetch waits for records to bring the high watermark along, before it is told of it alone.
const HIGH_WATERMARK_TOLD_AFTER: Duration = Duration::from_millis(10);

/// A response and the file ranges that its record sets stand for, by token.
pub struct Fetched {
    pub response: FetchResponse,
    pub ranges: Vec<FileRange>,
}

/// How a Fetch request ended, or will.
pub enum Fetching {
    Now(Fetched),
    Later(Box<Pending>),
}

/// A fetch that waits for more.
pub struct Pending {
    fetch: Fetch,
    deadline: Instant,
}

/// One request, with all that a read of it needs.
struct Fetch {
    broker: Arc<Broker>,
    context: RequestContext,
    plan: Plan,
    /// In the order of `plan.wanted`.
    partitions: Vec<Result<Arc<Partition>, PartitionError>>,
    reach: Reach,
    /// A follower's registration, if it says.
    broker_epoch: Option<i64>,
    /// Where a consumer had rather read than here.
    client_rack: Option<ClientRack>,
    bytes_min: usize,
    bytes_max: usize,
}

/// What one look at all partitions gave.
#[derive(Default)]
struct Look {
    found: Vec<Found>,
    bytes: usize,
    /// Something besides records makes waiting pointless: an error, or a divergence.
    urgent: bool,
}

/// One partition's outcome, and its stretch of file.
struct Found {
    data: PartitionData,
    range: Option<FileRange>,
}

/// Reads what the request asks for.
pub fn handle(broker: &Arc<Broker>, context: &RequestContext, request: FetchRequest) -> Fetching {
    let uses_topic_ids = context.api_version >= TOPIC_IDS_SINCE;
    let plan = match broker.fetch_sessions.plan(&request, uses_topic_ids, context.received_at) {
        Ok(plan) => plan,
        Err(error) => return Fetching::Now(refused(error)),
    };
    let partitions = plan.wanted.iter().map(|wanted| partition(broker, uses_topic_ids, wanted)).collect();
    let fetch = Fetch {
        broker: broker.clone(),
        context: context.clone(),
        plan,
        partitions,
        reach: reach(&request),
        broker_epoch: Some(request.replica_state.replica_epoch).filter(|&epoch| epoch >= 0),
        client_rack: ClientRack::of(broker, &request),
        bytes_min: usize::try_from(request.min_bytes).unwrap_or(0),
        bytes_max: usize::try_from(request.max_bytes).unwrap_or(0).min(broker.config.sockets.fetch_bytes_max),
    };
    let wait = Duration::from_millis(request.max_wait_ms.max(0).unsigned_abs().into());
    let look = fetch.look();
    if look.is_enough(&fetch) || wait.is_zero() {
        return Fetching::Now(fetch.finish(look));
    }
    Fetching::Later(Box::new(Pending { fetch, deadline: context.received_at + wait }))
}

impl Pending {
    /// The response once there is enough, or the time is up.
    pub async fn fetched(self: Box<Self>) -> Fetched {
        let Pending { fetch, deadline } = *self;
        let deadline = tokio::time::Instant::from_std(deadline);
        let partitions: Vec<_> = fetch.partitions.iter().flatten().cloned().collect();
        let poll = LongPoll::watching(fetch.audience(), partitions.clone());
        let overtaken = fetch.plan.overtaken.clone();
        let is_follower = fetch.audience() == Audience::Followers;
        let quiet = tokio::time::sleep(HIGH_WATERMARK_TOLD_AFTER);
        tokio::pin!(quiet);
        let mut high_watermarks = None;
        loop {
            let look = fetch.look();
            if look.is_enough(&fetch) || high_watermarks.is_some() && fetch.has_news(&look) {
                return fetch.finish(look);
            }
            tokio::select! {
                () = poll.moved() => {}
                () = moved(high_watermarks.as_ref()) => {}
                () = &mut quiet, if is_follower && high_watermarks.is_none() => {
                    high_watermarks = Some(LongPoll::watching(Audience::Consumers, partitions.clone()));
                }
                () = overtaken.notified() => return fetch.finish(Look::default()),
                () = tokio::time::sleep_until(deadline) => {
                    let look = fetch.look();
                    return fetch.finish(look);
                }
            }
        }
    }
}

/// Ends when a partition has moved; never without a poll.
async fn moved(poll: Option<&LongPoll>) {
    match poll {
        Some(poll) => poll.moved().await,
        None => std::future::pending().await,
    }
}

impl Look {
    fn is_enough(&self, fetch: &Fetch) -> bool {
        self.urgent || self.bytes >= fetch.bytes_min || fetch.plan.wanted.is_empty()
    }
}

impl Found {
    /// A leader epoch that this broker has not heard of yet is not: the push that tells of it is on its way.
    fn is_urgent(&self) -> bool {
        let error = self.data.error_code;
        let failed = error != ErrorCode::None.code() && error != ErrorCode::UnknownLeaderEpoch.code();
        failed || self.data.diverging_epoch.epoch >= 0 || self.data.preferred_read_replica >= 0
    }
}

impl Fetch {
    /// Reads every partition once. The first batch found may exceed the bytes allowed; later ones may not.
    fn look(&self) -> Look {
        let mut look = Look { found: Vec::with_capacity(self.plan.wanted.len()), bytes: 0, urgent: false };
        for (wanted, partition) in self.plan.wanted.iter().zip(&self.partitions) {
            let found = match partition {
                Ok(partition) => match self.preferred_replica(partition, wanted) {
                    Some(replica) => {
                        let mut found = found(wanted, partition.standing(), self.reach);
                        found.data.preferred_read_replica = replica.0;
                        found
                    }
                    None => match self.read(partition, wanted, look.bytes) {
                        Ok(answer) => found(wanted, answer, self.reach),
                        Err(error) => {
                            self.broker.replicas.note_failure(partition, &error);
                            failed(wanted, &error)
                        }
                    },
                },
                Err(error) => failed(wanted, error),
            };
            look.bytes += found.range.as_ref().map_or(0, |range| range.length as usize);
            look.urgent |= found.is_urgent();
            look.found.push(found);
        }
        look
    }

    fn read(
        &self,
        partition: &Partition,
        wanted: &Wanted,
        bytes_before: usize,
    ) -> Result<ReadAnswer, PartitionError> {
        let asked = &wanted.partition;
        let left = self.bytes_max.saturating_sub(bytes_before);
        let read = Read {
            from: Offset(asked.fetch_offset),
            bytes_max: usize::try_from(asked.partition_max_bytes).unwrap_or(0).min(left),
            at_least_one: bytes_before == 0,
            reach: self.reach,
            expected_epoch: known_epoch(asked.current_leader_epoch),
            last_fetched_epoch: known_epoch(asked.last_fetched_epoch),
            broker_epoch: self.broker_epoch,
            log_start: Some(asked.log_start_offset).filter(|&start| start >= 0).map(Offset),
            asked_at: self.context.received_at,
        };
        let any_replica_serves =
            self.audience() == Audience::Consumers && self.context.api_version >= FOLLOWERS_SERVE_SINCE;
        if any_replica_serves { partition.serve_consumer(&read) } else { partition.read(&read) }
    }

    fn preferred_replica(&self, partition: &Partition, wanted: &Wanted) -> Option<BrokerId> {
        let rack = self.client_rack.as_ref()?;
        let (image, listener) = (self.broker.image(), &self.context.listener);
        rack.replica_in_it(&image, listener, partition, Offset(wanted.partition.fetch_offset))
    }

    /// Whether the session has yet to be told of what this look found.
    fn has_news(&self, look: &Look) -> bool {
        let Some(session) = &self.plan.session else { return false };
        let session = session.lock();
        let mut found = self.plan.wanted.iter().zip(&look.found);
        found.any(|(wanted, found)| session.is_news(&wanted.topic, &found.data))
    }

    /// Makes the response of a look; a session leaves out what it has told already.
    fn finish(self, look: Look) -> Fetched {
        let mut topics: Vec<FetchableTopicResponse> = Vec::new();
        let is_follower = self.audience() == Audience::Followers;
        let mut ranges = Vec::new();
        let mut session = self.plan.session.as_ref().map(|session| session.lock());
        for ((wanted, partition), Found { mut data, range }) in
            self.plan.wanted.iter().zip(&self.partitions).zip(look.found)
        {
            self.observe(partition, &data, range.as_ref());
            if let Some(mut range) = range {
                // A follower that is so far behind that it reads from the disk reads alone.
                range.read_once = is_follower;
                data.records = Some(elsewhere(&range, ranges.len()));
                ranges.push(range);
            }
            let news = session.as_mut().is_none_or(|session| session.has_news(&wanted.topic, &data));
            if news || !self.plan.incremental {
                push(&mut topics, wanted, data);
            }
        }
        drop(session);
        let node_endpoints = self.add_leader_hints(&mut topics);
        let session_id = self.plan.session_id;
        Fetched {
            response: FetchResponse { session_id, responses: topics, node_endpoints, ..Default::default() },
            ranges,
        }
    }

    fn audience(&self) -> Audience {
        if matches!(self.reach, Reach::LogEnd(_)) { Audience::Followers } else { Audience::Consumers }
    }

    fn observe(
        &self,
        partition: &Result<Arc<Partition>, PartitionError>,
        data: &PartitionData,
        range: Option<&FileRange>,
    ) {
        let Ok(Partition { metrics, .. }) = partition.as_deref() else { return };
        let bytes = range.map_or(0, |range| range.length.into());
        match self.audience() {
            Audience::Followers => metrics.observe_replication_out(bytes),
            Audience::Consumers => {
                metrics.observe_fetch(bytes);
                metrics.observe_fetch_request(data.error_code != 0);
            }
        }
    }

    /// Names the leader to those who came to the wrong broker, or with an old epoch.
    fn add_leader_hints(&self, topics: &mut [FetchableTopicResponse]) -> Vec<NodeEndpoint> {
        let astray = [ErrorCode::NotLeaderOrFollower.code(), ErrorCode::FencedLeaderEpoch.code()];
        let is_astray = |data: &PartitionData| astray.contains(&data.error_code);
        let anyone = topics.iter().flat_map(|topic| &topic.partitions).any(is_astray);
        if self.context.api_version < LEADER_HINTS_SINCE || !anyone {
            return Vec::new();
        }
        let mut hints = LeaderHints::new(&self.broker, &self.context.listener);
        for topic in topics {
            for partition in topic.partitions.iter_mut().filter(|data| is_astray(data)) {
                if let Some((leader, epoch)) =
                    hints.leader(&topic.topic, topic.topic_id, partition.partition_index)
                {
                    partition.current_leader =
                        LeaderIdAndEpoch { leader_id: leader.0, leader_epoch: epoch.0 };
                }
            }
        }
        hints.into_nodes(|node_id, host, port, rack| NodeEndpoint { node_id, host, port, rack })
    }
}

fn partition(
    broker: &Broker,
    uses_topic_ids: bool,
    wanted: &Wanted,
) -> Result<Arc<Partition>, PartitionError> {
    let index = wanted.partition.partition;
    if uses_topic_ids {
        hosted::by_id(broker, wanted.topic.id, index)
    } else {
        hosted::by_name(broker, &wanted.topic.name, index)
    }
}

fn reach(request: &FetchRequest) -> Reach {
    let replica = request.replica_id.max(request.replica_state.replica_id);
    match BrokerId(replica).known() {
        Some(follower) => Reach::LogEnd(follower),
        None if request.isolation_level == READ_COMMITTED => Reach::LastStableOffset,
        None => Reach::HighWatermark,
    }
}

fn known_epoch(epoch: i32) -> Option<LeaderEpoch> {
    (epoch >= 0).then_some(LeaderEpoch(epoch))
}

fn found(wanted: &Wanted, answer: ReadAnswer, reach: Reach) -> Found {
    let aborted = answer.aborted.iter().map(|aborted| AbortedTransaction {
        producer_id: aborted.producer_id,
        first_offset: aborted.first_offset.0,
    });
    let data = PartitionData {
        partition_index: wanted.partition.partition,
        high_watermark: answer.high_watermark.0,
        last_stable_offset: answer.last_stable_offset.0,
        log_start_offset: answer.log_start_offset.0,
        diverging_epoch: answer.diverging.map_or_else(EpochEndOffset::default, |(epoch, end)| {
            EpochEndOffset { epoch: epoch.0, end_offset: end.0 }
        }),
        aborted_transactions: (reach == Reach::LastStableOffset).then(|| aborted.collect()),
        records: Some(RecordSet::Bytes(Default::default())),
        ..Default::default()
    };
    Found { data, range: answer.records }
}

fn failed(wanted: &Wanted, error: &PartitionError) -> Found {
    let data = PartitionData {
        partition_index: wanted.partition.partition,
        error_code: error.code().code(),
        high_watermark: -1,
        records: Some(RecordSet::Bytes(Default::default())),
        ..Default::default()
    };
    Found { data, range: None }
}

fn elsewhere(range: &FileRange, token: usize) -> RecordSet {
    RecordSet::Elsewhere { length: range.length, token: token as u32 }
}

/// Adds a partition to the response, beside its neighbours of the same topic.
fn push(topics: &mut Vec<FetchableTopicResponse>, wanted: &Wanted, data: PartitionData) {
    let (name, id) = (&wanted.topic.name, wanted.topic.id);
    match topics.last_mut().filter(|last| last.topic == *name && last.topic_id == id) {
        Some(topic) => topic.partitions.push(data),
        None => {
            topics.push(FetchableTopicResponse { topic: name.clone(), topic_id: id, partitions: vec![data] })
        }
    }
}

fn refused(error: ErrorCode) -> Fetched {
    Fetched { response: FetchResponse { error_code: error.code(), ..Default::default() }, ranges: Vec::new() }
}
