//! Each consumer that reads everything is given every record once, one behind the other.
//!
//! Producers here write no transactions, so that the offsets of a partition have no gaps.

use std::collections::BTreeMap;

use super::Anomaly;
use crate::history::{Place, Read, Reading};

pub(super) fn check(readings: &[Reading]) -> Vec<Anomaly> {
    readings.iter().flat_map(check_reading).collect()
}

fn check_reading(reading: &Reading) -> Vec<Anomaly> {
    let mut before = BTreeMap::<u16, Read>::new();
    let steps = reading.reads.iter().map(|read| (before.insert(read.place.partition, *read), read));
    steps.filter_map(|(before, then)| check_step(&reading.reader, before, *then)).collect()
}

fn check_step(reader: &str, before: Option<Read>, then: Read) -> Option<Anomaly> {
    let reader = || reader.to_owned();
    let next = before.map_or(0, |before| before.place.offset + 1);
    let from = Place { offset: next, ..then.place };
    match before {
        _ if then.place.offset > next => Some(Anomaly::Skipped { reader: reader(), from, to: then.place }),
        Some(before) if then.place.offset < next => {
            let (is_internal, before) = (before.poll == then.poll, before.place);
            let then = then.place;
            Some(match is_internal {
                true => Anomaly::InternalNonmonotonicPoll { reader: reader(), before, then },
                false => Anomaly::ExternalNonmonotonicPoll { reader: reader(), before, then },
            })
        }
        _ => None,
    }
}
