//! The timestamps of a segment: its largest, by which retention judges, its first, by which it is rolled, and the
//! record that a consumer looks for by time.

use protocol::records::{DECOMPRESSED_BYTES_MAX, Record};
use protocol::types::Offset;

use super::scan::read_batch;
use super::{BatchAt, Damage, Segment, SegmentError};
use crate::failure::IoFailure;
use crate::log::TimestampedOffset;

/// The largest timestamp of a segment, and the last offset of the batch that has it; −1 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaxTimestamp {
    pub timestamp: i64,
    pub offset: Offset,
}

impl MaxTimestamp {
    /// Of a segment without any timestamp.
    pub(super) fn none(base_offset: Offset) -> MaxTimestamp {
        MaxTimestamp { timestamp: -1, offset: base_offset }
    }
}

impl Segment {
    /// The largest timestamp of the segment; −1 if no record has one.
    pub(crate) fn max_timestamp(&mut self) -> Result<i64, IoFailure> {
        Ok(self.max_timestamp_entry()?.timestamp)
    }

    /// By what retention judges the segment: its largest timestamp or, without one, when it was written last.
    pub(crate) fn retention_timestamp(&mut self) -> Result<i64, IoFailure> {
        match self.max_timestamp()? {
            timestamp if timestamp >= 0 => Ok(timestamp),
            _ => self.log.modified_ms(),
        }
    }

    /// How long the segment has waited to be rolled: by the timestamps of its records, else by the clock.
    pub(crate) fn waited_ms(&mut self, newest_timestamp: i64, now_ms: i64) -> Result<i64, SegmentError> {
        if self.first_timestamp.is_none() && self.size > 0 {
            self.first_timestamp = self.scan_from(0).next()?.map(|batch| batch.header.max_timestamp);
        }
        match self.first_timestamp {
            Some(first) if first >= 0 => Ok(newest_timestamp.saturating_sub(first)),
            _ => Ok(now_ms.saturating_sub(self.created_ms)),
        }
    }

    /// The first record at or behind `from` whose timestamp is `target` or later.
    pub(crate) fn find_timestamp(
        &self,
        target: i64,
        from: Offset,
    ) -> Result<Option<TimestampedOffset>, SegmentError> {
        let behind = self.times.partition_point(|entry| entry.timestamp <= target)?;
        let earlier = behind.checked_sub(1).map(|index| self.times.get(index)).transpose()?;
        let none_before =
            earlier.map_or(self.base_offset, |entry| self.base_offset + entry.relative_offset.into());
        let mut scan = self.scan_from(self.indexed_position(none_before.max(from))?);
        while let Some(batch) = scan.next()? {
            if batch.header.max_timestamp < target || batch.header.last_offset() < from {
                continue;
            }
            let found =
                self.find_record(&batch, |record| record.timestamp >= target && record.offset >= from)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The first record that has the largest timestamp of the segment.
    pub(crate) fn find_max_timestamp(&mut self) -> Result<Option<TimestampedOffset>, SegmentError> {
        let largest = self.max_timestamp_entry()?;
        let Some(batch) =
            self.find_batch(largest.offset, |batch| batch.header.last_offset() >= largest.offset)?
        else {
            return Ok(None);
        };
        self.find_record(&batch, |record| record.timestamp >= largest.timestamp)
    }

    pub(super) fn max_timestamp_entry(&mut self) -> Result<MaxTimestamp, IoFailure> {
        if let Some(known) = self.max_timestamp {
            return Ok(known);
        }
        let loaded = match self.times.last()? {
            Some(last) => MaxTimestamp {
                timestamp: last.timestamp,
                offset: self.base_offset + i64::from(last.relative_offset),
            },
            None => MaxTimestamp::none(self.base_offset),
        };
        self.max_timestamp = Some(loaded);
        Ok(loaded)
    }

    fn find_record(
        &self,
        batch: &BatchAt,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Option<TimestampedOffset>, SegmentError> {
        let damage = |error: protocol::records::RecordsError| Damage {
            path: self.log.path(),
            position: batch.position,
            reason: error.to_string(),
        };
        let records = read_batch(&self.log, batch)?.records(DECOMPRESSED_BYTES_MAX).map_err(damage)?;
        for record in records {
            let record = record.map_err(damage)?;
            if wanted(&record) {
                let (offset, timestamp) = (record.offset, record.timestamp);
                let leader_epoch = batch.header.partition_leader_epoch;
                return Ok(Some(TimestampedOffset { offset, timestamp, leader_epoch }));
            }
        }
        Ok(None)
    }
}
