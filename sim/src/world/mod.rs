//! The world of one seed: all hosts, what is under way between them, and the loop that lets one thing after the other happen.
//!
//! Everything that is by chance comes from one generator, in the order of events: a seed is a history.

mod brokers;
mod clients;
mod controllers;
mod faults;
mod rest;
mod store;
mod streams;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use crate::broker::Machine;
use crate::bug::Bug;
use crate::checks::{Checked, Truth, Violation};
use crate::clock::Clock;
use crate::controller::Controller;
use crate::event::{ConnectionId, Content, Event, Message, ProcessId};
use crate::history::History;
use crate::host::Host;
use crate::network::{Network, latency};
use crate::producer::Producer;
use crate::queue::Queue;
use crate::store::{Outbox, Store, StoreClient};
use crate::temper::Temper;
use clients::Pending;
use streams::Connection;

pub(crate) const BROKERS: usize = 3;
pub(crate) const CONTROLLERS: usize = 2;
/// How long a cluster may take to come to rest when nothing fails any more.
const REST_WITHIN: Duration = Duration::from_secs(60);

pub(crate) struct World {
    rng: Rng,
    clock: Clock,
    queue: Queue,
    history: History,
    temper: Temper,
    bug: Option<Bug>,
    network: Network,
    store: Store,
    outbox: Outbox,
    machines: Vec<Machine>,
    controllers: Vec<Option<Controller>>,
    controller_processes: ProcessId,
    connections: BTreeMap<ConnectionId, Connection>,
    last_connection: ConnectionId,
    producers: Vec<Producer>,
    next_value: u64,
    pending: Vec<Pending>,
    /// Where processes wrote batches, by their first values, cut since or not (a deliberate bug).
    remembered: BTreeMap<(usize, ProcessId, u64), (i64, i64)>,
    truth: Truth,
    /// Producers that were told to give up, though nothing of theirs was lost.
    refused_for_good: usize,
    weather: Weather,
    /// When the storm is over; or when there must be order.
    changes_at: Duration,
}

/// Whether anything fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    /// The cluster begins.
    Calm,
    Storm,
    /// Everything works again, and the cluster must come to rest.
    Mending,
}

/// What a simulation came to.
#[derive(Debug, Default)]
pub struct Ran {
    pub steps: u64,
    pub acknowledged: usize,
    pub elections: i32,
    /// Producers that were refused for good though nothing of theirs was lost: a restarted leader remembers the last batch of
    /// each, and not five.
    pub refused_for_good: usize,
    pub unclean: usize,
}

impl World {
    pub fn new(seed: u64, bug: Option<Bug>, is_recorded: bool, root: &Path) -> World {
        let mut rng = Rng::with_seed(seed);
        let temper = Temper::some(&mut rng);
        let outbox = Outbox::default();
        let machine = |id| Machine::new(id, root, bug == Some(Bug::PowerLossTrusted));
        World {
            truth: Truth::new(temper.partitions, BROKERS, temper.min_isr),
            clock: Clock::new(),
            queue: Queue::default(),
            history: History::new(is_recorded),
            network: Network::default(),
            store: Store::new(bug == Some(Bug::ComparesElectionKeyOnly)),
            outbox,
            machines: (0..BROKERS).map(machine).collect(),
            controllers: (0..CONTROLLERS).map(|_| None).collect(),
            controller_processes: 0,
            connections: BTreeMap::new(),
            last_connection: 0,
            producers: clients::producers(&mut rng, &temper),
            next_value: 0,
            pending: Vec::new(),
            remembered: BTreeMap::new(),
            refused_for_good: 0,
            weather: Weather::Calm,
            changes_at: REST_WITHIN,
            rng,
            temper,
            bug,
        }
    }

    /// Storm, calm, and what must hold all the time and at the end.
    pub fn run(&mut self) -> Checked<Ran> {
        self.begin()?;
        loop {
            let Some((at, event)) = self.queue.next() else {
                return Err(Violation("nothing happens any more".to_owned()));
            };
            self.clock.set(at);
            self.history.step(at);
            self.handle(event)?;
            match self.weather {
                Weather::Calm if self.is_in_order() => self.break_storm(),
                Weather::Storm if at > self.changes_at => self.mend(),
                Weather::Mending if self.is_at_rest() => {
                    self.check_rest()?;
                    return Ok(self.ran());
                }
                Weather::Calm | Weather::Mending if at > self.changes_at => {
                    return Err(Violation(format!("the cluster does not come to rest: {}", self.unrest())));
                }
                _ => {}
            }
        }
    }

    pub fn into_history(self) -> Vec<String> {
        self.history.into_lines()
    }

    fn ran(&self) -> Ran {
        let elections = self.truth.partitions.iter().map(|partition| partition.state.leader_epoch.0).sum();
        Ran {
            steps: self.history.steps(),
            acknowledged: self.truth.acknowledged(),
            elections,
            refused_for_good: self.refused_for_good,
            unclean: self
                .truth
                .partitions
                .iter()
                .filter(|partition| partition.unclean_since.is_some())
                .count(),
        }
    }

    fn begin(&mut self) -> Checked {
        self.found_cluster()?;
        for id in 0..BROKERS {
            self.restart(Host::Broker(id))?;
        }
        for id in 0..CONTROLLERS {
            self.restart(Host::Controller(id))?;
        }
        self.plan(Duration::from_millis(100), Event::Leases);
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Checked {
        let event = match addressee(&event) {
            Some(host) => match self.network.hold(host, event) {
                Some(event) => event,
                None => return Ok(()),
            },
            None => event,
        };
        match event {
            Event::Tick(Host::Broker(id), process) => self.broker_ticks(id, process),
            Event::Tick(Host::Controller(id), process) => self.controller_ticks(id, process),
            Event::Tick(Host::Store, _) => Ok(()),
            Event::Poll { broker, process, partition } => self.poll(broker, process, partition),
            Event::Look { broker, process } => self.look(broker, process),
            Event::Tend { broker, process } => self.tend(broker, process),
            Event::Produce(producer) => self.produce(producer),
            Event::Produced { producer, connection, batch, error } => {
                self.produced(producer, connection, batch, error)
            }
            Event::Strike => self.strike(),
            Event::Restart(host) => self.restart(host),
            Event::Resume(host) => self.resume(host),
            Event::CutOff { broker } => self.cut_off(broker),
            Event::LinksMended => self.mend_links(),
            Event::StoreReturns => self.store_returns(),
            Event::WatchesLost => self.lose_watches(),
            Event::Leases => self.expire_leases(),
            Event::ToStore(call) => self.call_arrives(call),
            Event::FromStore(call) => self.call_ends(call, true),
            Event::CallTimesOut(call) => self.call_ends(call, false),
            Event::Watch(watch) => self.watch_arrives(watch),
            Event::Up(connection) => self.up(connection),
            Event::Down(connection) => self.down(connection),
            Event::Ended(connection, side) => self.ended(connection, side),
            Event::Leave { broker, process } => self.leave(broker, process),
            Event::Dialled { controller, process, broker, epoch, outcome } => {
                self.dialled(controller, process, broker, epoch, outcome)
            }
            Event::Arrives(message) => self.arrives(message),
        }
    }

    /// In so long.
    fn plan(&mut self, delay: Duration, event: Event) {
        self.queue.plan(self.clock.now() + delay, event);
    }

    fn latency(&mut self) -> Duration {
        match self.weather {
            Weather::Storm => latency(&mut self.rng, &self.temper),
            Weather::Calm | Weather::Mending => self.temper.latency,
        }
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        self.history.note(what);
    }

    /// Whether something that happens to a thousand of messages, so many times, happens now.
    fn befalls(&mut self, of_thousand: u32) -> bool {
        self.weather == Weather::Storm && self.rng.u32(..1000) < of_thousand
    }

    /// Sends what may be lost or doubled on its way.
    fn send(&mut self, from: Host, to: Host, content: Content) {
        let (lost, doubled) = (self.temper.lost, self.temper.doubled);
        if self.befalls(lost) {
            self.note(|| format!("lost, {from} to {to}: {content:?}"));
            return;
        }
        if self.befalls(doubled) {
            let (at, content) = (self.latency(), content.clone());
            self.plan(at, Event::Arrives(Message { from, to, content }));
        }
        let at = self.latency();
        self.plan(at, Event::Arrives(Message { from, to, content }));
    }

    fn arrives(&mut self, message: Message) -> Checked {
        let Message { from, to, content } = message;
        if self.network.is_cut(from, to) {
            return Ok(());
        }
        match (content, from, to) {
            (
                Content::Fetch { partition, process, broker_epoch, ask },
                Host::Broker(follower),
                Host::Broker(leader),
            ) => self.fetch(leader, follower, partition, process, broker_epoch, ask),
            (
                Content::Fetched { partition, process, ask, answer },
                Host::Broker(leader),
                Host::Broker(follower),
            ) => self.fetched(follower, leader, partition, process, ask, answer),
            (
                Content::AlterIsr { process, call, request },
                Host::Broker(broker),
                Host::Controller(controller),
            ) => self.alter_isr(controller, broker, process, call, request),
            (Content::AlteredIsr { process, call, response }, _, Host::Broker(broker)) => {
                self.altered_isr(broker, process, call, response)
            }
            (
                Content::ShutDown { process, broker_epoch },
                Host::Broker(broker),
                Host::Controller(controller),
            ) => self.shut_down(controller, broker, process, broker_epoch),
            (Content::ShutDownGranted { process }, _, Host::Broker(broker)) => self.leave(broker, process),
            (Content::Produce(request), _, Host::Broker(broker)) => self.append(broker, request),
            (content, from, to) => Err(Violation(format!("{from} cannot tell {to} {content:?}"))),
        }
    }

    /// The store, as a host sees it.
    fn store_client(&self, host: Host) -> Arc<StoreClient> {
        Arc::new(StoreClient { host, outbox: Arc::clone(&self.outbox) })
    }

    /// Whoever is polled meanwhile sees this world's clock.
    fn at_its_time<T>(&mut self, act: impl FnOnce(&mut World, Duration) -> T) -> T {
        let now = self.clock.now();
        let handle = self.clock.handle();
        let _entered = handle.enter();
        act(self, now)
    }
}

/// Where something happens; a host that stands still hears of it when it goes on.
fn addressee(event: &Event) -> Option<Host> {
    match event {
        Event::Tick(host, _) => Some(*host),
        Event::Poll { broker, .. } | Event::Look { broker, .. } | Event::Tend { broker, .. } => {
            Some(Host::Broker(*broker))
        }
        Event::Leave { broker, .. } => Some(Host::Broker(*broker)),
        Event::Dialled { controller, .. } => Some(Host::Controller(*controller)),
        Event::Arrives(message) => Some(message.to),
        _ => None,
    }
}
