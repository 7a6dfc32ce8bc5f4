//! Which offsets are changed by records that are not committed yet.

use std::collections::BTreeMap;

use protocol::wire::Str;

use super::committed::OffsetKey;
use crate::group::machine::records::CoordinatorRecord;

/// How many records are on their way for each offset; an offset with none is not in here.
#[derive(Default)]
pub struct InFlightOffsets {
    counts: BTreeMap<OffsetKey, usize>,
}

impl InFlightOffsets {
    pub fn begin(&mut self, records: &[CoordinatorRecord]) {
        for key in records.iter().filter_map(key_of) {
            *self.counts.entry(key.clone()).or_default() += 1;
        }
    }

    pub fn end(&mut self, records: &[CoordinatorRecord]) {
        for key in records.iter().filter_map(key_of) {
            if let Some(count) = self.counts.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(key);
                }
            }
        }
    }

    pub fn contains(&self, key: &OffsetKey) -> bool {
        self.counts.contains_key(key)
    }

    pub fn of_group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a OffsetKey> {
        let first = OffsetKey { group: Str::from(group), topic: Str::default(), partition: i32::MIN };
        self.counts.range(first..).map(|(key, _)| key).take_while(move |key| &*key.group == group)
    }
}

fn key_of(record: &CoordinatorRecord) -> Option<&OffsetKey> {
    match record {
        CoordinatorRecord::Offset { key, .. } | CoordinatorRecord::OffsetGone { key } => Some(key),
        CoordinatorRecord::Group { .. } | CoordinatorRecord::GroupGone { .. } => None,
    }
}
