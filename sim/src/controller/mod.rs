//! One controller's process: the real race, reading, active controller and streams, each polled by hand in the place of the
//! tasks that drive them in `milena-controller`.
//!
//! What is new here is only who calls whom: the shells of `controller::controller`, `controller::term`, `controller::lease`,
//! `controller::standby` and `controller::server`.

mod calls;
mod lease;
mod streams;
mod term;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use controller::ControllerConfig;
use controller::active::{Active, Ended};
use controller::election_of_controller::{Race, RaceError, Standing};
use controller::event::Event;
use controller::event_queue::{self, EventReceiver, EventSender};
use controller::failure_detector::Dialled;
use controller::term::{Doubt, Term};
use metadata::store::{StoreError, WatchMessage};
use proto::controller::Push;
use protocol::types::{BrokerId, Uuid};
use tokio::sync::mpsc;

use crate::event::{ConnectionId, Content, ProcessId};
use crate::job::Job;
use crate::store::StoreClient;
use calls::Calls;
use lease::HeldLease;
use streams::Stream;

/// What a controller's process does for the rest of the world to see.
pub enum Said {
    Push(ConnectionId, Push),
    HangsUp(ConnectionId),
    /// A hello was refused, for this reason.
    Refuses(ConnectionId, Box<tonic::Status>),
    /// An answer to broker `to`.
    Answers {
        to: usize,
        content: Content,
    },
    /// Somebody must try whether this broker listens.
    Dials {
        broker: BrokerId,
        epoch: i64,
    },
}

/// One process.
pub struct Controller {
    pub id: usize,
    pub process: ProcessId,
    store: Arc<StoreClient>,
    config: ControllerConfig,
    stage: Stage,
    /// The place, while it has it.
    held: Option<(Term, HeldLease)>,
    /// What nobody waits for: revocations of leases.
    farewells: Vec<Job<()>>,
    /// What waits for the active controller.
    events: VecDeque<Event>,
    /// What streams ask of it.
    asks: (EventSender, EventReceiver),
    streams: BTreeMap<ConnectionId, Stream>,
    calls: Calls,
    dials: Vec<(BrokerId, i64)>,
}

/// What the process is at.
enum Stage {
    /// Waits before it races.
    Waiting(Duration),
    Racing(Job<Result<Race, RaceError>>),
    StandingBy(Standing, Job<Result<bool, StoreError>>),
    /// Deletes the key of an active one that is dead.
    Evicting(Job<Result<bool, StoreError>>),
    /// The state is in doubt; waits before it is read.
    Doubting(Duration, Box<Active>),
    Reading(Work<Watch>),
    Serving(Box<Active>, Watch),
    Handling(Work<Option<Ended>>, Watch),
}

/// What the active controller is at, and what comes of it.
type Work<T> = Job<(Box<Active>, Result<T, Doubt>)>;
/// What the store tells of registrations.
type Watch = mpsc::Receiver<WatchMessage>;

/// Events that streams may have waiting.
const ASKS_MAX: usize = 1024;

/// The incarnation of a controller's process.
pub fn incarnation(id: usize, process: ProcessId) -> Uuid {
    Uuid([&[0xc0, id as u8][..], &[0; 6], &process.to_be_bytes()].concat().try_into().unwrap_or_default())
}

impl Controller {
    /// A process that has just begun.
    pub fn new(
        id: usize,
        process: ProcessId,
        store: Arc<StoreClient>,
        config: ControllerConfig,
    ) -> Controller {
        Controller {
            id,
            process,
            store,
            config,
            stage: Stage::Waiting(Duration::ZERO),
            held: None,
            farewells: Vec::new(),
            events: VecDeque::new(),
            asks: event_queue::channel(ASKS_MAX),
            streams: BTreeMap::new(),
            calls: Calls::default(),
            dials: Vec::new(),
        }
    }

    /// The epoch in which it takes itself for active.
    pub fn epoch(&self) -> Option<i32> {
        self.held.as_ref().map(|(term, _)| term.claim.epoch)
    }

    /// The process that it stands by for.
    pub fn rival(&self) -> Option<Uuid> {
        match &self.stage {
            Stage::StandingBy(standing, _) => Some(standing.active.incarnation),
            _ => None,
        }
    }

    /// A broker was dialled.
    pub fn dialled(&mut self, broker: BrokerId, epoch: i64, outcome: Dialled) {
        if self.held.is_some() {
            self.events.push_back(Event::Dialled { broker, epoch, outcome });
        }
    }

    /// Goes on as far as it can.
    pub fn go_on(&mut self, now: Duration) -> Vec<Said> {
        let mut said = Vec::new();
        self.keep_lease(now);
        loop {
            while self.advance(now) {}
            self.feed_streams(&mut said);
            self.calls.answer(&mut said);
            said.extend(self.dials.drain(..).map(|(broker, epoch)| Said::Dials { broker, epoch }));
            if !self.take_asks() {
                return said;
            }
        }
    }

    fn take_asks(&mut self) -> bool {
        let before = self.events.len();
        while let Ok(event) = self.asks.1.try_recv() {
            self.events.push_back(event);
        }
        self.events.len() > before
    }
}
