//! What happened, a line an event. Written only when somebody will read it: a seed that failed is run again for it.

use std::time::Duration;

/// The lines of one simulation.
#[derive(Default)]
pub struct History {
    is_recorded: bool,
    lines: Vec<String>,
    step: u64,
    now: Duration,
}

impl History {
    pub fn new(is_recorded: bool) -> History {
        History { is_recorded, ..History::default() }
    }

    /// The next event begins.
    pub fn step(&mut self, now: Duration) {
        self.step += 1;
        self.now = now;
    }

    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Notes something of the present event.
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        if self.is_recorded {
            let (step, ms) = (self.step, self.now.as_secs_f64() * 1000.0);
            self.lines.push(format!("{step:>6} {ms:>10.2} ms  {}", what()));
        }
    }

    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
