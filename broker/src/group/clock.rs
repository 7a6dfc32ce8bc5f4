//! What time it is for the machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::machine::Now;

/// Both clocks: one that never goes back, and the wall's.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    pub fn start() -> Clock {
        Clock { started: Instant::now() }
    }

    pub fn now(&self) -> Now {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        Now { at: self.started.elapsed(), wall_ms }
    }

    /// The moment that a deadline of the machine means.
    pub fn instant(&self, at: Duration) -> Instant {
        self.started + at
    }
}
