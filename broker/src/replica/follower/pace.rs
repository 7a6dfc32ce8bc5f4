//! How fast is fetched what catches up. Pure.
//!
//! Where nobody else is served, as fast as it goes. While clients are, in small pieces and for a share of the time, so that
//! whatever they ask for waits for one piece at most. If that is not enough, because the leader takes in more than is fetched,
//! the share grows until the lag shrinks: who catches up shall arrive.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// A piece where nobody else is served: 4 MiB, a few milliseconds of disk and network.
const LARGE_PIECE: i32 = 4 << 20;
/// A piece while clients are served: 256 KiB, what one `sendfile` moves.
const SMALL_PIECE: i32 = 256 << 10;
/// While clients are served, a fetcher may take a sixtieth of what the processors can do together…
const SHARES: f64 = 60.0;
/// …which is to say, each piece is followed by a pause of so many times its own length: 29 where there are two processors, 3
/// where there are fifteen or more.
const PAUSES: RangeInclusive<f64> = 3.0..=29.0;
/// No pause is longer, whatever the piece took: where the machine is busy with others, pieces are slow already.
const PAUSE_MAX: Duration = Duration::from_millis(60);
/// Shorter pauses are gathered until they are worth a timer.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// How often is looked whether the lag shrinks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The pace of one fetcher.
#[derive(Debug)]
pub struct Pace {
    /// How often a piece's own length it is followed by.
    pauses: f64,
    /// Not yet paused.
    owed: Duration,
    beside_clients: bool,
    looked: Option<Look>,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    lag: i64,
}

impl Pace {
    /// Of a machine with so many processors; its leader's has about as many.
    pub fn new(processors: usize) -> Pace {
        let pauses = (SHARES / processors as f64 - 1.0).clamp(*PAUSES.start(), *PAUSES.end());
        Pace { pauses, owed: Duration::ZERO, beside_clients: false, looked: None }
    }

    /// How much to ask for at once.
    pub fn bytes_max(&self) -> i32 {
        if self.beside_clients { SMALL_PIECE } else { LARGE_PIECE }
    }

    /// An answer was taken in: how large it was, how long it took since it was asked for, whether clients are served
    /// meanwhile, and how many records are still behind. How long to wait before the next is asked for.
    pub fn taken(
        &mut self,
        bytes: usize,
        took: Duration,
        beside_clients: bool,
        now: Instant,
        lag: impl FnOnce() -> i64,
    ) -> Duration {
        self.beside_clients = beside_clients;
        if !beside_clients {
            (self.owed, self.looked) = (Duration::ZERO, None);
            return Duration::ZERO;
        }
        self.look(now, lag);
        // A small answer is the last of its log, and may have been waited for.
        if bytes >= SMALL_PIECE as usize / 2 {
            self.owed += took.mul_f64(self.pauses);
        }
        match self.owed >= PAUSE_MIN {
            true => std::mem::take(&mut self.owed).min(PAUSE_MAX),
            false => Duration::ZERO,
        }
    }

    /// Halves the pauses where they let the lag grow.
    fn look(&mut self, now: Instant, lag: impl FnOnce() -> i64) {
        let due = |look: &Look| now.saturating_duration_since(look.at) >= LOOK_EVERY;
        if !self.looked.as_ref().is_none_or(due) {
            return;
        }
        let lag = lag();
        if self.looked.as_ref().is_some_and(|before| lag >= before.lag && lag > 0) {
            self.pauses /= 2.0;
        }
        self.looked = Some(Look { at: now, lag });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: usize = SMALL_PIECE as usize;
    const TOOK: Duration = Duration::from_millis(1);
    /// Where there are two processors.
    const PAUSES_OF_TWO: f64 = 29.0;

    #[test]
    fn without_clients_nothing_waits() {
        let mut pace = Pace::new(2);
        assert_eq!(pace.taken(PIECE, TOOK, false, Instant::now(), || 9), Duration::ZERO);
        assert_eq!(pace.bytes_max(), LARGE_PIECE);
    }

    #[test]
    fn beside_clients_pieces_are_small_and_rare() {
        let (mut pace, now) = (Pace::new(2), Instant::now());
        assert_eq!(pace.taken(PIECE, TOOK, true, now, || 9), TOOK.mul_f64(PAUSES_OF_TWO));
        assert_eq!(pace.bytes_max(), SMALL_PIECE);
        assert_eq!(
            pace.taken(100, Duration::from_secs(1), true, now, || 9),
            Duration::ZERO,
            "the end of a log"
        );
        assert_eq!(pace.taken(PIECE, Duration::from_secs(1), true, now, || 9), PAUSE_MAX);
    }

    #[test]
    fn the_share_is_one_of_all_processors() {
        let pauses = [1, 2, 4, 10, 15, 96].map(|processors| Pace::new(processors).pauses);
        assert_eq!(pauses, [29.0, 29.0, 14.0, 5.0, 3.0, 3.0]);
    }

    #[test]
    fn short_pauses_are_gathered() {
        let (mut pace, now) = (Pace::new(2), Instant::now());
        let took = PAUSE_MIN.div_f64(PAUSES_OF_TWO * 2.5);
        let pauses: Vec<Duration> = (0..3).map(|_| pace.taken(PIECE, took, true, now, || 9)).collect();
        assert_eq!(pauses[..2], [Duration::ZERO; 2]);
        assert!(pauses[2] > PAUSE_MIN);
    }

    #[test]
    fn the_share_grows_while_the_lag_does() {
        let (mut pace, began) = (Pace::new(2), Instant::now());
        let mut pauses = |look: u32, lag| {
            pace.taken(PIECE, TOOK, true, began + LOOK_EVERY * look, || lag);
            pace.pauses
        };
        assert_eq!(pauses(0, 100), PAUSES_OF_TWO);
        assert_eq!(pauses(1, 90), PAUSES_OF_TWO, "it shrinks");
        assert_eq!(pauses(2, 95), PAUSES_OF_TWO / 2.0);
        assert_eq!(pauses(3, 95), PAUSES_OF_TWO / 4.0);
        assert_eq!(pauses(4, 40), PAUSES_OF_TWO / 4.0);
    }
}
