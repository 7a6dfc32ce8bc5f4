//! A look at one replica from outside, all of one moment: for those who check it, and decide nothing.

use protocol::types::Offset;
use storage::log::Log;
use storage::producer::ProducerEntry;

use super::errors::PartitionError;
use super::partition::{LogState, Partition};
use super::role::Role;

/// A replica whose log is open, under its lock.
pub struct Inspected<'a> {
    pub role: &'a Role,
    pub high_watermark: Offset,
    pub last_stable_offset: Offset,
    pub log: &'a mut Log,
}

impl Partition {
    /// Shows the replica to `look`; `None` while its log is not open.
    pub fn inspect<T>(&self, look: impl FnOnce(Inspected) -> T) -> Option<T> {
        let mut state = self.lock();
        let last_stable_offset = state.last_stable_offset();
        let state = &mut *state;
        let LogState::Open(log) = &mut state.log else { return None };
        let (role, high_watermark) = (&state.role, state.high_watermark);
        Some(look(Inspected { role, high_watermark, last_stable_offset, log }))
    }

    /// What the log remembers of its producers, by their ids.
    pub fn producers(&self) -> Result<Vec<(i64, ProducerEntry)>, PartitionError> {
        let mut state = self.lock();
        let known = state.open_log()?.producers().producers();
        let mut producers: Vec<_> = known.iter().map(|(&id, producer)| (id, producer.clone())).collect();
        producers.sort_unstable_by_key(|(id, _)| *id);
        Ok(producers)
    }
}
