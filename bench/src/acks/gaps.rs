//! How long each partition went without an acknowledgement.

use std::time::Duration;

use super::log::{Ack, AckLog, Stretch};

/// For each partition the longest time between two acknowledgements, one after the other, that touches the stretch. Where
/// none came any more, the time to the end of the log counts.
pub fn longest_gaps(log: &AckLog, stretch: Stretch) -> Vec<(usize, Duration)> {
    let partitions = log.partitions.iter();
    partitions.map(|(&partition, acks)| (partition, longest_gap(acks, log.end_us, stretch))).collect()
}

fn longest_gap(acks: &[Ack], end_us: u64, stretch: Stretch) -> Duration {
    let ends = acks.iter().skip(1).map(|ack| ack.acked_us).chain([end_us]);
    let pairs = acks.iter().map(|ack| ack.acked_us).zip(ends);
    let touching = pairs.filter(|&(from, to)| to > stretch.from_us && from < stretch.to_us);
    Duration::from_micros(touching.map(|(from, to)| to - from).max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(text: &str, from_us: u64, to_us: u64) -> Vec<(usize, u128)> {
        let log = AckLog::parse(text).unwrap();
        let gaps = longest_gaps(&log, Stretch { from_us, to_us });
        gaps.into_iter().map(|(partition, gap)| (partition, gap.as_micros())).collect()
    }

    const LOG: &str =
        "ack 0 0 100\nack 0 0 200\nack 0 0 700\nack 0 0 800\nack 1 0 150\nack 1 0 160\nmark 1000 end\n";

    #[test]
    fn a_gap_counts_where_it_reaches_into_the_stretch() {
        assert_eq!(gaps(LOG, 210, 300)[0], (0, 500));
        assert_eq!(gaps(LOG, 690, 695)[0], (0, 500));
        assert_eq!(gaps(LOG, 100, 200)[0], (0, 100));
    }

    #[test]
    fn silence_lasts_to_the_end_of_the_log() {
        assert_eq!(gaps(LOG, 300, 400)[1], (1, 840));
        assert_eq!(gaps(LOG, 150, 155)[1], (1, 10));
    }
}
