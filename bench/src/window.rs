//! A stretch of time over which CPU is counted: the brokers', and that of everybody else on the machine.

use std::time::Instant;

use anyhow::Result;

use crate::proc::{machine, process};

/// Open: what the counters said when it began.
#[derive(Debug)]
pub struct Window {
    pids: Vec<u32>,
    began: Instant,
    watched: f64,
    busy: f64,
}

/// Closed: how far the counters came.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub seconds: f64,
    /// CPU-seconds of the processes that were watched, together.
    pub watched: f64,
    /// CPU-seconds of the whole machine, theirs included.
    busy: f64,
}

impl Window {
    pub fn open(pids: &[u32]) -> Result<Window> {
        let (watched, busy) = (cpu_seconds(pids)?, machine::busy_seconds()?);
        Ok(Window { pids: pids.to_owned(), began: Instant::now(), watched, busy })
    }

    pub fn close(self) -> Result<Spent> {
        Ok(Spent {
            seconds: self.began.elapsed().as_secs_f64(),
            watched: cpu_seconds(&self.pids)? - self.watched,
            busy: machine::busy_seconds()? - self.busy,
        })
    }
}

fn cpu_seconds(pids: &[u32]) -> Result<f64> {
    pids.iter().map(|&pid| process::cpu_seconds(pid)).sum()
}

impl Spent {
    /// What neither the watched processes nor the load (`load` CPU-seconds) used, in percent of one processor: the
    /// noise. The kernel's own threads, which write pages back, are in it.
    pub fn others_percent(&self, load: f64) -> f64 {
        (self.busy - self.watched - load).max(0.0) / self.seconds * 100.0
    }

    /// What the watched processes used, in percent of one processor.
    pub fn watched_percent(&self) -> f64 {
        self.watched / self.seconds * 100.0
    }
}
