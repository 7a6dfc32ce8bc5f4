//! Controllers: they look at their clocks, are asked, and say what others are to hear.

use std::time::Duration;

use controller::ControllerConfig;
use controller::failure_detector::Dialled;
use proto::controller::AlterIsrRequest;
use protocol::types::BrokerId;

use super::World;
use crate::broker::SESSION_TIMEOUT;
use crate::checks::Checked;
use crate::controller::{Controller, Said, incarnation};
use crate::event::{Content, Event, ProcessId};
use crate::host::Host;

/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(40);
/// How long a dial without an answer takes.
const DIAL_TIME_MAX: Duration = Duration::from_millis(500);
/// Dials of a thousand that are refused though the broker lives: a firewall, or a listener that closes.
const WRONGLY_REFUSED: u32 = 20;

impl World {
    pub(super) fn start_controller(&mut self, id: usize) {
        self.controller_processes += 1;
        let process = self.controller_processes;
        let config =
            ControllerConfig { broker_session_timeout: SESSION_TIMEOUT, ..ControllerConfig::default() };
        let store = self.store_client(Host::Controller(id));
        self.controllers[id] = Some(Controller::new(id, process, store, config));
        self.plan(Duration::ZERO, Event::Tick(Host::Controller(id), process));
    }

    pub(super) fn controller_ticks(&mut self, id: usize, process: ProcessId) -> Checked {
        if self.controller(id, process).is_none() {
            return Ok(());
        }
        self.plan(TICK, Event::Tick(Host::Controller(id), process));
        self.look_at_rival(id);
        self.wake_controller(id)
    }

    pub(super) fn controller(&mut self, id: usize, process: ProcessId) -> Option<&mut Controller> {
        self.controllers[id].as_mut().filter(|controller| controller.process == process)
    }

    /// A standby finds out that the active one's process is dead.
    fn look_at_rival(&mut self, id: usize) {
        let Some(rival) = self.controllers[id].as_ref().and_then(Controller::rival) else { return };
        let lives = |at: usize| {
            self.controllers[at].as_ref().is_some_and(|other| incarnation(at, other.process) == rival)
        };
        let others = (0..self.controllers.len()).filter(|at| *at != id);
        let reaches =
            others.clone().all(|at| !self.network.is_cut(Host::Controller(id), Host::Controller(at)));
        if reaches && !others.into_iter().any(lives) && !rival.is_zero() {
            self.note(|| format!("controller {id} finds the active one dead"));
            if let Some(controller) = &mut self.controllers[id] {
                controller.evict_rival();
            }
        }
    }

    /// Lets a controller go on, and passes on what it says.
    pub(super) fn wake_controller(&mut self, id: usize) -> Checked {
        let Some(before) = self.controllers[id].as_ref().map(Controller::epoch) else { return Ok(()) };
        let said = self.at_its_time(|world, now| {
            world.controllers[id].as_mut().map(|controller| controller.go_on(now)).unwrap_or_default()
        });
        let epoch = self.controllers[id].as_ref().and_then(Controller::epoch);
        if epoch != before {
            self.note(|| format!("controller {id} takes itself for active in epoch {epoch:?}"));
        }
        for said in said {
            match said {
                Said::Push(connection, push) => self.push(connection, push),
                Said::HangsUp(connection) => self.hang_up(connection),
                Said::Refuses(connection, refusal) => self.refuse(connection, &refusal),
                Said::Answers { to, content } => {
                    self.note(|| format!("controller {id} answers broker {to}: {content:?}"));
                    self.send(Host::Controller(id), Host::Broker(to), content);
                }
                Said::Dials { broker, epoch } => self.dial(id, broker, epoch),
            }
        }
        self.post();
        Ok(())
    }

    fn dial(&mut self, controller: usize, broker: BrokerId, epoch: i64) {
        let Some(process) = self.controllers[controller].as_ref().map(|controller| controller.process) else {
            return;
        };
        let machine = &self.machines[broker.0 as usize];
        let is_dead = machine.running.is_none();
        let (outcome, delay) =
            match self.network.is_cut(Host::Controller(controller), Host::Broker(broker.0 as usize)) {
                true => (Dialled::Unanswered, DIAL_TIME_MAX),
                false if is_dead || self.befalls(WRONGLY_REFUSED) => (Dialled::Refused, self.latency()),
                false => (Dialled::Accepted, self.latency()),
            };
        self.note(|| format!("controller {controller} dials broker {broker} of epoch {epoch}: {outcome:?}"));
        self.plan(delay, Event::Dialled { controller, process, broker, epoch, outcome });
    }

    pub(super) fn dialled(
        &mut self,
        controller: usize,
        process: ProcessId,
        broker: BrokerId,
        epoch: i64,
        outcome: Dialled,
    ) -> Checked {
        if let Some(controller) = self.controller(controller, process) {
            controller.dialled(broker, epoch, outcome);
        }
        self.wake_controller(controller)
    }

    pub(super) fn alter_isr(
        &mut self,
        controller: usize,
        broker: usize,
        process: ProcessId,
        call: u64,
        request: AlterIsrRequest,
    ) -> Checked {
        let asked = self.controllers[controller].as_mut();
        let answer = asked.and_then(|asked| asked.alter_isr(broker, process, call, request));
        if let Some(answer) = answer {
            self.send(Host::Controller(controller), Host::Broker(broker), answer);
        }
        self.wake_controller(controller)
    }

    pub(super) fn shut_down(
        &mut self,
        controller: usize,
        broker: usize,
        process: ProcessId,
        broker_epoch: i64,
    ) -> Checked {
        if let Some(controller) = &mut self.controllers[controller] {
            controller.shut_down(broker, process, broker_epoch);
        }
        self.wake_controller(controller)
    }

    /// The controller of a broker's stream, if it can be asked.
    pub(super) fn controller_of(&self, broker: usize) -> Option<usize> {
        let connection = self.machines[broker].running.as_ref()?.connection()?;
        Some(self.connections.get(&connection)?.controller)
    }

    pub(super) fn ask_controller(&mut self, broker: usize, content: Content) -> bool {
        let Some(controller) = self.controller_of(broker) else { return false };
        self.send(Host::Broker(broker), Host::Controller(controller), content);
        true
    }
}
