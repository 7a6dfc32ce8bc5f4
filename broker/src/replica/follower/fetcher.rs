//! One connection to one leader: fetches all that is followed of it, over and over.
//!
//! A shell around the [`Roster`]: it looks at the logs, sends what the roster wants sent, and has the answers taken in.
//! At most two fetches are on their way: one parked at the leader, and one that overtakes it because there is more to follow.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use client::{Connection, ConnectionConfig, ConnectionError};
use futures_util::future::BoxFuture;
use protocol::ErrorCode;
use protocol::messages::FetchResponse;
use protocol::types::BrokerId;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until, timeout};

use super::apply::{FollowError, Taken};
use super::ask::PartitionKey;
use super::assignment::Lane;
use super::broken::{Broken, moves};
use super::disk::{self, Cut, ToCut};
use super::followed::{Followed, has_caught_up};
use super::pace::Pace;
use super::places::CaughtUp;
use super::reaction::Bounds;
use super::request::{self, EARLIEST, LATEST, Sender};
use super::roster::{Following, Roster};
use crate::Broker;
use crate::api::wall_clock_ms;
use crate::in_order::InOrder;
use crate::replica::errors::PartitionError;

/// Fetches on their way at once.
const IN_FLIGHT_MAX: usize = 2;
/// How long a leader may take to be connected to; it may be reached elsewhere by then.
pub(super) const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// A connection whose other end acknowledges nothing for so long, not even that it lives, is given up: after a broken link its
/// retransmissions come ever more rarely, and it would take long to notice that the link is mended.
const SILENCE_MAX: Duration = Duration::from_secs(4);
/// The shortest wait before a leader is dialled again.
const DIAL_DELAY_MIN: Duration = Duration::from_millis(10);
/// After taking in so many bytes other tasks have their turn.
const BYTES_BEFORE_YIELD: usize = 256 << 10;

/// What a fetcher is told: changed in place by those who follow the image.
#[derive(Default)]
pub struct Assigned {
    /// `host:port` of the leader; `None` while the image does not say.
    pub address: Option<String>,
    pub partitions: BTreeMap<PartitionKey, Following<Arc<Followed>>>,
}

/// One of the fetchers for one leader.
pub struct Fetcher {
    broker: Arc<Broker>,
    leader: BrokerId,
    lane: Lane,
    assigned: watch::Receiver<Assigned>,
    roster: Roster<Arc<Followed>>,
    /// Of what catches up.
    pace: Pace,
    /// Where it is said what has caught up.
    caught_up: mpsc::Sender<Vec<CaughtUp>>,
    dial_delay: Duration,
    /// Whether the connection has brought answers.
    served: bool,
    /// It was told that the leader does not answer, and it has not answered since.
    warned: bool,
}

/// The number of a fetch, when it was sent, and what came of it.
type Answered = (u64, Instant, Result<FetchResponse, ConnectionError>);
type InFlight = InOrder<BoxFuture<'static, Answered>>;

impl Fetcher {
    pub fn new(
        broker: Arc<Broker>,
        leader: BrokerId,
        lane: Lane,
        assigned: watch::Receiver<Assigned>,
        caught_up: mpsc::Sender<Vec<CaughtUp>>,
    ) -> Fetcher {
        let roster = Roster::new(broker.config.replication.fetch_backoff);
        Fetcher {
            broker,
            leader,
            lane,
            assigned,
            roster,
            pace: Pace::new(available_parallelism().map_or(1, NonZero::get)),
            caught_up,
            dial_delay: DIAL_DELAY_MIN,
            served: false,
            warned: false,
        }
    }

    /// Fetches until it is told to end by the end of what assigns.
    pub async fn run(mut self) {
        loop {
            let Some(address) = self.leader_address().await else { return };
            let broken = match self.converse(&address).await {
                Ok(never) => match never {},
                Err(Broken::Over) => return,
                Err(broken) => broken,
            };
            if matches!(broken, Broken::Moved) {
                continue;
            }
            self.report_broken(&address, &broken);
            if broken.is_gone() {
                self.broker.unreachable_peers.note(self.leader);
            }
            // A connection that served is dialled again at once: whether the leader is there shows in the answer.
            if !std::mem::take(&mut self.served) {
                self.pause().await;
            }
        }
    }

    /// Warns once; that it still does not work is no news.
    fn report_broken(&mut self, address: &str, broken: &Broken) {
        let leader = self.leader;
        match !std::mem::replace(&mut self.warned, true) {
            true => tracing::warn!(%leader, %address, "fetching from the leader is tried on: {broken}"),
            false => tracing::debug!(%leader, %address, "still not fetching from the leader: {broken}"),
        }
    }

    /// Waits until there is something to follow and an address to go to.
    async fn leader_address(&mut self) -> Option<String> {
        let known = |assigned: &Assigned| assigned.address.is_some() && !assigned.partitions.is_empty();
        let assigned = self.assigned.wait_for(known).await.ok()?;
        assigned.address.clone()
    }

    /// Waits before the next dial; less if what is assigned changes, for the leader may have come back: its earlier failures
    /// count no more then.
    async fn pause(&mut self) {
        let delay = self.dial_delay.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.dial_delay =
            (self.dial_delay * 2).min(self.broker.config.replication.fetch_backoff.max(DIAL_DELAY_MIN));
        sleep(DIAL_DELAY_MIN.min(delay)).await;
        if timeout(delay.saturating_sub(DIAL_DELAY_MIN), self.assigned.changed()).await.is_ok() {
            self.dial_delay = DIAL_DELAY_MIN;
        }
    }

    async fn converse(&mut self, address: &str) -> Result<Infallible, Broken> {
        let config = self.connection_config();
        let connection = tokio::select! {
            connected = Connection::connect(address, &config) => connected?,
            moved = moves(self.assigned.clone(), address) => return Err(moved),
        };
        self.broker.unreachable_peers.reached(self.leader);
        self.roster.reconnected();
        self.reconcile(address)?;
        let mut in_flight = InFlight::default();
        loop {
            self.look_at_logs().await?;
            if in_flight.is_empty() {
                self.settle_bounds(&connection).await?;
            }
            if in_flight.len() < IN_FLIGHT_MAX
                && let Some(outgoing) = self.roster.next_fetch(in_flight.len())
            {
                let replication = &self.broker.config.replication;
                let request = request::fetch(self.sender(), replication, self.bytes_max(), &outgoing);
                let (connection, sent_at) = (connection.clone(), Instant::now());
                let sent = async move { (outgoing.number, sent_at, connection.send(&request).await) };
                in_flight.push_back(Box::pin(sent));
            }
            tokio::select! {
                Some((number, sent_at, response)) = in_flight.next(), if !in_flight.is_empty() => {
                    let response = response?;
                    let beside_clients = response.throttle_time_ms > 0;
                    let bytes = self.take_in(number, response).await?;
                    self.leave_time(bytes, sent_at, beside_clients).await;
                }
                changed = self.assigned.changed() => {
                    changed.map_err(|_| Broken::Over)?;
                    self.reconcile(address)?;
                }
                () = woken(self.roster.next_wake()) => {}
            }
        }
    }

    /// Takes up what is assigned by now.
    fn reconcile(&mut self, address: &str) -> Result<(), Broken> {
        let assigned = self.assigned.borrow_and_update();
        if assigned.address.as_deref() != Some(address) {
            return Err(Broken::Moved);
        }
        self.roster.reconcile(&assigned.partitions);
        Ok(())
    }

    /// Finds where the logs end that were just assigned, or whose delay is over.
    async fn look_at_logs(&mut self) -> Result<(), Broken> {
        let now = Instant::now();
        self.roster.wake(now);
        let mut cuts = Vec::new();
        for (key, following) in self.roster.starting() {
            if following.replica.partition.is_to_be_cut() {
                cuts.push((key, following.replica, Cut::Gap(following.leader_epoch)));
                continue;
            }
            match following.replica.partition.position(following.leader_epoch) {
                Ok(position) => self.roster.stands_at(key, position),
                Err(_) => {
                    // The log is being opened or is offline, or the role is another one by now: known elsewhere.
                    self.roster.failed(key, now);
                }
            }
        }
        self.cut(cuts).await
    }

    /// The most that one fetch is to bring.
    fn bytes_max(&self) -> i32 {
        match self.lane {
            Lane::InSync => i32::MAX,
            Lane::CatchingUp => self.pace.bytes_max(),
        }
    }

    /// What catches up leaves time to the clients of its leader, who says whether it has any, and to those of this broker.
    async fn leave_time(&mut self, bytes: usize, sent_at: Instant, beside_clients: bool) {
        if self.lane == Lane::InSync {
            return;
        }
        let beside_clients = beside_clients || self.broker.client_activity.is_on();
        let assigned = &self.assigned;
        let lag =
            || assigned.borrow().partitions.values().map(|following| following.replica.lag.shown()).sum();
        let pause = self.pace.taken(bytes, sent_at.elapsed(), beside_clients, Instant::now(), lag);
        if !pause.is_zero() {
            sleep(pause).await;
        }
    }

    /// How many bytes of records it brought.
    async fn take_in(&mut self, number: u64, response: FetchResponse) -> Result<usize, Broken> {
        let error = ErrorCode::from_code(response.error_code);
        match self.roster.answered(error, response.session_id) {
            Ok(()) => (self.dial_delay, self.served, self.warned) = (DIAL_DELAY_MIN, true, false),
            Err(ErrorCode::FetchSessionIdNotFound | ErrorCode::InvalidFetchSessionEpoch) => return Ok(0),
            Err(error) => return Err(Broken::Refused(error)),
        }
        let (mut cuts, mut writebacks, mut caught_up) = (Vec::new(), Vec::new(), Vec::new());
        let (mut bytes, mut before_yield) = (0, 0);
        for (key, answer) in request::answers(response) {
            let Some((ask, followed)) = self.roster.asked(number, &key) else { continue };
            if answer.diverging.is_some() {
                cuts.push((key, followed, Cut::Diverging(ask, answer)));
                continue;
            }
            let taken = followed.partition.take_answer(&ask, &answer, wall_clock_ms());
            let taken = taken.and_then(|taken| Ok(followed.partition.flush_if_due().map(|()| taken)?));
            followed.observe(&answer, &taken);
            bytes += answer.records.len();
            if self.lane == Lane::CatchingUp {
                let arrived = has_caught_up(&answer, &taken);
                caught_up.extend(arrived.then_some(CaughtUp { key, leader_epoch: ask.leader_epoch }));
                let writeback = followed.partition.begin_writeback();
                writebacks.extend(writeback.map(|writeback| (followed.clone(), writeback)));
            }
            self.settle(key, &followed, taken);
            if bytes - before_yield >= BYTES_BEFORE_YIELD {
                before_yield = bytes;
                tokio::task::yield_now().await;
            }
        }
        if !caught_up.is_empty() {
            // Nobody hears of it only while all fetchers end.
            let _ = self.caught_up.send(caught_up).await;
        }
        disk::write_back(&self.broker.replicas, writebacks).await?;
        self.cut(cuts).await?;
        Ok(bytes)
    }

    /// Asks where the leader's logs begin and end, for those partitions whose end is not in them.
    async fn settle_bounds(&mut self, connection: &Connection) -> Result<(), Broken> {
        let wanted = self.roster.out_of_range();
        if wanted.is_empty() {
            return Ok(());
        }
        let ask = |timestamp| {
            let partitions = wanted.iter().map(|(_, ask, followed)| {
                let at = &followed.partition.at;
                (at.topic.as_str(), at.partition, ask.leader_epoch)
            });
            request::list_offsets(self.sender(), timestamp, partitions)
        };
        let (earliest, latest) = (ask(EARLIEST), ask(LATEST));
        let (starts, ends) = tokio::try_join!(connection.send(&earliest), connection.send(&latest))?;
        let (starts, ends) = (request::listed(starts), request::listed(ends));
        let mut cuts = Vec::new();
        for (key, ask, followed) in wanted {
            let at = (followed.partition.at.topic.as_str().into(), followed.partition.at.partition);
            match (starts.get(&at), ends.get(&at)) {
                (Some(&Ok(start)), Some(&Ok(end))) => {
                    cuts.push((key, followed, Cut::Bounds(ask, Bounds { start, end })))
                }
                (Some(&Err(error)), _) | (_, Some(&Err(error))) => {
                    self.settle(key, &followed, Err(FollowError::Leader(error)));
                }
                (None, _) | (_, None) => {
                    self.settle(key, &followed, Err(FollowError::Leader(ErrorCode::UnknownTopicOrPartition)));
                }
            }
        }
        self.cut(cuts).await
    }

    async fn cut(&mut self, cuts: Vec<ToCut>) -> Result<(), Broken> {
        for (key, followed, taken) in disk::cut(&self.broker.replicas, cuts).await? {
            self.settle(key, &followed, taken);
        }
        Ok(())
    }

    /// Tells the roster what came of an answer.
    fn settle(&mut self, key: PartitionKey, followed: &Followed, taken: Result<Taken, FollowError>) {
        match taken {
            Ok(Taken::At(position) | Taken::Cut(position)) => {
                followed.lag.show_failed(false);
                self.roster.advanced(key, position);
            }
            Ok(Taken::PassedOver(position)) => self.roster.stands_at(key, position),
            Ok(Taken::AskForBounds) => self.roster.is_out_of_range(key),
            Err(error) => {
                let failures = self.roster.failed(key, Instant::now());
                self.report(followed, &error, failures);
            }
        }
    }

    /// What fails here is told once. That leader and follower know different epochs, or a topic is going, is ordinary
    /// between two images.
    fn report(&self, followed: &Followed, error: &FollowError, failures: u32) {
        let (partition, leader) = (&followed.partition.at, self.leader);
        if let FollowError::Own(own) = error {
            self.broker.replicas.note_failed_follower(&followed.partition, own);
        }
        let is_ours = matches!(error, FollowError::Own(PartitionError::Append(_) | PartitionError::Log(_)));
        if is_ours {
            followed.lag.show_failed(true);
        }
        if is_ours && failures == 1 {
            tracing::error!(%partition, %leader, "what the leader sent can't be taken in: {error}");
        } else {
            tracing::debug!(%partition, %leader, failures, "not fetched: {error}");
        }
    }

    fn sender(&self) -> Sender {
        Sender { broker: self.broker.config.broker_id, broker_epoch: self.broker.link.broker_epoch() }
    }

    fn connection_config(&self) -> ConnectionConfig {
        let config = &self.broker.config;
        let response_bytes_max = usize::try_from(config.replication.fetch_response_bytes_max).unwrap_or(0);
        ConnectionConfig {
            client_id: format!("broker-{}-fetcher", config.broker_id),
            connect_timeout: config.replication.socket_timeout.min(CONNECT_TIME_MAX),
            request_timeout: config.replication.socket_timeout,
            // A first batch may exceed what was asked for, but no batch is larger than a request that brought it.
            frame_bytes_max: response_bytes_max.saturating_add(config.sockets.request_bytes_max),
            in_flight_max: IN_FLIGHT_MAX,
            silence_max: Some(SILENCE_MAX),
        }
    }
}

/// Ends when it is time; never, where there is no time.
async fn woken(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
