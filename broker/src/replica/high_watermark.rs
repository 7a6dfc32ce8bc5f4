//! Where the high watermark of a partition stands: pure arithmetic over the log ends of the in-sync replicas.

use protocol::types::Offset;

/// The high watermark after something moved (safety rules 5 and 14).
///
/// `log_ends`: of all that it waits for, which is the maximal ISR, the leader itself among it, and whoever has caught up and
/// is about to return; `None` where the leader does not know it in this epoch. The high watermark never goes back, and does
/// not move while the ISR as committed has fewer members than `min_isr`.
pub fn advanced(
    current: Offset,
    isr: usize,
    min_isr: usize,
    log_ends: impl IntoIterator<Item = Option<Offset>>,
) -> Offset {
    if isr < min_isr.max(1) {
        return current;
    }
    let mut least: Option<Offset> = None;
    for log_end in log_ends {
        let Some(log_end) = log_end else { return current };
        least = Some(least.map_or(log_end, |least| least.min(log_end)));
    }
    least.map_or(current, |least| current.max(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(current: i64, isr: usize, min_isr: usize, log_ends: &[Option<i64>], expected: i64) {
        let log_ends = log_ends.iter().map(|end| end.map(Offset));
        assert_eq!(advanced(Offset(current), isr, min_isr, log_ends), Offset(expected));
    }

    #[test]
    fn it_is_the_least_log_end_of_those_that_it_waits_for() {
        check(3, 3, 1, &[Some(9), Some(5), Some(7)], 5);
    }

    #[test]
    fn it_never_goes_back() {
        check(8, 2, 1, &[Some(9), Some(5)], 8);
    }

    #[test]
    fn it_waits_for_a_member_whose_log_end_is_unknown() {
        check(3, 2, 1, &[Some(9), None], 3);
    }

    #[test]
    fn it_stands_still_below_min_isr_however_many_are_proposed() {
        check(3, 1, 2, &[Some(9)], 3);
        check(3, 1, 2, &[Some(9), Some(9)], 3);
        check(3, 0, 1, &[], 3);
    }
}
