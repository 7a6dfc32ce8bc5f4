//! Time as everybody in the simulation sees it: it stands still but when it is set.
//!
//! Both tokio's clock and the standard library's instants that brokers are given come from here. Futures are polled by hand;
//! the runtime lends them its clock and runs nothing.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};

/// The wall clock when a simulation begins, in milliseconds since 1970.
const WALL_BEGINS_MS: i64 = 1_700_000_000_000;

/// The clock of one simulation.
pub struct Clock {
    runtime: Runtime,
    begun: Instant,
    now: Duration,
}

impl Clock {
    /// A clock that stands at 0.
    pub fn new() -> Clock {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without IO needs nothing that could be missing");
        let begun = { runtime.block_on(async { tokio::time::Instant::now().into_std() }) };
        Clock { runtime, begun, now: Duration::ZERO }
    }

    /// Since the beginning.
    pub fn now(&self) -> Duration {
        self.now
    }

    pub fn instant(&self) -> Instant {
        self.begun + self.now
    }

    pub fn wall_ms(&self) -> i64 {
        WALL_BEGINS_MS + i64::try_from(self.now.as_millis()).unwrap_or_default()
    }

    /// Sets the clock forward.
    pub fn set(&mut self, now: Duration) {
        if let Some(step) = now.checked_sub(self.now).filter(|step| !step.is_zero()) {
            self.runtime.block_on(tokio::time::advance(step));
            self.now = now;
        }
    }

    /// Whatever is polled while this is entered sees this clock.
    pub fn handle(&self) -> Handle {
        self.runtime.handle().clone()
    }
}
