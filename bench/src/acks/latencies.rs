//! How long acknowledgements took.

use super::log::{Ack, AckLog, Stretch};
use super::stalls::met_stall;

/// The milliseconds from sending to acknowledgement of every record sent in the stretch, least first.
pub fn latencies(log: &AckLog, stretch: Stretch) -> Vec<f64> {
    latencies_of(log, stretch, |_| true)
}

/// Of those alone during which the machine did not stand still.
pub fn undisturbed_latencies(log: &AckLog, stretch: Stretch) -> Vec<f64> {
    latencies_of(log, stretch, |ack| !met_stall(ack, &log.stalls))
}

fn latencies_of(log: &AckLog, stretch: Stretch, counts: impl Fn(&Ack) -> bool) -> Vec<f64> {
    let sent = |ack: &&Ack| (stretch.from_us..stretch.to_us).contains(&ack.sent_us);
    let acks = log.partitions.values().flatten().filter(sent).filter(|ack| counts(ack));
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

    const STRETCH: Stretch = Stretch { from_us: 1000, to_us: 2000 };

    #[test]
    fn only_what_was_sent_in_the_stretch_counts() {
        let log = AckLog::parse("ack 0 1000 4000\nack 1 1500 2500\nack 1 2000 9000\n").unwrap();
        assert_eq!(latencies(&log, STRETCH), [1.0, 3.0]);
    }

    #[test]
    fn what_met_a_stall_is_left_out_where_that_is_asked_for() {
        let log = AckLog::parse("ack 0 1000 4000\nack 1 1500 2500\nstall 3000 3500\n").unwrap();
        assert_eq!(latencies(&log, STRETCH), [1.0, 3.0]);
        assert_eq!(undisturbed_latencies(&log, STRETCH), [1.0]);
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!([0.0, 0.5, 1.0].map(|share| quantile(&values, share)), [Some(1.0), Some(3.0), Some(5.0)]);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
