//! The nemesis: what it does to hosts, links, disks and clocks, and how each of them comes back.

use std::time::Duration;

use super::{BROKERS, CONTROLLERS, REST_WITHIN, Weather, World};
use crate::checks::Checked;
use crate::event::{Content, Event};
use crate::host::Host;
use crate::temper::{Strike, about};

/// How long things are away, on average.
const AWAY: Duration = Duration::from_millis(1500);
/// A broker that stops in order waits so long for the controller.
const SHUTDOWN_WAIT_MAX: Duration = Duration::from_secs(1);
/// What was on its way to the store when the storm ended has arrived.
const LAST_CALL_ARRIVES_WITHIN: Duration = Duration::from_secs(6);
/// By what a wall clock jumps at most.
const JUMP_MS_MAX: i64 = 30 * 60 * 1000;

impl World {
    pub(super) fn strike(&mut self) -> Checked {
        if self.weather != Weather::Storm {
            return Ok(());
        }
        let strike_every = self.temper.strike_every;
        let again = about(&mut self.rng, strike_every);
        self.plan(again, Event::Strike);
        let Some(strike) = self.temper.strike(&mut self.rng) else { return Ok(()) };
        let (broker, controller) = (self.rng.usize(..BROKERS), self.rng.usize(..CONTROLLERS));
        self.note(|| format!("--- {strike:?}, broker {broker} or controller {controller}"));
        let away = about(&mut self.rng, AWAY);
        match strike {
            Strike::KillBroker => self.kill(Host::Broker(broker), away),
            Strike::PowerLoss => self.cut_power(broker, away),
            Strike::CleanRestart => self.stop_cleanly(broker),
            Strike::ReplaceDisk => self.replace_disk(broker, away),
            Strike::PauseBroker => self.pause(Host::Broker(broker), away),
            Strike::PauseController => self.pause(Host::Controller(controller), away),
            Strike::KillController => self.kill(Host::Controller(controller), away),
            Strike::CutBroker => self.isolate(Host::Broker(broker), |_| true, away),
            Strike::CutFromBrokers => {
                self.isolate(Host::Broker(broker), |other| matches!(other, Host::Broker(_)), away)
            }
            Strike::CutFromController => {
                self.isolate(Host::Broker(broker), |other| matches!(other, Host::Controller(_)), away)
            }
            Strike::CutFromStore => self.isolate(Host::Broker(broker), |other| other == Host::Store, away),
            Strike::CutController => {
                let all = self.rng.bool();
                self.isolate(Host::Controller(controller), |other| all || other == Host::Store, away)
            }
            Strike::StoreAway => self.store_away(away),
            Strike::LosesWatches => return self.lose_watches(),
            Strike::ExpireLease => {
                if let Some(batch) = self.store.expire_any(&mut self.rng) {
                    self.committed(Host::Store, &batch)?;
                    self.post();
                }
            }
            Strike::BreakStreams => {
                self.end_streams(Host::Broker(broker), Duration::from_millis(300));
            }
            Strike::ClockJump => {
                self.machines[broker].wall_offset_ms = self.rng.i64(-JUMP_MS_MAX..=JUMP_MS_MAX);
            }
        }
        Ok(())
    }

    /// SIGKILL.
    fn kill(&mut self, host: Host, away: Duration) {
        if self.is_running(host) {
            self.stop(host);
            self.plan(away, Event::Restart(host));
        }
    }

    fn is_running(&self, host: Host) -> bool {
        match host {
            Host::Broker(id) => self.machines[id].running.is_some(),
            Host::Controller(id) => self.controllers[id].is_some(),
            Host::Store => self.store.is_up,
        }
    }

    /// A process is no more.
    pub(super) fn stop(&mut self, host: Host) {
        self.network.resume(host);
        match host {
            Host::Broker(id) => {
                drop(self.machines[id].kill());
                self.pending.retain(|pending| !pending.is_at(id));
            }
            Host::Controller(id) => self.controllers[id] = None,
            Host::Store => {}
        }
        self.end_streams(host, Duration::from_millis(20));
    }

    /// A machine is switched off.
    fn cut_power(&mut self, id: usize, away: Duration) {
        let was_running = self.machines[id].running.is_some();
        self.network.resume(Host::Broker(id));
        self.pending.retain(|pending| !pending.is_at(id));
        let lost = self.machines[id].lose_power(&mut self.rng);
        // After a clean stop all of it is on the disk.
        self.truth.lose_pages(self.machines[id].id, !lost.is_empty());
        lost.into_iter().for_each(|line| self.note(|| format!("broker {id} lost {line}")));
        self.end_streams(Host::Broker(id), Duration::from_secs(1));
        if was_running {
            self.plan(away, Event::Restart(Host::Broker(id)));
        }
    }

    fn replace_disk(&mut self, id: usize, away: Duration) {
        let was_running = self.machines[id].running.is_some();
        self.stop(Host::Broker(id));
        self.machines[id].replace_disk();
        self.truth.lose_pages(self.machines[id].id, true);
        if was_running {
            self.plan(away, Event::Restart(Host::Broker(id)));
        }
    }

    /// SIGTERM: it asks to be relieved first.
    fn stop_cleanly(&mut self, id: usize) {
        let Some(running) = self.machines[id].running.as_mut().filter(|running| !running.leaves) else {
            return;
        };
        running.leaves = true;
        let (process, epoch) = (running.id, running.broker_epoch());
        self.plan(SHUTDOWN_WAIT_MAX, Event::Leave { broker: id, process });
        if let Some(broker_epoch) = epoch {
            self.ask_controller(id, Content::ShutDown { process, broker_epoch });
        }
    }

    /// SIGSTOP.
    fn pause(&mut self, host: Host, away: Duration) {
        if self.is_running(host) && !self.network.is_paused(host) {
            self.network.pause(host);
            self.plan(away * 2, Event::Resume(host));
        }
    }

    pub(super) fn resume(&mut self, host: Host) -> Checked {
        let held = self.network.resume(host);
        for event in held {
            self.plan(Duration::ZERO, event);
        }
        self.wake(host)
    }

    fn isolate(&mut self, host: Host, from: impl Fn(Host) -> bool, away: Duration) {
        let brokers = (0..BROKERS).map(Host::Broker);
        let others = brokers.chain((0..CONTROLLERS).map(Host::Controller)).chain([Host::Store]);
        for other in others.filter(|other| from(*other)) {
            self.network.cut(host, other);
        }
        self.plan(away * 2, Event::LinksMended);
    }

    /// A leader that has just asked may not hear what became of it.
    pub(super) fn asked(&mut self, broker: usize) {
        let asks_cut = self.temper.asks_cut;
        if self.befalls(asks_cut) {
            let soon = self.temper.latency * 2;
            self.plan(soon, Event::CutOff { broker });
        }
    }

    pub(super) fn cut_off(&mut self, broker: usize) -> Checked {
        if self.weather == Weather::Storm {
            self.note(|| format!("--- CutOff, broker {broker}"));
            let away = about(&mut self.rng, AWAY);
            self.isolate(Host::Broker(broker), |other| matches!(other, Host::Controller(_)), away);
        }
        Ok(())
    }

    pub(super) fn mend_links(&mut self) -> Checked {
        self.network.mend();
        Ok(())
    }

    fn store_away(&mut self, away: Duration) {
        self.store.is_up = false;
        self.plan(away, Event::StoreReturns);
    }

    /// The store is back: as with etcd, every lease has its whole time again, and every watch is lost.
    pub(super) fn store_returns(&mut self) -> Checked {
        self.store.is_up = true;
        let now = self.clock.now();
        self.store.renew_leases(now);
        self.lose_watches()
    }

    pub(super) fn lose_watches(&mut self) -> Checked {
        for owner in self.store.watches.lose_all() {
            self.wake(owner)?;
        }
        Ok(())
    }

    pub(super) fn restart(&mut self, host: Host) -> Checked {
        match host {
            Host::Broker(id) if self.machines[id].running.is_none() => self.start_broker(id),
            Host::Controller(id) if self.controllers[id].is_none() => {
                self.note(|| format!("controller {id} starts"));
                self.start_controller(id);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Everything can fail from now on, and producers begin.
    pub(super) fn break_storm(&mut self) {
        self.note(|| "--- the storm begins".to_owned());
        self.weather = Weather::Storm;
        self.changes_at = self.clock.now() + self.temper.storm;
        let strike_every = self.temper.strike_every;
        self.plan(strike_every, Event::Strike);
        for producer in 0..self.producers.len() {
            self.plan(Duration::ZERO, Event::Produce(producer));
        }
    }

    /// The storm is over: everything works from now on.
    pub(super) fn mend(&mut self) {
        self.note(|| "--- the storm is over".to_owned());
        self.weather = Weather::Mending;
        self.changes_at = self.clock.now() + REST_WITHIN;
        self.network.mend();
        for id in 0..BROKERS {
            self.plan(Duration::ZERO, Event::Resume(Host::Broker(id)));
            self.machines[id].wall_offset_ms = 0;
        }
        for id in 0..CONTROLLERS {
            self.plan(Duration::ZERO, Event::Resume(Host::Controller(id)));
        }
        if !self.store.is_up {
            self.plan(Duration::ZERO, Event::StoreReturns);
        }
        // A transaction that was carried out long after its controller had given it up, and had read the state anew, is known
        // to nobody before that key is written or read again.
        self.plan(LAST_CALL_ARRIVES_WITHIN, Event::WatchesLost);
        self.producers.iter_mut().filter(|producer| !producer.is_idempotent).for_each(|producer| {
            producer.reconnect(Duration::ZERO);
        });
    }
}
