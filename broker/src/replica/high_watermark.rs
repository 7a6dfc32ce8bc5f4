//! Where the high watermark of a partition stands: pure arithmetic over the log ends of the in-sync replicas.

use protocol::types::Offset;

/// The high watermark after the log ends became these (safety rules 5 and 14).
///
/// `maximal_isr_log_ends`: one entry per member of the maximal ISR, the leader's own among them, `None` where the leader
/// does not know it in this epoch. It never goes back, and does not move while there are fewer members than `min_isr`.
pub fn advanced(
    current: Offset,
    min_isr: usize,
    maximal_isr_log_ends: impl IntoIterator<Item = Option<Offset>>,
) -> Offset {
    let mut members = 0;
    let mut least: Option<Offset> = None;
    for log_end in maximal_isr_log_ends {
        let Some(log_end) = log_end else { return current };
        members += 1;
        least = Some(least.map_or(log_end, |least| least.min(log_end)));
    }
    match least {
        Some(least) if members >= min_isr.max(1) => current.max(least),
        _ => current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(current: i64, min_isr: usize, log_ends: &[Option<i64>], expected: i64) {
        let log_ends = log_ends.iter().map(|end| end.map(Offset));
        assert_eq!(advanced(Offset(current), min_isr, log_ends), Offset(expected));
    }

    #[test]
    fn it_is_the_least_log_end_of_the_isr() {
        check(3, 1, &[Some(9), Some(5), Some(7)], 5);
    }

    #[test]
    fn it_never_goes_back() {
        check(8, 1, &[Some(9), Some(5)], 8);
    }

    #[test]
    fn it_waits_for_a_member_whose_log_end_is_unknown() {
        check(3, 1, &[Some(9), None], 3);
    }

    #[test]
    fn it_stands_still_below_min_isr() {
        check(3, 2, &[Some(9)], 3);
        check(3, 1, &[], 3);
    }
}
