//! How often values of a [`Scale`]'s buckets were seen, and what they sum up to.

use std::time::Duration;

use super::per_thread::PerThread;
use super::scale::{BOUNDS, Scale};
use super::tally::{Tally, Writer};

/// Buckets, the one beyond the last bound included.
pub const BUCKETS: usize = BOUNDS + 1;

/// One thread's part of a histogram, for those who keep it beside other figures.
#[derive(Debug)]
pub struct Distribution {
    buckets: [Tally; BUCKETS],
    sum: Tally,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution { buckets: std::array::from_fn(|_| Tally::default()), sum: Tally::default() }
    }
}

impl Distribution {
    #[inline]
    pub fn observe(&self, scale: &Scale, value: u64, writer: Writer) {
        self.buckets[scale.bucket(value)].add(1, writer);
        self.sum.add(value, writer);
    }
}

/// All that was seen up to a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    pub buckets: [u64; BUCKETS],
    pub sum: u64,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts { buckets: [0; BUCKETS], sum: 0 }
    }
}

impl Counts {
    /// Adds a part.
    pub fn add(&mut self, part: &Distribution) {
        self.buckets.iter_mut().zip(&part.buckets).for_each(|(sum, tally)| *sum += tally.get());
        self.sum = self.sum.wrapping_add(part.sum.get());
    }

    /// Adds what another histogram has seen.
    pub fn merge(&mut self, other: &Counts) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(sum, count)| *sum += count);
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// What was seen since `earlier`.
    pub fn since(&self, earlier: &Counts) -> Counts {
        let mut since = self.clone();
        since
            .buckets
            .iter_mut()
            .zip(&earlier.buckets)
            .for_each(|(count, before)| *count = count.saturating_sub(*before));
        since.sum = self.sum.wrapping_sub(earlier.sum);
        since
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// A histogram to which any thread may add.
#[derive(Debug)]
pub struct Histogram {
    scale: &'static Scale,
    parts: PerThread<Distribution>,
}

impl Histogram {
    pub const fn new(scale: &'static Scale) -> Histogram {
        Histogram { scale, parts: PerThread::new() }
    }

    #[inline]
    pub fn observe(&self, value: u64) {
        self.parts.with(|part, writer| part.observe(self.scale, value, writer));
    }

    /// For a scale of nanoseconds.
    #[inline]
    pub fn observe_duration(&self, took: Duration) {
        self.observe(nanoseconds(took));
    }

    pub fn scale(&self) -> &'static Scale {
        self.scale
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.parts.all().for_each(|part| counts.add(part));
        counts
    }
}

/// As histograms of time take it.
#[inline]
pub fn nanoseconds(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::scale::{SIZE, TIME};
    use super::*;

    #[test]
    fn values_of_all_threads_are_counted_and_summed() {
        static SEEN: Histogram = Histogram::new(&SIZE);
        let threads = [100, 1_000, 1 << 40].map(|value| std::thread::spawn(move || SEEN.observe(value)));
        threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
        let before = SEEN.counts();
        assert_eq!((before.count(), before.sum), (3, 1_100 + (1 << 40)));
        assert_eq!(before.buckets[BOUNDS], 1);
        SEEN.observe(70);
        let since = SEEN.counts().since(&before);
        assert_eq!((since.count(), since.sum), (1, 70));
    }

    /// Run with `cargo test --release -p node -- --ignored --nocapture cost`.
    #[test]
    #[ignore = "it measures"]
    fn the_cost_of_an_observation() {
        const TIMES: u32 = 10_000_000;
        static SEEN: Histogram = Histogram::new(&TIME);
        let began = Instant::now();
        for value in 0..TIMES {
            SEEN.observe(u64::from(value));
        }
        println!("an observation takes {:?}", began.elapsed() / TIMES);
        let began = Instant::now();
        for _ in 0..TIMES {
            std::hint::black_box(Instant::now());
        }
        println!("a look at the clock takes {:?}", began.elapsed() / TIMES);
        assert_eq!(SEEN.counts().count(), u64::from(TIMES));
    }
}
