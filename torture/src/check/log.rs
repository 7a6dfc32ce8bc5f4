//! The log as all consumers together saw it, and the order of what lies in it.

use std::collections::BTreeMap;

use super::Anomaly;
use crate::history::{Place, Reading, Value};

/// Every place that anyone read, with what was read there first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    places: BTreeMap<Place, Option<Value>>,
    /// Where each value was found first.
    values: BTreeMap<Value, Place>,
}

impl Log {
    /// The log, and the places where consumers saw different values.
    pub(super) fn of<'a>(readings: impl Iterator<Item = &'a Reading>) -> (Log, Vec<Anomaly>) {
        let (mut places, mut found) = (BTreeMap::new(), Vec::new());
        for read in readings.flat_map(|reading| &reading.reads) {
            let one = *places.entry(read.place).or_insert(read.value);
            if one != read.value {
                found.push(Anomaly::InconsistentOffset { place: read.place, one, other: read.value });
            }
        }
        let mut values = BTreeMap::new();
        for (place, value) in &places {
            if let Some(value) = value {
                values.entry(*value).or_insert(*place);
            }
        }
        (Log { places, values }, found)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = (Place, Option<Value>)> {
        self.places.iter().map(|(place, value)| (*place, *value))
    }

    pub(super) fn place_of(&self, value: Value) -> Option<Place> {
        self.values.get(&value).copied()
    }

    /// The highest offset that anyone read of a partition.
    pub(super) fn last_offset(&self, partition: u16) -> Option<i64> {
        let of_partition = Place { partition, offset: i64::MIN }..=Place { partition, offset: i64::MAX };
        self.places.range(of_partition).next_back().map(|(place, _)| place.offset)
    }

    /// The highest number of a producer that anyone read in a partition.
    pub(super) fn last_number(&self, producer: u16, partition: u16) -> Option<u32> {
        let value = |number| Value { producer, partition, number };
        self.values.range(value(0)..=value(u32::MAX)).next_back().map(|(value, _)| value.number)
    }

    /// How many places were read.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Values that lie at two places, and values that lie behind a later one of their producer.
    pub(super) fn check_order(&self) -> Vec<Anomaly> {
        let (mut last, mut found) = (BTreeMap::<(u16, u16), Value>::new(), Vec::new());
        for (place, value) in self.places().filter_map(|(place, value)| Some((place, value?))) {
            let first = self.values[&value];
            if first != place {
                found.push(Anomaly::Duplicate { value, first, second: place });
                continue;
            }
            let before = last.insert((value.producer, place.partition), value);
            if let Some(first) = before.filter(|before| before.number > value.number) {
                found.push(Anomaly::Reordered { first, then: value });
            }
        }
        found
    }
}
