//! What was written against what lies in the log.

use std::collections::{BTreeMap, BTreeSet};

use super::{Anomaly, Log};
use crate::history::{Ack, History, Place, Producing, Value};

/// Acknowledged values that are gone or lie elsewhere, and values that vanished between their neighbours.
pub(super) fn check(history: &History, log: &Log) -> Vec<Anomaly> {
    let acks = history.acks().filter_map(|ack| judge(ack, log));
    acks.chain(history.producing.iter().flat_map(|part| holes(part, log))).collect()
}

fn judge(ack: &Ack, log: &Log) -> Option<Anomaly> {
    let Ack { value, offset, .. } = *ack;
    match (log.place_of(value), offset) {
        (None, _) if was_read_further(ack, log) => Some(Anomaly::LostWrite { value, offset }),
        (None, _) => Some(Anomaly::Unseen { value, offset }),
        (Some(read), Some(acknowledged)) if read.offset != acknowledged => {
            Some(Anomaly::Moved { value, acknowledged, read })
        }
        (Some(_), _) => None,
    }
}

/// Without an offset the producer's later values tell.
fn was_read_further(ack: &Ack, log: &Log) -> bool {
    let Value { producer, partition, number } = ack.value;
    match ack.offset {
        Some(offset) => log.last_offset(partition) >= Some(offset),
        None => log.last_number(producer, partition) > Some(number),
    }
}

/// Numbers with neither an acknowledgement nor a place, below one that has a place.
fn holes(part: &Producing, log: &Log) -> Vec<Anomaly> {
    let known: BTreeSet<Value> =
        part.acks.iter().map(|ack| ack.value).chain(part.failed.iter().copied()).collect();
    let mut found = Vec::new();
    for (&partition, &sent) in &part.sent {
        let last = log.last_number(part.producer, partition).unwrap_or(0).min(sent);
        let values = (0..last).map(|number| Value { producer: part.producer, partition, number });
        let lost = values.filter(|value| !known.contains(value) && log.place_of(*value).is_none());
        found.extend(lost.map(|value| Anomaly::Hole { value }));
    }
    found
}

/// What lies in the log though nobody sent it, or sent it there.
pub(super) fn check_values(history: &History, log: &Log) -> Vec<Anomaly> {
    let sent: BTreeMap<(u16, u16), u32> = history.producing.iter().flat_map(counts).collect();
    let was_sent = |place: Place, value: Value| {
        let count = sent.get(&(value.producer, value.partition));
        place.partition == value.partition && count.is_some_and(|count| value.number < *count)
    };
    let foreign = log.places().filter(|(place, value)| !value.is_some_and(|value| was_sent(*place, value)));
    foreign.map(|(place, value)| Anomaly::NeverSent { place, value }).collect()
}

fn counts(part: &Producing) -> impl Iterator<Item = ((u16, u16), u32)> {
    part.sent.iter().map(|(partition, count)| ((part.producer, *partition), *count))
}
