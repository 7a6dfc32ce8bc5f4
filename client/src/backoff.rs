//! How long to wait before the next attempt, and when to give up.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Bounds on repeated attempts: both the number and the time end them.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The wait after the first failure; it doubles with each further one.
    pub backoff: Duration,
    pub backoff_max: Duration,
    pub attempts_max: u32,
    /// From the first attempt on.
    pub time_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
            backoff: Duration::from_millis(50),
            backoff_max: Duration::from_secs(1),
            attempts_max: 60,
            time_max: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// The policy of one operation that begins now.
    pub fn start(self) -> Backoff {
        Backoff { policy: self, attempts: 1, give_up_at: Instant::now() + self.time_max }
    }

    /// The wait before attempt `attempt` + 1, from one half to the whole of the doubled backoff, so that clients do
    /// not come back all at once.
    pub fn wait(&self, attempt: u32) -> Duration {
        let doubled = self.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.backoff_max).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// The attempts of one operation.
#[derive(Debug)]
pub struct Backoff {
    policy: RetryPolicy,
    attempts: u32,
    give_up_at: Instant,
}

impl Backoff {
    /// Waits before the next attempt; `false`, at once, where there is none.
    pub async fn wait(&mut self) -> bool {
        let wait = self.policy.wait(self.attempts);
        if self.attempts >= self.policy.attempts_max || Instant::now() + wait > self.give_up_at {
            return false;
        }
        self.attempts += 1;
        sleep(wait).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_bound() {
        let policy = RetryPolicy::default();
        assert!((25..=50).contains(&policy.wait(1).as_millis()));
        assert!((100..=200).contains(&policy.wait(3).as_millis()));
        assert!((500..=1000).contains(&policy.wait(40).as_millis()));
    }

    #[tokio::test]
    async fn attempts_are_counted_out() {
        let quick = RetryPolicy { backoff: Duration::ZERO, attempts_max: 3, ..RetryPolicy::default() };
        let mut backoff = quick.start();
        assert!(backoff.wait().await && backoff.wait().await);
        assert!(!backoff.wait().await);
    }
}
