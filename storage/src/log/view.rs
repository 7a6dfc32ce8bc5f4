//! A log as it was at one moment, to be looked into without the owner's lock: what is not in memory is read from the files
//! while others append.
//!
//! Appends change nothing of what a view shows. A truncation does, and so may the removal of a deleted segment's files:
//! what a view gave, an error too, counts only if [`Log::is_as_viewed`] says so afterwards, under the lock.

use protocol::types::Offset;

use super::read::{Extent, Wanted};
use super::{Log, ReadError, Slice};
use crate::index::AbortedTransaction;
use crate::segment::Segment;

/// See the module.
#[derive(Debug)]
pub struct LogView {
    pub(super) extent: Extent,
    pub(super) segments: Vec<Segment>,
    truncations: u64,
    /// The first offset that is looked for.
    from: Offset,
}

impl Log {
    /// A view that serves one read from `from` on, and tells which transactions were aborted there.
    pub fn view_from(&self, from: Offset) -> LogView {
        let mut is_enough = false;
        let needed = self.segments.holding_or_behind(from).filter(|segment| {
            let needed = !is_enough || !segment.transactions.is_empty();
            is_enough |= segment.base_offset > from && segment.size > 0;
            needed
        });
        self.view_of(needed, from)
    }

    /// A view of the whole log.
    pub fn view(&self) -> LogView {
        self.view_of(self.segments.iter(), self.log_start_offset)
    }

    /// Whether what the view showed still is so.
    pub fn is_as_viewed(&self, view: &LogView) -> bool {
        self.truncations == view.truncations && self.log_start_offset <= view.from
    }

    fn view_of<'a>(&self, segments: impl Iterator<Item = &'a Segment>, from: Offset) -> LogView {
        let segments = segments.cloned().collect();
        LogView { extent: self.extent(), segments, truncations: self.truncations, from }
    }
}

impl LogView {
    /// As [`Log::read`], from where the view was made for.
    pub fn read(&self, max_bytes: usize, upto: Offset, at_least_one: bool) -> Result<Slice, ReadError> {
        let wanted = Wanted { from: self.from, max_bytes, upto, at_least_one };
        self.extent.read(self.segments.iter(), &wanted)
    }

    /// The transactions that were aborted and have records from where the view was made for to below `upto`, in the order
    /// of their markers.
    pub fn aborted_transactions(&self, upto: Offset) -> Result<Vec<AbortedTransaction>, ReadError> {
        let mut found = Vec::new();
        for segment in self.segments.iter().filter(|segment| !segment.transactions.is_empty()) {
            for aborted in segment.transactions.read_all()? {
                if aborted.last_offset >= self.from && aborted.first_offset < upto {
                    found.push(aborted);
                }
                if aborted.last_stable_offset >= upto {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}
