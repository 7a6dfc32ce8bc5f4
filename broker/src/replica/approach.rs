//! How a follower comes nearer to the end of its leader's log: by that a replica out of the ISR is told apart.
//!
//! Pure: the time is the caller's.

use std::time::{Duration, Instant};

/// Why a replica is not in the ISR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutOfSync {
    /// It has not fetched for the time that it may lag, or its broker is gone.
    Stuck,
    /// It fetches, and has come no nearer to the end for the time that it may lag.
    Slow,
    /// New or returned, and on its way.
    CatchingUp,
}

impl OutOfSync {
    pub const ALL: [OutOfSync; 3] = [OutOfSync::Stuck, OutOfSync::Slow, OutOfSync::CatchingUp];

    /// As metrics and logs say it.
    pub fn name(self) -> &'static str {
        match self {
            OutOfSync::Stuck => "stuck",
            OutOfSync::Slow => "slow",
            OutOfSync::CatchingUp => "catching_up",
        }
    }
}

/// One follower's way, from its first fetch on; begun anew after it was stuck.
#[derive(Clone, Copy, Debug)]
pub struct Approach {
    /// The fewest records that it was behind.
    least_lag: i64,
    /// When it was that near first.
    nearest_at: Instant,
    /// It was found to be stuck, and has not fetched since.
    was_stuck: bool,
}

impl Approach {
    /// The first fetch.
    pub fn begin(lag: i64, at: Instant) -> Approach {
        Approach { least_lag: lag, nearest_at: at, was_stuck: false }
    }

    /// A further fetch, so many records behind the end.
    pub fn fetched(&mut self, lag: i64, at: Instant) {
        if self.was_stuck || lag < self.least_lag {
            *self = Approach::begin(lag, at);
        }
    }

    /// Why it is out of sync now, having fetched last then.
    pub fn judge(&mut self, fetched_at: Instant, lag_time_max: Duration, now: Instant) -> OutOfSync {
        let is_past = |at: Instant| now.saturating_duration_since(at) > lag_time_max;
        if is_past(fetched_at) {
            self.was_stuck = true;
            OutOfSync::Stuck
        } else if is_past(self.nearest_at) {
            OutOfSync::Slow
        } else {
            OutOfSync::CatchingUp
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG_MAX: Duration = Duration::from_secs(30);

    /// Fetches as (second, lag), one after the other, judged at a second.
    fn judged(fetches: &[(u64, i64)], at: u64) -> OutOfSync {
        let begun = Instant::now();
        let second = |second| begun + Duration::from_secs(second);
        let mut approach = Approach::begin(fetches[0].1, second(fetches[0].0));
        let mut fetched_at = second(fetches[0].0);
        for &(at, lag) in &fetches[1..] {
            approach.judge(fetched_at, LAG_MAX, second(at));
            approach.fetched(lag, second(at));
            fetched_at = second(at);
        }
        approach.judge(fetched_at, LAG_MAX, second(at))
    }

    #[test]
    fn who_comes_nearer_catches_up_however_long_it_takes() {
        assert_eq!(judged(&[(0, 900), (25, 600), (50, 300), (75, 100)], 100), OutOfSync::CatchingUp);
    }

    #[test]
    fn who_fetches_and_comes_no_nearer_is_slow() {
        assert_eq!(judged(&[(0, 900), (25, 900), (50, 950)], 55), OutOfSync::Slow);
        assert_eq!(judged(&[(0, 0), (25, 900), (50, 500)], 55), OutOfSync::Slow, "it was at the end once");
    }

    #[test]
    fn who_does_not_fetch_is_stuck_and_catches_up_when_it_returns() {
        assert_eq!(judged(&[(0, 0)], 31), OutOfSync::Stuck);
        assert_eq!(judged(&[(0, 0), (60, 900)], 61), OutOfSync::CatchingUp);
    }
}
