//! Streams between brokers and controllers: what is sent arrives in order, or the stream ends, and each side finds out by
//! itself. A push that was on its way when a broker turned to another controller still arrives.

use std::collections::VecDeque;
use std::time::Duration;

use proto::controller::{Hello, Push};

use super::World;
use crate::broker::{Intake, Stream};
use crate::checks::{Checked, violated};
use crate::event::{ConnectionId, Event, ProcessId, Side};
use crate::host::Host;
use metadata::convert::PushAssembly;
use metadata::keys::controller_key::ActiveController;

/// How long a message without a way is tried again.
const STALL: Duration = Duration::from_millis(200);
const STALLS_MAX: u32 = 8;

/// What a broker says.
pub(super) enum Upward {
    Hello(Box<Hello>),
    Applied(i64),
}

/// One stream.
pub(super) struct Connection {
    pub broker: usize,
    pub broker_process: ProcessId,
    pub controller: usize,
    controller_process: ProcessId,
    up: VecDeque<Upward>,
    down: VecDeque<Push>,
    /// When the last message in each direction arrives: no later one overtakes it.
    up_at: Duration,
    down_at: Duration,
    stalls: u32,
    assembly: PushAssembly,
    is_open: bool,
}

impl World {
    /// A broker opens a stream, in the place of the one that it had.
    pub(super) fn connect(&mut self, broker: usize, broker_epoch: i64, active: ActiveController) {
        let controller = active.id as usize;
        let Some(process) = self.controllers[controller].as_ref().map(|controller| controller.process) else {
            return;
        };
        self.last_connection += 1;
        let id = self.last_connection;
        let Some(running) = &mut self.machines[broker].running else { return };
        let (hello, broker_process) = (running.hello(broker_epoch), running.id);
        let before = running.stream.replace(Stream { connection: id, broker_epoch, active });
        self.note(|| format!("broker {broker} says hello to controller {controller} as {broker_epoch}"));
        if let Some(before) = before {
            let at = self.latency();
            self.plan(at, Event::Ended(before.connection, Side::Controller));
        }
        self.connections.insert(
            id,
            Connection {
                broker,
                broker_process,
                controller,
                controller_process: process,
                up: VecDeque::new(),
                down: VecDeque::new(),
                up_at: Duration::ZERO,
                down_at: Duration::ZERO,
                stalls: 0,
                assembly: PushAssembly::default(),
                is_open: true,
            },
        );
        self.say(id, Upward::Hello(Box::new(hello)));
    }

    fn say(&mut self, id: ConnectionId, upward: Upward) {
        let at = self.clock.now() + self.latency();
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.up.push_back(upward);
        connection.up_at = connection.up_at.max(at);
        let at = connection.up_at;
        self.queue.plan(at, Event::Up(id));
    }

    pub(super) fn push(&mut self, id: ConnectionId, push: Push) {
        let at = self.clock.now() + self.latency();
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.down.push_back(push);
        connection.down_at = connection.down_at.max(at);
        let at = connection.down_at;
        self.queue.plan(at, Event::Down(id));
    }

    /// A hello is refused. What was expected of the broker may be that it registers again.
    pub(super) fn refuse(&mut self, id: ConnectionId, refusal: &tonic::Status) {
        let Some(connection) = self.connections.get(&id) else { return };
        let (broker, process) = (connection.broker, connection.broker_process);
        let running = self.machines[broker].running.as_ref().filter(|running| running.id == process);
        if refusal.code() == tonic::Code::FailedPrecondition
            && let Some(running) = running
        {
            running.doubt_registration();
        }
        self.note(|| format!("broker {broker} is refused: {}", refusal.message()));
    }

    /// The controller ends a stream.
    pub(super) fn hang_up(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            let at = connection.down_at.max(self.clock.now());
            self.queue.plan(at, Event::Ended(id, Side::Broker));
        }
    }

    /// A stream breaks in the middle: both sides find out, each in its time.
    pub(super) fn break_stream(&mut self, id: ConnectionId, delay_max: Duration) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.is_open = false;
            for side in [Side::Broker, Side::Controller] {
                let delay = delay_max.mul_f64(self.rng.f64());
                self.plan(delay, Event::Ended(id, side));
            }
        }
    }

    /// Whether something can go through just now; else it is tried again, and at last the stream breaks.
    fn goes_through(&mut self, id: ConnectionId, again: Event) -> bool {
        let Some(connection) = self.connections.get_mut(&id).filter(|connection| connection.is_open) else {
            return false;
        };
        let (broker, controller) = (Host::Broker(connection.broker), Host::Controller(connection.controller));
        let is_held = self.network.is_paused(broker) || self.network.is_paused(controller);
        if !self.network.is_cut(broker, controller) && !is_held {
            connection.stalls = 0;
            return true;
        }
        connection.stalls += 1;
        match connection.stalls <= STALLS_MAX {
            true => self.plan(STALL, again),
            false => self.break_stream(id, STALL),
        }
        false
    }

    pub(super) fn up(&mut self, id: ConnectionId) -> Checked {
        if !self.goes_through(id, Event::Up(id)) {
            return Ok(());
        }
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        let (controller, process) = (connection.controller, connection.controller_process);
        let Some(upward) = connection.up.pop_front() else { return Ok(()) };
        let Some(listener) = self.controller(controller, process) else {
            self.hang_up(id);
            return Ok(());
        };
        let is_heard = match upward {
            Upward::Hello(hello) => listener.hello(id, *hello),
            Upward::Applied(revision) => {
                listener.acknowledged(id, revision);
                true
            }
        };
        if !is_heard {
            self.hang_up(id);
        }
        self.wake_controller(controller)
    }

    pub(super) fn down(&mut self, id: ConnectionId) -> Checked {
        let Some(is_open) = self.connections.get(&id).map(|connection| connection.is_open) else {
            return Ok(());
        };
        if is_open && !self.goes_through(id, Event::Down(id)) {
            return Ok(());
        }
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        let Some(push) = connection.down.pop_front() else { return Ok(()) };
        let (broker, process) = (connection.broker, connection.broker_process);
        let Ok(whole) = connection.assembly.accept(push) else { return Ok(()) };
        let Some(delta) = whole else { return Ok(()) };
        let (bug, now) = (self.bug, self.clock.instant());
        let Some(running) = self.machines[broker].running.as_mut().filter(|running| running.id == process)
        else {
            return Ok(());
        };
        let before = (running.image.controller_epoch, running.image.revision);
        let (epoch, revision) = (delta.controller_epoch, delta.to_revision);
        let intake = running.take(delta, bug, now);
        let after = (running.image.controller_epoch, running.image.revision);
        if after < before || after.1 < before.1 {
            return violated(3, format!("broker {broker} went from image {before:?} back to {after:?}"));
        }
        self.machines[broker].save_seen();
        self.note(|| format!("broker {broker} is pushed {revision} of epoch {epoch}: {intake:?}"));
        match intake {
            Intake::Taken { revision } => self.say(id, Upward::Applied(revision)),
            Intake::Refused(_) => self.plan(Duration::ZERO, Event::Ended(id, Side::Broker)),
        }
        self.touch(broker)
    }

    pub(super) fn ended(&mut self, id: ConnectionId, side: Side) -> Checked {
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        let (broker, controller) = (connection.broker, connection.controller);
        match side {
            Side::Broker => {
                connection.is_open = false;
                let again = self.clock.now() + Duration::from_millis(50);
                if let Some(running) = &mut self.machines[broker].running
                    && running.connection() == Some(id)
                {
                    running.stream = None;
                    running.hello_after = again;
                }
                self.plan(STALL, Event::Ended(id, Side::Controller));
                Ok(())
            }
            Side::Controller => {
                connection.is_open = false;
                if let Some(controller) = &mut self.controllers[controller] {
                    controller.closed(id);
                }
                self.wake_controller(controller)
            }
        }
    }

    /// The streams of a process that is no more: the other side finds out at once, or when it misses signs of life.
    pub(super) fn end_streams(&mut self, host: Host, delay_max: Duration) {
        let ends: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.is_open)
            .filter(|(_, connection)| match host {
                Host::Broker(id) => connection.broker == id,
                Host::Controller(id) => connection.controller == id,
                Host::Store => false,
            })
            .map(|(id, _)| *id)
            .collect();
        ends.into_iter().for_each(|id| self.break_stream(id, delay_max));
    }
}
