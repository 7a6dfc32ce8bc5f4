//! What of a time the machine itself stood still. Pure.
//!
//! Where a host takes a virtual machine's processors away for a hundredth of the time, what was acknowledged last of a hundred
//! records says more of the host than of brokers. What met no such stall can be compared.

use super::log::{Ack, Stretch};

/// What stood still leaves queues behind, which are gone this long after: 3 ms.
const AFTERMATH_US: u64 = 3_000;

/// Whether a processor stood still while the record was on its way, or shortly before it was sent. The stalls are apart, first
/// the first.
pub fn met_stall(ack: &Ack, stalls: &[Stretch]) -> bool {
    let begun = stalls.partition_point(|stall| stall.from_us <= ack.acked_us);
    stalls[..begun].last().is_some_and(|stall| ack.sent_us <= stall.to_us + AFTERMATH_US)
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
    fn a_stall_is_met_on_the_way_and_shortly_before() {
        let stalls = [stretch(10_000, 12_000), stretch(50_000, 51_000)];
        let met = |sent_us, acked_us| met_stall(&Ack { sent_us, acked_us }, &stalls);
        assert!(!met(9_000, 9_999));
        assert!(met(9_000, 10_000));
        assert!(met(15_000, 15_500));
        assert!(!met(15_001, 15_500));
        assert!(met(15_001, 60_000), "a stall that came and went meanwhile");
        assert!(!met(60_000, 61_000));
    }
}
