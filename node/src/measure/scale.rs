//! Where a histogram tells values apart: upper bounds, each of which counts to its own bucket, and beyond the last one more.
//!
//! Bounds lie close enough for a quantile to be told between two of them. Prometheus is given fewer, the `shown` ones.

/// Buckets with a bound.
pub const BOUNDS: usize = 48;

/// A set of bounds.
#[derive(Debug)]
pub struct Scale {
    /// Rising.
    pub bounds: [u64; BOUNDS],
    /// Which of them Prometheus is given, rising, by their place.
    pub shown: &'static [usize],
    /// How much of what is measured makes one of Prometheus's base unit: 10⁹ where nanoseconds are measured.
    pub per_unit: f64,
    /// By the highest bit of a value: the first bound that it may lie below.
    first: [u8; 64],
}

/// Nanoseconds, from a microsecond to 70 s, in steps of 1, 1.5, 2, 3, 5 and 7; seconds for Prometheus: 20 µs to 20 s.
pub static TIME: Scale = Scale::new(time_bounds(), &SHOWN_TIMES, 1e9);

/// Bytes, from 64 to a gibibyte, in steps of 1 and 1.5.
pub static SIZE: Scale = Scale::new(size_bounds(), &SHOWN_SIZES, 1.0);

/// 1, 2 and 5 of each decade.
const SHOWN_TIMES: [usize; 19] = [8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44];

/// Powers of four from 64 on.
const SHOWN_SIZES: [usize; 12] = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44];

impl Scale {
    const fn new(bounds: [u64; BOUNDS], shown: &'static [usize], per_unit: f64) -> Scale {
        let mut first = [0; 64];
        let mut bit = 0;
        while bit < 64 {
            let mut at = 0;
            while at < BOUNDS && bounds[at] < 1 << bit {
                at += 1;
            }
            first[bit] = at as u8;
            bit += 1;
        }
        Scale { bounds, shown, per_unit, first }
    }

    /// The bucket of a value.
    #[inline]
    pub fn bucket(&self, value: u64) -> usize {
        let mut at = usize::from(self.first[(value | 1).ilog2() as usize]);
        while at < BOUNDS && value > self.bounds[at] {
            at += 1;
        }
        at
    }
}

const fn time_bounds() -> [u64; BOUNDS] {
    const STEPS: [u64; 6] = [10, 15, 20, 30, 50, 70];
    let mut bounds = [0; BOUNDS];
    let (mut at, mut decade) = (0, 100);
    while at < BOUNDS {
        bounds[at] = decade * STEPS[at % STEPS.len()];
        at += 1;
        if at % STEPS.len() == 0 {
            decade *= 10;
        }
    }
    bounds
}

const fn size_bounds() -> [u64; BOUNDS] {
    let mut bounds = [0; BOUNDS];
    let mut at = 0;
    while at < BOUNDS {
        let power = 64 << (at / 2);
        bounds[at] = if at % 2 == 0 { power } else { power / 2 * 3 };
        at += 1;
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_every_value_has_the_first_bound_above_it(scale: &Scale) {
        assert!(scale.bounds.is_sorted());
        for (at, &bound) in scale.bounds.iter().enumerate() {
            assert_eq!(scale.bucket(bound), at);
            assert_eq!(scale.bucket(bound + 1), at + 1);
        }
        assert_eq!((scale.bucket(0), scale.bucket(u64::MAX)), (0, BOUNDS));
    }

    #[test]
    fn times_and_sizes_have_their_buckets() {
        check_every_value_has_the_first_bound_above_it(&TIME);
        check_every_value_has_the_first_bound_above_it(&SIZE);
    }

    #[test]
    fn what_prometheus_is_given_is_round() {
        let times = TIME.shown.iter().map(|&at| TIME.bounds[at] as f64 / TIME.per_unit);
        let times: Vec<_> = times.map(|bound| bound.to_string()).collect();
        assert_eq!(times[..4], ["0.00002", "0.00005", "0.0001", "0.0002"]);
        assert_eq!(times[16..], ["5", "10", "20"]);
        let sizes: Vec<_> = SIZE.shown.iter().map(|&at| SIZE.bounds[at]).collect();
        assert!(sizes.iter().all(|bound| bound.is_power_of_two()));
    }
}
