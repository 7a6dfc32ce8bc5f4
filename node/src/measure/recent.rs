//! What a histogram has seen lately. Kafka's histograms tell of the last five minutes or so, and so do ours: each look
//! remembers what there was, and is told what came since the look of five minutes ago.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::histogram::Counts;

/// How far back is looked.
pub const WINDOW: Duration = Duration::from_secs(300);

/// Between two looks that are remembered.
const STEP: Duration = Duration::from_secs(60);

/// One histogram's looks. Where nobody looked for long, the oldest reaches further back.
#[derive(Debug, Default)]
pub struct Recent {
    looks: VecDeque<(Instant, Counts)>,
}

impl Recent {
    /// What came within the window, of a histogram that has seen `counts` by `now`.
    pub fn look(&mut self, now: Instant, counts: &Counts) -> Counts {
        if self.looks.is_empty() {
            // All that was seen before the first look counts as seen just now.
            self.looks.push_back((now, Counts::default()));
        }
        while self.looks.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.looks.pop_front();
        }
        let recent = self.looks.front().map_or_else(|| counts.clone(), |(_, oldest)| counts.since(oldest));
        if self.looks.back().is_none_or(|(at, _)| now.duration_since(*at) >= STEP) {
            self.looks.push_back((now, counts.clone()));
        }
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(count: u64) -> Counts {
        let mut counts = Counts::default();
        counts.buckets[0] = count;
        counts
    }

    #[test]
    fn a_look_tells_what_came_since_that_of_five_minutes_ago() {
        let (mut recent, began) = (Recent::default(), Instant::now());
        let mut look = |minutes: u64, count| {
            recent.look(began + Duration::from_secs(60 * minutes), &seen(count)).count()
        };
        assert_eq!(look(0, 10), 10, "all that was ever seen, at first");
        assert_eq!(look(0, 11), 11, "a second look at once");
        assert_eq!(look(1, 20), 20);
        assert_eq!(look(5, 30), 30);
        assert_eq!(look(6, 40), 20, "since minute 1");
        assert_eq!(look(60, 50), 10, "since minute 6");
        assert!(recent.looks.len() <= 6);
    }
}
