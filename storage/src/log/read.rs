//! Reading by offset: which bytes of which segment a fetch may send.

use protocol::types::Offset;

use super::{FileRange, Log, ReadError, Slice};
use crate::segment::{Located, Segment};

impl Log {
    /// The batches from the one that holds `from` on, `max_bytes` of them, all below `upto`: the high watermark, the
    /// last stable offset or the log end offset. With `at_least_one` the first batch is given whole though it may be
    /// larger. The range ends with its segment; the reader comes again for the next.
    pub fn read(
        &self,
        from: Offset,
        max_bytes: usize,
        upto: Offset,
        at_least_one: bool,
    ) -> Result<Slice, ReadError> {
        let wanted = Wanted { from, max_bytes, upto, at_least_one };
        self.extent().read(self.segments.holding_or_behind(from), &wanted)
    }

    /// Whether a read from here on asks no file: neither where its batches lie nor, for a read_committed consumer, which
    /// transactions were aborted. Other reads had better look at a [`view`](Log::view_from).
    pub fn reads_from_memory(&self, from: Offset, read_committed: bool) -> bool {
        let active = self.segments.active();
        let has_aborted =
            || self.segments.holding_or_behind(from).any(|segment| !segment.transactions.is_empty());
        from == self.log_end_offset || active.has_in_memory(from) && !(read_committed && has_aborted())
    }

    pub(super) fn extent(&self) -> Extent {
        Extent {
            log_start_offset: self.log_start_offset,
            log_end_offset: self.log_end_offset,
            active: self.segments.active().base_offset,
        }
    }
}

/// Where a log starts and ends, and where its active segment begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub log_start_offset: Offset,
    pub log_end_offset: Offset,
    pub active: Offset,
}

/// What a read asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub from: Offset,
    pub max_bytes: usize,
    pub upto: Offset,
    pub at_least_one: bool,
}

impl Extent {
    /// Reads from the first of `segments`, which begin with the one that would hold `from`, that has something to read.
    pub(super) fn read<'a>(
        &self,
        segments: impl Iterator<Item = &'a Segment>,
        wanted: &Wanted,
    ) -> Result<Slice, ReadError> {
        let Extent { log_start_offset, log_end_offset, .. } = *self;
        let (from, nothing) = (wanted.from, Slice { range: None, first_offset: wanted.from });
        if from < log_start_offset || from > log_end_offset {
            return Err(ReadError::OutOfRange { requested: from, log_start_offset, log_end_offset });
        }
        if from >= wanted.upto {
            return Ok(nothing);
        }
        for segment in segments {
            if let Some(first) = segment.locate(from)? {
                let end = self.end_position(segment, wanted.upto)?;
                return Ok(slice(segment, &first, end, wanted));
            }
        }
        Ok(nothing)
    }

    /// Where in `segment` the first batch lies that is not wholly below `upto`.
    fn end_position(&self, segment: &Segment, upto: Offset) -> Result<u64, ReadError> {
        let is_active = segment.base_offset == self.active;
        if upto >= self.log_end_offset || (!is_active && upto >= self.active) {
            return Ok(segment.size);
        }
        Ok(segment.locate(upto)?.map_or(segment.size, |beyond| beyond.position))
    }
}

fn slice(segment: &Segment, first: &Located, end: u64, wanted: &Wanted) -> Slice {
    let max_bytes = wanted.max_bytes as u64;
    let wanted = if wanted.at_least_one { first.size.max(max_bytes) } else { max_bytes };
    let available = end.saturating_sub(first.position);
    let nothing = available == 0 || wanted < first.size;
    let range = (!nothing).then(|| FileRange {
        file: segment.log.clone(),
        position: first.position,
        length: available.min(wanted) as u32,
        read_once: false,
    });
    Slice { range, first_offset: first.base_offset }
}
