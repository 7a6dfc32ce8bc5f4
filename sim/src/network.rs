//! Who reaches whom, who stands still, and how long a message takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;

use crate::event::Event;
use crate::host::Host;
use crate::temper::Temper;

/// The state of all links and hosts.
#[derive(Default)]
pub struct Network {
    cut: BTreeSet<(Host, Host)>,
    /// Paused hosts, and what came for them meanwhile.
    paused: BTreeMap<Host, Vec<Event>>,
}

impl Network {
    pub fn is_cut(&self, one: Host, other: Host) -> bool {
        self.cut.contains(&(one.min(other), one.max(other)))
    }

    pub fn cut(&mut self, one: Host, other: Host) {
        if one != other {
            self.cut.insert((one.min(other), one.max(other)));
        }
    }

    pub fn mend(&mut self) {
        self.cut.clear();
    }

    pub fn is_paused(&self, host: Host) -> bool {
        self.paused.contains_key(&host)
    }

    pub fn pause(&mut self, host: Host) {
        self.paused.entry(host).or_default();
    }

    /// Keeps what comes for a paused host; gives it back where the host runs.
    pub fn hold(&mut self, host: Host, event: Event) -> Option<Event> {
        match self.paused.get_mut(&host) {
            Some(held) => {
                held.push(event);
                None
            }
            None => Some(event),
        }
    }

    /// The host goes on: what came for it meanwhile.
    pub fn resume(&mut self, host: Host) -> Vec<Event> {
        self.paused.remove(&host).unwrap_or_default()
    }
}

/// How long one message takes: mostly about the usual time, sometimes much longer.
pub fn latency(rng: &mut Rng, temper: &Temper) -> Duration {
    let usual = temper.latency.mul_f64(0.2 + rng.f64() * 1.6);
    if rng.u32(..1000) < temper.delayed { usual + temper.delay.mul_f64(rng.f64()) } else { usual }
}
