//! Fetch: file ranges for consumers and followers, at once if there is enough to read, else when there is.
//!
//! A long poll is registered with its partitions before it reads, and reads again whenever one of them moves. It ends with
//! nothing when its session's next fetch comes before there is enough. A follower's ends as well when its leader's high
//! watermark has moved and nothing else has happened for a moment: it may serve consumers.
//!
//! A consumer that says its rack is sent to a replica there, if `replica.selector.class` has it so (KIP-392).

mod look;
mod response;

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::messages::FetchRequest;
use protocol::types::BrokerId;

use self::look::Look;
pub use self::response::Fetched;
use super::{RequestContext, hosted};
use crate::Broker;
use crate::fetch::client_rack::ClientRack;
use crate::fetch::poll::LongPoll;
use crate::fetch::session::Wanted;
use crate::fetch::sessions::Plan;
use crate::fetch::wait::Audience;
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;
use crate::replica::read::Reach;

/// From this version on topics are named by id (KIP-516).
const TOPIC_IDS_SINCE: i16 = 13;

const READ_COMMITTED: i8 = 1;

/// How long a follower's fetch waits for records to bring the high watermark along, before it is told of it alone.
const HIGH_WATERMARK_TOLD_AFTER: Duration = Duration::from_millis(10);

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

/// Reads what the request asks for.
pub fn handle(broker: &Arc<Broker>, context: &RequestContext, request: FetchRequest) -> Fetching {
    let uses_topic_ids = context.api_version >= TOPIC_IDS_SINCE;
    let plan = match broker.fetch_sessions.plan(&request, uses_topic_ids, context.received_at) {
        Ok(plan) => plan,
        Err(error) => return Fetching::Now(Fetched::refused(error)),
    };
    let partitions = plan.wanted.iter().map(|wanted| partition(broker, uses_topic_ids, wanted)).collect();
    let bytes_max =
        usize::try_from(request.max_bytes).unwrap_or(0).min(broker.config.sockets.fetch_bytes_max);
    let fetch = Fetch {
        broker: broker.clone(),
        context: context.clone(),
        plan,
        partitions,
        reach: reach(&request),
        broker_epoch: Some(request.replica_state.replica_epoch).filter(|&epoch| epoch >= 0),
        client_rack: ClientRack::of(broker, &request),
        // Who asks for more than he takes would wait for nothing.
        bytes_min: usize::try_from(request.min_bytes).unwrap_or(0).min(bytes_max),
        bytes_max,
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

impl Fetch {
    fn audience(&self) -> Audience {
        if matches!(self.reach, Reach::LogEnd(_)) { Audience::Followers } else { Audience::Consumers }
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
