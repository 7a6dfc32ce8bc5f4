//! Reading by time: ListOffsets for a timestamp, and for the largest one. It asks every segment, and so a view.

use protocol::types::Offset;

use super::{LogError, LogView, TimestampedOffset};

impl LogView {
    /// The first record, from the log start offset on, with a timestamp of `target` or later; `None` unless there is
    /// one below `upto`. Only of a view of the whole log.
    pub fn offset_for_timestamp(
        &mut self,
        target: i64,
        upto: Offset,
    ) -> Result<Option<TimestampedOffset>, LogError> {
        let from = self.extent.log_start_offset;
        for segment in &mut self.segments {
            if segment.base_offset >= upto {
                break;
            }
            if segment.max_timestamp()? < target {
                continue;
            }
            if let Some(found) = segment.find_timestamp(target, from)? {
                return Ok(Some(found).filter(|found| found.offset < upto));
            }
        }
        Ok(None)
    }

    /// The first record that has the largest timestamp of the log; `None` if no record has one. Only of a view of the
    /// whole log.
    pub fn max_timestamp(&mut self) -> Result<Option<TimestampedOffset>, LogError> {
        let mut largest = -1;
        let mut holder = None;
        for segment in &mut self.segments {
            let timestamp = segment.max_timestamp()?;
            if timestamp > largest {
                (largest, holder) = (timestamp, Some(segment));
            }
        }
        match holder {
            Some(segment) => Ok(segment.find_max_timestamp()?),
            None => Ok(None),
        }
    }
}
