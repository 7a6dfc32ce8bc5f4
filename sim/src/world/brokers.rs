//! Brokers: they look at their clocks, follow, lead, and come and go.

use std::time::Duration;

use broker::replica::follower::{Answer, Ask};
use proto::controller::AlterIsrResponse;
use protocol::types::BrokerId;

use super::World;
use crate::broker::{Process, Reaction, fetch};
use crate::bug::Bug;
use crate::checks::Checked;
use crate::event::{Content, Event, ProcessId};
use crate::host::Host;
use crate::temper::about;

/// Between two looks at the clock, and at who is in sync.
const TICK: Duration = Duration::from_millis(40);
const LOOK_EVERY: Duration = Duration::from_millis(120);

impl World {
    pub(super) fn start_broker(&mut self, id: usize) -> Checked {
        let store = self.store_client(Host::Broker(id));
        self.machines[id].start(store);
        let process = self.machines[id].processes;
        self.note(|| format!("broker {id} starts process {process}"));
        self.plan(Duration::ZERO, Event::Tick(Host::Broker(id), process));
        self.plan(LOOK_EVERY, Event::Look { broker: id, process });
        let tend_every = self.temper.tend_every;
        self.plan(tend_every, Event::Tend { broker: id, process });
        for partition in 0..self.temper.partitions {
            self.plan(Duration::from_millis(50), Event::Poll { broker: id, process, partition });
        }
        self.touch(id)
    }

    fn process(&self, id: usize, process: ProcessId) -> Option<&Process> {
        self.machines[id].running.as_ref().filter(|running| running.id == process)
    }

    pub(super) fn broker_ticks(&mut self, id: usize, process: ProcessId) -> Checked {
        if self.process(id, process).is_none() {
            return Ok(());
        }
        self.plan(TICK, Event::Tick(Host::Broker(id), process));
        self.wake_broker(id)
    }

    /// Lets a broker go on with what waits for the store, and connect.
    pub(super) fn wake_broker(&mut self, id: usize) -> Checked {
        self.at_its_time(|world, _| {
            if let Some(running) = &mut world.machines[id].running {
                running.go_on();
            }
        });
        let now = self.clock.now();
        let wanted = self.machines[id].running.as_ref().filter(|running| running.hello_after <= now);
        if let Some((epoch, active)) = wanted.and_then(Process::wants_stream) {
            self.connect(id, epoch, active);
        }
        self.post();
        Ok(())
    }

    /// A follower asks its leader.
    pub(super) fn poll(&mut self, id: usize, process: ProcessId, partition: i32) -> Checked {
        if self.process(id, process).is_none() {
            return Ok(());
        }
        let poll_every = self.temper.poll_every;
        let again = about(&mut self.rng, poll_every);
        self.plan(again, Event::Poll { broker: id, process, partition });
        self.ask(id, partition)
    }

    fn ask(&mut self, id: usize, partition: i32) -> Checked {
        let Some(running) = &self.machines[id].running else { return Ok(()) };
        let (process, broker_epoch) = (running.id, running.broker_epoch());
        if let Some((leader, ask)) = running.asks(partition) {
            let content = Content::Fetch { partition, process, broker_epoch, ask };
            self.send(Host::Broker(id), Host::Broker(leader.0 as usize), content);
        }
        self.touch(id)
    }

    pub(super) fn fetch(
        &mut self,
        leader: usize,
        follower: usize,
        partition: i32,
        process: ProcessId,
        broker_epoch: Option<i64>,
        ask: Ask,
    ) -> Checked {
        let (now, bug) = (self.clock.instant(), self.bug);
        let Some(running) = &self.machines[leader].running else { return Ok(()) };
        let Some(replica) = running.partition(partition) else { return Ok(()) };
        let answer = fetch(&replica, BrokerId(follower as i32), broker_epoch, &ask, now, bug);
        drop(replica);
        let content = Content::Fetched { partition, process, ask, answer };
        self.send(Host::Broker(leader), Host::Broker(follower), content);
        self.touch(leader)
    }

    pub(super) fn fetched(
        &mut self,
        id: usize,
        leader: usize,
        partition: i32,
        process: ProcessId,
        ask: Ask,
        answer: Answer,
    ) -> Checked {
        let now_ms = self.wall_ms(id);
        let Some(running) = self.process(id, process) else { return Ok(()) };
        let reaction = running.fetched(partition, &ask, &answer, now_ms);
        let reaction = match reaction {
            Reaction::AsksForBounds => self.ask_for_bounds(id, leader, partition, &ask),
            reaction => reaction,
        };
        if !matches!(reaction, Reaction::Nothing | Reaction::Advanced { got_records: false }) {
            let (end, records) = (ask.position.log_end, answer.records.len());
            self.note(|| {
                format!("broker {id} has t-{partition} from {leader} at {end}: {records} bytes, {reaction:?}")
            });
        }
        self.touch(id)?;
        match reaction {
            Reaction::Cut => {
                self.machines[id].cut();
                Ok(())
            }
            Reaction::Advanced { got_records: true } => self.ask(id, partition),
            _ => Ok(()),
        }
    }

    fn ask_for_bounds(&mut self, id: usize, leader: usize, partition: i32, ask: &Ask) -> Reaction {
        let now_ms = self.wall_ms(id);
        let (follower, leader) = (&self.machines[id].running, &self.machines[leader].running);
        let (Some(follower), Some(leader)) = (follower, leader) else { return Reaction::Nothing };
        match leader.bounds(partition, BrokerId(id as i32), ask) {
            Some(bounds) => follower.told_bounds(partition, ask, bounds, now_ms),
            None => Reaction::Nothing,
        }
    }

    /// A leader looks for who left and who returns, and has the controller agree.
    pub(super) fn look(&mut self, id: usize, process: ProcessId) -> Checked {
        if self.process(id, process).is_none() {
            return Ok(());
        }
        let again = about(&mut self.rng, LOOK_EVERY);
        self.plan(again, Event::Look { broker: id, process });
        let (now, at, bug) = (self.clock.now(), self.clock.instant(), self.bug);
        let (partitions, lag_time_max) = (self.temper.partitions, self.temper.lag_time_max);
        let can_ask = self.controller_of(id).is_some();
        let Some(running) = &mut self.machines[id].running else { return Ok(()) };
        let proposed = running.look(partitions, lag_time_max, now, at, bug);
        let call = if can_ask { running.ask(now, bug) } else { None };
        proposed.into_iter().for_each(|line| self.note(|| format!("broker {id} {line}")));
        if let Some((call, request)) = call {
            self.ask_controller(id, Content::AlterIsr { process, call, request });
            self.asked(id);
        }
        self.touch(id)
    }

    pub(super) fn altered_isr(
        &mut self,
        id: usize,
        process: ProcessId,
        call: u64,
        response: Option<AlterIsrResponse>,
    ) -> Checked {
        let (now, bug) = (self.clock.now(), self.bug);
        if let Some(running) = self.machines[id].running.as_mut().filter(|running| running.id == process) {
            running.answered(call, response, now, bug);
        }
        self.touch(id)
    }

    pub(super) fn tend(&mut self, id: usize, process: ProcessId) -> Checked {
        if self.process(id, process).is_none() {
            return Ok(());
        }
        let tend_every = self.temper.tend_every;
        let again = about(&mut self.rng, tend_every);
        self.plan(again, Event::Tend { broker: id, process });
        let flushes = self.rng.bool();
        self.machines[id].tend(flushes);
        self.touch(id)
    }

    /// The last steps of a clean stop.
    pub(super) fn leave(&mut self, id: usize, process: ProcessId) -> Checked {
        if !self.process(id, process).is_some_and(|running| running.leaves) {
            return Ok(());
        }
        self.note(|| format!("broker {id} closes its logs"));
        self.machines[id].close();
        if let Some(running) = &mut self.machines[id].running {
            running.leave();
        }
        // Its last message to the store need not arrive.
        self.wake_broker(id)?;
        self.settle(id)?;
        self.stop(Host::Broker(id));
        let away = about(&mut self.rng, Duration::from_millis(500));
        self.plan(away, Event::Restart(Host::Broker(id)));
        Ok(())
    }

    pub(super) fn wall_ms(&self, id: usize) -> i64 {
        self.clock.wall_ms() + self.machines[id].wall_offset_ms
    }

    /// Looks at all replicas of a broker to which something happened, and at what clients wait for.
    pub(super) fn touch(&mut self, id: usize) -> Checked {
        let Some(running) = &self.machines[id].running else { return Ok(()) };
        let (broker, process) = (running.broker, running.id);
        let lost_pages = self.truth.lost_pages.contains_key(&broker);
        let mut was_cut = false;
        for index in 0..self.temper.partitions {
            if let Some(partition) = running.partition(index) {
                let truth = &mut self.truth.partitions[index as usize];
                let name = format!("t-{index}");
                was_cut |= truth.look(&name, broker, process, lost_pages, &partition)?;
            }
        }
        if was_cut {
            self.machines[id].cut();
            if self.bug != Some(Bug::StaleProducerState) {
                self.remembered.clear();
            }
        }
        self.settle(id)
    }
}
