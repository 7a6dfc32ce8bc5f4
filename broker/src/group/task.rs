//! The shell of one shard: a task that loads it, then feeds it events, written records and time, until the leader epoch ends
//! by which this broker leads the partition.
//!
//! Then the task is dropped where it waits. Whoever waits for it is told NOT_COORDINATOR, because his port is dropped too.

use std::pin::pin;
use std::time::Duration;

use protocol::ErrorCode;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, error, info};

use super::append::Appender;
use super::clock::Clock;
use super::in_flight::InFlight;
use super::load::{Load, LoadError, Loaded};
use super::log::coordinator_error;
use super::machine::{Census, Effects, Event, Notice, Shard, Write, Written};
use crate::config::GroupSettings;
use crate::metrics::groups::{self, GroupCounts, ShardGauges};

/// The most events that share one append.
const EVENTS_PER_APPEND: usize = 256;

/// Between two attempts to read a log that can't be read: at first, as one that is just being opened may want…
const LOAD_BACKOFF_MIN: Duration = Duration::from_millis(20);
/// …and at most.
const LOAD_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Between two counts of the groups, for the gauges.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

/// How long to sleep where nothing is due.
const IDLE: Duration = Duration::from_secs(3_600);

/// A shard's task before it runs.
pub struct ShardTask {
    pub appender: Appender,
    pub settings: GroupSettings,
    pub clock: Clock,
    pub events: mpsc::Receiver<Event>,
}

impl ShardTask {
    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let (mut gauges, began) = (ShardGauges::loading(), Instant::now());
        let (loaded, deferred) = self.load().await;
        gauges.loaded(began.elapsed());
        let mut serving = Serving {
            shard: loaded.shard,
            in_flight: InFlight::default(),
            writes: Vec::new(),
            watched: Watched { gauges, count_due: Some(Instant::now()) },
            task: &mut self,
        };
        serving.begin(deferred);
        while serving.turn().await {}
    }

    /// Reads the log while requests are told to come again. Deletions of topics are kept for later.
    async fn load(&mut self) -> (Loaded, Vec<Event>) {
        let ShardTask { appender, settings, clock, events } = self;
        let mut deferred = Vec::new();
        let mut loading = pin!(load(appender, settings, *clock));
        loop {
            tokio::select! {
                loaded = &mut loading => return (loaded, deferred),
                Some(event) = events.recv() => match event {
                    Event::TopicsDeleted(_) => deferred.push(event),
                    event => {
                        if let Some(answer) = event.refuse(ErrorCode::CoordinatorLoadInProgress) {
                            answer.deliver();
                        }
                    }
                },
            }
        }
    }
}

async fn load(appender: &Appender, settings: &GroupSettings, clock: Clock) -> Loaded {
    let (began, mut backoff) = (Instant::now(), LOAD_BACKOFF_MIN);
    let Appender { log, partition, epoch, .. } = appender;
    loop {
        let load = Load { log: &**log, partition: *partition, epoch: *epoch, clock };
        match load.run(settings).await {
            Ok(loaded) => {
                note_loaded(appender.partition, &loaded, began.elapsed());
                return loaded;
            }
            Err(error) => {
                note_not_loaded(appender.partition, &error);
                sleep(backoff).await;
                backoff = (2 * backoff).min(LOAD_BACKOFF_MAX);
            }
        }
    }
}

/// A log that is being opened, or that another leads by now, will be heard of without this.
fn note_not_loaded(partition: i32, error: &LoadError) {
    let cause = error as &dyn std::error::Error;
    match error {
        LoadError::Log { error: ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch, .. } => {
            debug!(error = cause, "groups of partition {partition} are not available yet");
        }
        _ => error!(error = cause, "groups of partition {partition} are not available"),
    }
}

/// An empty shard is worth no line of its own: a new cluster has fifty.
fn note_loaded(partition: i32, loaded: &Loaded, took: Duration) {
    let (groups, records) = (loaded.shard.groups().count(), loaded.records);
    match records {
        0 => debug!("coordinates partition {partition}, which has no groups yet"),
        _ => info!(
            "coordinates the {groups} groups of partition {partition}: {records} records read in {took:?}"
        ),
    }
}

/// A shard that is loaded.
struct Serving<'a> {
    shard: Shard,
    in_flight: InFlight,
    /// What the next append takes.
    writes: Vec<Write>,
    watched: Watched,
    task: &'a mut ShardTask,
}

/// What is shown of the shard's groups.
struct Watched {
    gauges: ShardGauges,
    /// When they are to be counted anew; none while nothing has happened.
    count_due: Option<Instant>,
}

impl Serving<'_> {
    fn begin(&mut self, deferred: Vec<Event>) {
        let effects = self.shard.on_loaded(self.task.clock.now());
        self.carry_out(effects);
        for event in deferred {
            self.handle(event);
        }
        self.append();
    }

    /// Waits for one thing to happen and does what follows; false when nobody can ask any more.
    async fn turn(&mut self) -> bool {
        let due = self.next_deadline();
        tokio::select! {
            ended = self.in_flight.next() => self.conclude(ended),
            () = sleep_until(due) => self.handle_time(),
            event = self.task.events.recv() => match event {
                Some(event) => self.handle_all(event),
                None => return false,
            },
        }
        self.append();
        true
    }

    fn next_deadline(&self) -> Instant {
        let timer = self.shard.next_deadline().map(|at| self.task.clock.instant(at));
        [timer, self.in_flight.next_deadline(), self.watched.count_due]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_else(|| Instant::now() + IDLE)
    }

    /// Takes what else is waiting, so that it shares the append.
    fn handle_all(&mut self, first: Event) {
        self.handle(first);
        for _ in 1..EVENTS_PER_APPEND {
            match self.task.events.try_recv() {
                Ok(event) => self.handle(event),
                Err(_) => break,
            }
        }
    }

    fn handle(&mut self, event: Event) {
        self.watched.count_due.get_or_insert_with(|| Instant::now() + COUNT_INTERVAL);
        let effects = self.shard.handle(event, self.task.clock.now());
        self.carry_out(effects);
    }

    fn handle_time(&mut self) {
        if self.watched.count_due.is_some_and(|due| due <= Instant::now()) {
            self.watched.count(&self.shard);
        }
        let now = self.task.clock.now();
        let mut effects = self.shard.handle_time(now);
        for write in self.in_flight.overdue(Instant::now()) {
            effects.extend(self.shard.handle_overdue(write, now));
        }
        self.carry_out(effects);
    }

    fn conclude(&mut self, ended: Vec<(Write, Written)>) {
        for (write, written) in ended {
            let effects =
                self.shard.handle_written(write, written.map_err(coordinator_error), self.task.clock.now());
            self.carry_out(effects);
        }
    }

    /// What ends at once may lead to more writes.
    fn append(&mut self) {
        while !self.writes.is_empty() {
            let now = self.task.clock.now();
            let writes = std::mem::take(&mut self.writes);
            let ended = self.task.appender.append(writes, now.wall_ms, &mut self.in_flight);
            self.conclude(ended);
        }
    }

    fn carry_out(&mut self, effects: Effects) {
        self.writes.extend(effects.writes);
        for notice in effects.notices {
            observe(&notice);
            info!("{notice}");
        }
        for answer in effects.answers {
            answer.deliver();
        }
    }
}

impl Watched {
    fn count(&mut self, shard: &Shard) {
        let census = shard.groups().census();
        let of = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let Census { preparing_rebalance, completing_rebalance, stable, dead, empty, offsets } = census;
        self.gauges.show(GroupCounts {
            groups: of(census.groups()),
            preparing_rebalance: of(preparing_rebalance),
            completing_rebalance: of(completing_rebalance),
            stable: of(stable),
            dead: of(dead),
            empty: of(empty),
            offsets: of(offsets),
        });
        self.count_due = None;
    }
}

fn observe(notice: &Notice) {
    match notice {
        Notice::Stabilized { .. } => groups::observe_rebalance(),
        Notice::Expired { offsets, .. } => groups::observe_expirations(*offsets as u64),
        _ => {}
    }
}
