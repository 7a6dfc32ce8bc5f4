//! What is logged of peers that break the rules: a few lines, and then how many more there were. However many connections a
//! hostile peer opens, it does not fill the disk that the log lies on.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// So many lines are written in one interval.
const LINES_MAX: u32 = 10;

const INTERVAL: Duration = Duration::from_secs(10);

/// The lines of all connections of this process.
static LINES: Mutex<Lines> = Mutex::new(Lines { interval_began: None, written: 0, left_out: 0 });

/// Counts lines.
struct Lines {
    interval_began: Option<Instant>,
    written: u32,
    /// Since the last line.
    left_out: u64,
}

impl Lines {
    /// Whether a line may be written; then, how many were left out before it.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.interval_began.is_none_or(|began| now.duration_since(began) >= INTERVAL) {
            (self.interval_began, self.written) = (Some(now), 0);
        }
        if self.written == LINES_MAX {
            self.left_out += 1;
            return None;
        }
        self.written += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Whether a line about a peer may be written now; then, how many were left out before it.
pub(super) fn admit() -> Option<u64> {
    LINES.lock().admit(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_and_said_in_the_next_interval() {
        let mut lines = Lines { interval_began: None, written: 0, left_out: 0 };
        let now = Instant::now();
        let written = (0..1_000).filter(|_| lines.admit(now).is_some()).count();
        assert_eq!(written, LINES_MAX as usize);
        assert_eq!(lines.admit(now + INTERVAL), Some(1_000 - u64::from(LINES_MAX)));
        assert_eq!(lines.admit(now + INTERVAL), Some(0));
    }
}
