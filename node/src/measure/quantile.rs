//! A quantile of what a histogram has seen, told between the bounds of the bucket that it lies in.

use super::histogram::Counts;
use super::scale::{BOUNDS, Scale};

/// Those that Kafka's histograms tell.
pub const QUANTILES: [f64; 6] = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999];

/// The value below which so much of what was seen lies (0 to 1), in the scale's unit; NaN where nothing was seen. What lies
/// beyond the last bound is taken for the last bound.
pub fn quantile(counts: &Counts, scale: &Scale, part: f64) -> f64 {
    let rank = part * counts.count() as f64;
    let (mut below, mut lower) = (0.0, 0.0);
    for (at, &count) in counts.buckets.iter().enumerate() {
        let upper = scale.bounds[at.min(BOUNDS - 1)] as f64;
        if count > 0 && below + count as f64 >= rank {
            return lower + (upper - lower) * (rank - below) / count as f64;
        }
        (below, lower) = (below + count as f64, upper);
    }
    f64::NAN
}

#[cfg(test)]
mod tests {
    use super::super::histogram::Histogram;
    use super::super::scale::TIME;
    use super::*;

    #[test]
    fn a_quantile_is_off_by_less_than_its_bucket() {
        static SEEN: Histogram = Histogram::new(&TIME);
        assert!(quantile(&SEEN.counts(), &TIME, 0.5).is_nan());
        (1..=1_000).for_each(|microseconds| SEEN.observe(microseconds * 1_000));
        for part in QUANTILES {
            let (told, exact) = (quantile(&SEEN.counts(), &TIME, part), part * 1_000_000.0);
            assert!((told - exact).abs() < 0.05 * exact, "{part}: {told} for {exact}");
        }
    }

    #[test]
    fn what_is_beyond_the_scale_is_its_end() {
        static SEEN: Histogram = Histogram::new(&TIME);
        SEEN.observe(u64::MAX);
        assert_eq!(quantile(&SEEN.counts(), &TIME, 0.99), TIME.bounds[BOUNDS - 1] as f64);
    }
}
