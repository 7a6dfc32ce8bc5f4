//! How long a partition went without an acknowledgement while a fault lasted. Pure.

use std::collections::BTreeMap;

use crate::history::History;

/// From when to when, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from_ms: u64,
    pub to_ms: u64,
}

/// The times of all acknowledgements of each partition, sorted.
#[derive(Clone, Debug, Default)]
pub struct AckTimes(BTreeMap<u16, Vec<u64>>);

impl AckTimes {
    pub fn of(history: &History) -> AckTimes {
        let mut times = BTreeMap::<u16, Vec<u64>>::new();
        for ack in history.acks() {
            times.entry(ack.value.partition).or_default().push(ack.at_ms);
        }
        times.values_mut().for_each(|times| times.sort_unstable());
        AckTimes(times)
    }

    /// The longest time, in milliseconds, between two acknowledgements of any one partition of which a part lies in the
    /// window.
    pub fn longest_gap_ms(&self, window: Window) -> u64 {
        self.0.values().map(|times| longest(times, window)).max().unwrap_or(0)
    }
}

fn longest(times: &[u64], window: Window) -> u64 {
    let first = times.partition_point(|at| *at <= window.from_ms).saturating_sub(1);
    let pairs = times[first..].windows(2).take_while(|pair| pair[0] < window.to_ms);
    pairs.map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_that_touches_the_window_counts() {
        let times = AckTimes([(0, vec![0, 10, 500, 510, 2_000]), (1, vec![0, 100, 200, 300])].into());
        let gap = |from_ms, to_ms| times.longest_gap_ms(Window { from_ms, to_ms });
        assert_eq!(gap(20, 400), 490);
        assert_eq!(gap(500, 505), 10);
        assert_eq!(gap(505, 600), 1_490);
        assert_eq!(gap(3_000, 4_000), 0);
        assert_eq!(AckTimes::default().longest_gap_ms(Window { from_ms: 0, to_ms: 1 }), 0);
    }
}
