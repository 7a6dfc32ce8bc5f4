//! A stretch of time over which CPU is counted: the broker's, and that of everybody else on the machine.

use std::time::Instant;

use anyhow::Result;

use crate::proc::{machine, process};

/// Open: what the counters said when it began.
#[derive(Debug)]
pub struct Window {
    pid: u32,
    began: Instant,
    broker: f64,
    busy: f64,
}

/// Closed: how far the counters came.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub seconds: f64,
    /// CPU-seconds of the broker.
    pub broker: f64,
    /// CPU-seconds of the whole machine, the broker's included.
    busy: f64,
}

impl Window {
    pub fn open(pid: u32) -> Result<Window> {
        let (broker, busy) = (process::cpu_seconds(pid)?, machine::busy_seconds()?);
        Ok(Window { pid, began: Instant::now(), broker, busy })
    }

    pub fn close(self) -> Result<Spent> {
        Ok(Spent {
            seconds: self.began.elapsed().as_secs_f64(),
            broker: process::cpu_seconds(self.pid)? - self.broker,
            busy: machine::busy_seconds()? - self.busy,
        })
    }
}

impl Spent {
    /// What neither the broker nor the load (`load` CPU-seconds) used, in percent of one processor: the noise. The
    /// kernel's own threads, which write pages back, are in it.
    pub fn others_percent(&self, load: f64) -> f64 {
        (self.busy - self.broker - load).max(0.0) / self.seconds * 100.0
    }
}
