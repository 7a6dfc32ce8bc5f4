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
        let (log_start_offset, log_end_offset) = (self.log_start_offset, self.log_end_offset);
        if from < log_start_offset || from > log_end_offset {
            return Err(ReadError::OutOfRange { requested: from, log_start_offset, log_end_offset });
        }
        if from >= upto {
            return Ok(Slice { range: None, first_offset: from });
        }
        for segment in self.segments.holding_or_behind(from) {
            if let Some(first) = segment.locate(from)? {
                let end = self.end_position(segment, upto)?;
                return Ok(slice(segment, &first, end, max_bytes, at_least_one));
            }
        }
        Ok(Slice { range: None, first_offset: from })
    }

    /// Where in `segment` the first batch lies that is not wholly below `upto`.
    fn end_position(&self, segment: &Segment, upto: Offset) -> Result<u64, ReadError> {
        let is_active = segment.base_offset == self.segments.active().base_offset;
        if upto >= self.log_end_offset || (!is_active && upto >= self.segments.active().base_offset) {
            return Ok(segment.size);
        }
        Ok(segment.locate(upto)?.map_or(segment.size, |beyond| beyond.position))
    }
}

fn slice(segment: &Segment, first: &Located, end: u64, max_bytes: usize, at_least_one: bool) -> Slice {
    let wanted = if at_least_one { first.size.max(max_bytes as u64) } else { max_bytes as u64 };
    let available = end.saturating_sub(first.position);
    let nothing = available == 0 || wanted < first.size;
    let range = (!nothing).then(|| FileRange {
        file: segment.log.clone(),
        position: first.position,
        length: available.min(wanted) as u32,
    });
    Slice { range, first_offset: first.base_offset }
}
