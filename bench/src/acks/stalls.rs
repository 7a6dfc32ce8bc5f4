//! What of a time the machine itself stood still. Pure.
//!
//! Where a host takes a virtual machine's processors away for a hundredth of the time, what was acknowledged last of a hundred
//! records says more of the host than of brokers. The seconds in which it did not are what can be compared.

use super::log::{AckLog, Stretch};

/// So much of a second may stand still, and it is a quiet one: 20 ms.
const QUIET_STALLS_US_MAX: u64 = 20_000;
const SECOND_US: u64 = 1_000_000;

/// A stretch by the second; the last may be shorter.
pub fn seconds(stretch: Stretch) -> impl Iterator<Item = Stretch> {
    let second = move |from_us: u64| Stretch { from_us, to_us: stretch.to_us.min(from_us + SECOND_US) };
    (stretch.from_us..stretch.to_us).step_by(SECOND_US as usize).map(second)
}

/// Those seconds in which hardly any processor stood still.
pub fn quiet_seconds(log: &AckLog, stretch: Stretch) -> Vec<Stretch> {
    seconds(stretch).filter(|&second| stalled_us(log, second) <= QUIET_STALLS_US_MAX).collect()
}

fn stalled_us(log: &AckLog, stretch: Stretch) -> u64 {
    let within =
        |stall: &Stretch| stall.to_us.min(stretch.to_us).saturating_sub(stall.from_us.max(stretch.from_us));
    log.stalls.iter().map(within).sum()
}

/// What overlaps becomes one, first the first.
pub(super) fn united(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_by_key(|stretch| stretch.from_us);
    stretches.dedup_by(|later, former| {
        let overlap = later.from_us <= former.to_us;
        if overlap {
            former.to_us = former.to_us.max(later.to_us);
        }
        overlap
    });
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(from_us: u64, to_us: u64) -> Stretch {
        Stretch { from_us, to_us }
    }

    #[test]
    fn stalls_of_two_processors_at_once_are_one() {
        let stalls = vec![stretch(50, 60), stretch(10, 30), stretch(20, 25), stretch(30, 40)];
        assert_eq!(united(stalls), [stretch(10, 40), stretch(50, 60)]);
    }

    #[test]
    fn a_second_is_quiet_up_to_a_fiftieth() {
        // One stall within the first second, one from the second into the third.
        let log = AckLog::parse("stall 100000 120000\nstall 1985000 2015001\n").unwrap();
        let quiet = quiet_seconds(&log, stretch(0, 3_000_000));
        assert_eq!(
            quiet,
            [stretch(0, 1_000_000), stretch(1_000_000, 2_000_000), stretch(2_000_000, 3_000_000)]
        );
        let shifted = quiet_seconds(&log, stretch(1_500_000, 2_700_000));
        assert_eq!(shifted, [stretch(2_500_000, 2_700_000)]);
    }
}
