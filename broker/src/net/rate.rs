//! So many in a second: those that come sooner wait. A second's worth may come at once.

use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// From here on there is no rate: Kafka's largest number.
const UNLIMITED: usize = i32::MAX as usize;

/// When the next of a kind may come.
#[derive(Debug)]
pub(super) struct Rate {
    next: Instant,
}

impl Rate {
    pub(super) fn starting_at(now: Instant) -> Rate {
        Rate { next: now.checked_sub(SECOND).unwrap_or(now) }
    }

    /// How long one that comes now has to wait. Where none are allowed each waits a second, so that it hears when that has
    /// changed.
    pub(super) fn delay(&mut self, per_second: usize, now: Instant) -> Duration {
        match u32::try_from(per_second) {
            Ok(0) => SECOND,
            Ok(per_second) if (per_second as usize) < UNLIMITED => {
                let begun = self.next.max(now.checked_sub(SECOND).unwrap_or(now));
                self.next = begun + SECOND / per_second;
                self.next.saturating_duration_since(now)
            }
            Ok(_) | Err(_) => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_s_worth_comes_at_once_and_the_rest_in_its_time() {
        let start = Instant::now();
        let mut rate = Rate::starting_at(start);
        let later = start + SECOND;
        let delays: Vec<Duration> = (0..12).map(|_| rate.delay(10, later)).collect();
        assert!(delays[..10].iter().all(Duration::is_zero), "{delays:?}");
        assert_eq!(delays[11], Duration::from_millis(200));
        assert_eq!(rate.delay(UNLIMITED, later), Duration::ZERO);
        assert_eq!(rate.delay(0, later), SECOND);
    }
}
