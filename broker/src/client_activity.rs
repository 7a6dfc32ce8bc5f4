//! Whether clients are being served: what can wait then takes its time, so that they need not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So long after the last records came or went, clients count as served still.
const LATELY: Duration = Duration::from_millis(100);

/// When a client's records came or went last.
#[derive(Debug)]
pub struct ClientActivity {
    began: Instant,
    /// Milliseconds since then, and one; 0: never.
    last: AtomicU64,
}

impl Default for ClientActivity {
    fn default() -> ClientActivity {
        ClientActivity { began: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl ClientActivity {
    /// Records came from a client, or went to one, at this moment.
    pub fn note(&self, at: Instant) {
        self.last.store(self.millis(at) + 1, Ordering::Relaxed);
    }

    /// Whether that was lately.
    pub fn is_on(&self) -> bool {
        self.is_on_at(Instant::now())
    }

    fn is_on_at(&self, now: Instant) -> bool {
        match self.last.load(Ordering::Relaxed) {
            0 => false,
            last => self.millis(now).saturating_sub(last - 1) < LATELY.as_millis() as u64,
        }
    }

    fn millis(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.began).as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_count_as_served_for_a_moment() {
        let (activity, began) = (ClientActivity::default(), Instant::now());
        assert!(!activity.is_on_at(began));
        activity.note(began);
        assert!(activity.is_on_at(began) && activity.is_on_at(began + LATELY / 2));
        assert!(!activity.is_on_at(began + LATELY * 2));
        activity.note(began + LATELY * 3);
        assert!(activity.is_on_at(began + LATELY * 3));
    }
}
