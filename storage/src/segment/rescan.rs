//! Going over a segment's batches once more: to verify them after a crash, to make its indexes anew, to replay them for
//! the producers' state.

use protocol::records::{
    BatchHeader, DECOMPRESSED_BYTES_MAX, EndTransactionMarker, RecordBatch, RecordsError,
};
use protocol::types::Offset;

use super::scan::read_batch;
use super::{BatchAt, BatchScan, Damage, Segment, SegmentError};
use crate::failure::IoFailure;
use crate::index::TransactionIndex;
use crate::producer::AppendedBatch;

/// How much of a segment is read at once.
const RESCAN_READ_BYTES: usize = 1 << 20;

/// Sees every batch of a rescan, and may add to the transaction index.
pub(crate) type Visit<'a> =
    dyn FnMut(&AppendedBatch, Option<&mut TransactionIndex>) -> Result<(), IoFailure> + 'a;

/// What a rescan found.
#[derive(Debug)]
pub(crate) struct Rescan {
    /// The offset behind the last good batch.
    pub next_offset: Offset,
    /// Bytes of the batches that were gone over.
    pub bytes: u64,
    /// What stands behind the last good batch, if it is not the end.
    pub damage: Option<Damage>,
}

impl Segment {
    /// Keeps of offset and time index what can be trusted below `offset`, and forgets the batches behind it, which stay
    /// in the file for [`Segment::rescan`]. Returns the size of the file, and the offset from which on batches are forgotten.
    pub(crate) fn rewind_to(&mut self, offset: Offset) -> Result<(u64, Offset), IoFailure> {
        let file_size = self.size;
        let below = offset - self.base_offset;
        self.offsets.keep_sound_prefix(|entry| {
            i64::from(entry.relative_offset) < below && u64::from(entry.position) < file_size
        })?;
        let (position, from) = match self.last_indexed_batch() {
            Ok(Some(batch)) => (batch.position, batch.header.base_offset),
            Ok(None) | Err(SegmentError::Damaged(_)) => (0, self.base_offset),
            Err(SegmentError::Io(failure)) => return Err(failure),
        };
        self.forget_from(position, from)?;
        Ok((file_size, from))
    }

    /// Goes over the batches from `size` to `file_size`, indexes them, and shows each to `visit`. Stops at the first
    /// that is damaged: what follows it is in the file still.
    pub(crate) fn rescan(
        &mut self,
        file_size: u64,
        expected_offset: Offset,
        verify: bool,
        index_interval_bytes: u32,
        visit: &mut Visit<'_>,
    ) -> Result<Rescan, IoFailure> {
        self.warm()?;
        let log = self.log.clone();
        let mut scan = BatchScan::new(&log, self.size, file_size, RESCAN_READ_BYTES);
        let mut found = Rescan { next_offset: expected_offset, bytes: 0, damage: None };
        loop {
            match self.next_good(&mut scan, found.next_offset, verify) {
                Ok(None) => return Ok(found),
                Ok(Some((position, batch))) => {
                    debug_assert_eq!(position, self.size);
                    self.note_batch(&batch.header, index_interval_bytes);
                    self.make_room()?;
                    visit(&batch, Some(&mut self.transactions))?;
                    found.next_offset = batch.header.next_offset();
                    found.bytes += batch.header.batch_size() as u64;
                }
                Err(SegmentError::Io(failure)) => return Err(failure),
                Err(SegmentError::Damaged(damage)) => {
                    found.damage = Some(damage);
                    return Ok(found);
                }
            }
        }
    }

    /// Whether the indexes are sound, as far as their last entries tell: there may be zeros behind true ones.
    pub(crate) fn has_true_index(&self) -> Result<bool, IoFailure> {
        let offsets_are_true = match self.last_indexed_batch() {
            Ok(batch) => batch.is_some() || self.offsets.len() == 0,
            Err(SegmentError::Damaged(_)) => false,
            Err(SegmentError::Io(failure)) => return Err(failure),
        };
        Ok(offsets_are_true && self.times.grows()?)
    }

    /// Shows the batches from `from` to `upto` to `visit`, and changes nothing.
    pub(crate) fn replay(
        &self,
        from: Offset,
        upto: Offset,
        visit: &mut Visit<'_>,
    ) -> Result<(), SegmentError> {
        let position = self.indexed_position(from)?;
        let mut scan = BatchScan::new(&self.log, position, self.size, RESCAN_READ_BYTES);
        while let Some(batch) = scan.next()? {
            if batch.header.base_offset >= upto {
                return Ok(());
            }
            if batch.header.last_offset() >= from {
                visit(&self.with_marker(&batch)?, None)?;
            }
        }
        Ok(())
    }

    /// Shows the headers of the last batches below `end` to `visit`: those behind the last `entries` of the index.
    pub(crate) fn look_back(
        &self,
        end: Offset,
        entries: usize,
        visit: &mut dyn FnMut(&BatchHeader),
    ) -> Result<(), SegmentError> {
        let mut scan = self.scan_from(self.position_before(end, entries)?);
        while let Some(batch) = scan.next()?.filter(|batch| batch.header.base_offset < end) {
            visit(&batch.header);
        }
        Ok(())
    }

    fn next_good(
        &self,
        scan: &mut BatchScan<'_>,
        expected_offset: Offset,
        verify: bool,
    ) -> Result<Option<(u64, AppendedBatch)>, SegmentError> {
        let Some(batch) = scan.next()? else { return Ok(None) };
        if batch.header.base_offset < expected_offset || !self.can_hold(batch.header.last_offset()) {
            let (base, last) = (batch.header.base_offset, batch.header.last_offset());
            let reason =
                format!("the batch has offsets {base} to {last}, where {expected_offset} or more is due");
            return Err(Damage { path: self.log.path(), position: batch.position, reason }.into());
        }
        if verify {
            scan.verify_crc(&batch)?;
        }
        Ok(Some((batch.position, self.with_marker(&batch)?)))
    }

    fn with_marker(&self, batch: &BatchAt) -> Result<AppendedBatch, SegmentError> {
        let header = batch.header;
        let marker = match header.is_control() && header.has_producer_id() {
            true => self.read_marker(batch)?,
            false => None,
        };
        Ok(AppendedBatch { header, marker })
    }

    fn read_marker(&self, batch: &BatchAt) -> Result<Option<EndTransactionMarker>, SegmentError> {
        let parsed = marker_of(&read_batch(&self.log, batch)?);
        parsed.map_err(|error| {
            Damage { path: self.log.path(), position: batch.position, reason: error.to_string() }.into()
        })
    }

    /// The batch that the last index entry leads to, if it is the one that the entry speaks of.
    fn last_indexed_batch(&self) -> Result<Option<BatchAt>, SegmentError> {
        let Some(last) = self.offsets.last()? else { return Ok(None) };
        let last_offset = self.base_offset + i64::from(last.relative_offset);
        let batch = self.scan_from(last.position.into()).next()?;
        Ok(batch.filter(|batch| batch.header.last_offset() == last_offset))
    }

    /// Forgets every batch from `position` on, the first of which begins with `from`.
    fn forget_from(&mut self, position: u64, from: Offset) -> Result<(), IoFailure> {
        let end = from - self.base_offset;
        let kept = self.offsets.partition_point(|entry| u64::from(entry.position) < position)?;
        self.offsets.truncate(kept)?;
        self.times.keep_sound_prefix(|entry| i64::from(entry.relative_offset) < end)?;
        self.recent.clear();
        self.max_timestamp = None;
        self.first_timestamp = None;
        self.bytes_since_index_entry = 0;
        self.size = position;
        Ok(())
    }
}

/// The marker in a control batch, if it ends a transaction.
pub(crate) fn marker_of(batch: &RecordBatch) -> Result<Option<EndTransactionMarker>, RecordsError> {
    match batch.records(DECOMPRESSED_BYTES_MAX)?.next() {
        Some(record) => EndTransactionMarker::parse(&record?),
        None => Ok(None),
    }
}
