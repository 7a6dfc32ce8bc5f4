//! How long acknowledgements took.

use super::log::{AckLog, Stretch};

/// The milliseconds from sending to acknowledgement of every record sent in any of the stretches, least first.
pub fn latencies(log: &AckLog, stretches: &[Stretch]) -> Vec<f64> {
    let counts =
        |sent_us| stretches.iter().any(|stretch| (stretch.from_us..stretch.to_us).contains(&sent_us));
    let acks = log.partitions.values().flatten().filter(|ack| counts(ack.sent_us));
    let mut latencies: Vec<f64> =
        acks.map(|ack| ack.acked_us.saturating_sub(ack.sent_us) as f64 / 1e3).collect();
    latencies.sort_by(f64::total_cmp);
    latencies
}

/// What a share of the values, least first, does not exceed; none of none.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * share) as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sent_in_the_stretches_counts() {
        let log =
            AckLog::parse("ack 0 1000 4000\nack 1 1500 2500\nack 1 2000 9000\nack 1 9000 9500\n").unwrap();
        let of = |from_us, to_us| Stretch { from_us, to_us };
        assert_eq!(latencies(&log, &[of(1000, 2000)]), [1.0, 3.0]);
        assert_eq!(latencies(&log, &[of(1000, 2000), of(9000, 9001)]), [0.5, 1.0, 3.0]);
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!([0.0, 0.5, 1.0].map(|share| quantile(&values, share)), [Some(1.0), Some(3.0), Some(5.0)]);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
