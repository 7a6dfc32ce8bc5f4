//! How long to wait before trying again: longer each time, never in step with other brokers.

use std::time::Duration;

/// Doubling waits between two bounds.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    /// The first wait.
    pub(super) const MIN: Duration = Duration::from_millis(10);
    /// The longest; a broker must be back well within a session timeout.
    pub(super) const MAX: Duration = Duration::from_millis(500);

    /// Starts with the shortest wait.
    pub(super) fn new() -> Backoff {
        Backoff { next: Backoff::MIN }
    }

    /// The next wait: half of it is sure, half by chance.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(Backoff::MAX);
        wait.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Sleeps for the next wait.
    pub(super) async fn sleep(&mut self) {
        tokio::time::sleep(self.next()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_no_further() {
        let mut backoff = Backoff::new();
        let waits: Vec<Duration> = (0..20).map(|_| backoff.next()).collect();
        assert!(waits[0] <= Backoff::MIN && waits[0] >= Backoff::MIN / 2);
        assert!(waits[19] <= Backoff::MAX && waits[19] >= Backoff::MAX / 2);
    }
}
