//! Appending: the producers' check, one `pwritev`, and the bookkeeping behind it, as one step under the owner's lock.

use std::io::IoSlice;

use bytes::Bytes;
use protocol::records::{
    BATCH_HEADER_LENGTH, BatchHeader, RecordBatch, RecordsError, TimestampType, batches,
};
use protocol::types::{LeaderEpoch, Offset};

use super::{AppendError, Appended, Log, LogError};
use crate::index::AbortedTransaction;
use crate::producer::{AppendOrigin, AppendedBatch, BatchMetadata, ProducerUpdates, Verdict};
use crate::segment::{MAX_RELATIVE_OFFSET, WriteFailure, marker_of};

impl Log {
    /// Appends what a leader was sent, under its epoch and at the next offsets. The batches must have passed
    /// [`prepare_for_append`](super::prepare_for_append) or be the owner's own. All are appended or none.
    pub fn append_as_leader(
        &mut self,
        batches: &[RecordBatch],
        leader_epoch: LeaderEpoch,
        origin: AppendOrigin,
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        self.refuse_if_failed()?;
        let assigned = assign_offsets(batches, self.log_end_offset, leader_epoch)?;
        self.refuse_if_larger_than_segment(batches)?;
        match self.producers.check(&assigned, origin)? {
            Verdict::Duplicate(original) => Ok(Appended::before(&original)),
            Verdict::New(updates) => self.append(batches, &assigned, updates, now_ms),
        }
    }

    /// Appends what a follower has fetched, with the offsets and epochs that the leader gave. A batch that was cut
    /// short at the end is left out, and so is what carries a later epoch than `leader_epoch`, under which the fetch was
    /// asked. `None` if nothing remains.
    ///
    /// An empty log may start inside of a batch of the leader's, whose records were deleted up to there: it then begins
    /// with that batch, and starts where it did.
    pub fn append_as_follower(
        &mut self,
        records: &Bytes,
        leader_epoch: LeaderEpoch,
        now_ms: i64,
    ) -> Result<Option<Appended>, AppendError> {
        self.refuse_if_failed()?;
        let fetched = fetched_batches(records, leader_epoch)?;
        let appended = with_markers(&fetched)?;
        let log_start_offset = self.log_start_offset;
        if let Some(first) = self.base_offset_to_begin_with(&appended) {
            self.truncate_fully_and_start_at(first, now_ms)?;
        }
        refuse_unless_growing(&appended, self.log_end_offset)?;
        if appended.is_empty() {
            return Ok(None);
        }
        let appended = match self.producers.check(&appended, AppendOrigin::Replication)? {
            Verdict::Duplicate(original) => Appended::before(&original),
            Verdict::New(updates) => self.append(&fetched, &appended, updates, now_ms)?,
        };
        self.advance_log_start(log_start_offset, log_start_offset);
        Ok(Some(appended))
    }

    /// The base offset of the first batch, if this log is empty and starts inside of it.
    fn base_offset_to_begin_with(&self, appended: &[AppendedBatch]) -> Option<Offset> {
        let AppendedBatch { header, .. } = appended.first()?;
        let is_empty = self.log_start_offset == self.log_end_offset;
        let starts_inside = (header.base_offset..header.next_offset()).contains(&self.log_end_offset)
            && header.base_offset != self.log_end_offset;
        (is_empty && starts_inside).then_some(header.base_offset)
    }

    fn append(
        &mut self,
        batches: &[RecordBatch],
        appended: &[AppendedBatch],
        updates: ProducerUpdates,
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        let base_offset = appended.first().map_or(self.log_end_offset, |batch| batch.header.base_offset);
        let aborted = self.producers.aborted_by(&updates);
        let mut done = 0;
        while done < appended.len() {
            let run = done..done + fits_one_segment(&appended[done..]);
            done = run.end;
            self.append_run(&batches[run.clone()], &appended[run], &aborted, now_ms)?;
        }
        self.producers.apply(updates, self.log_end_offset);
        self.debug_assert_invariants();
        Ok(Appended {
            base_offset,
            last_offset: self.log_end_offset - 1,
            log_append_time: appended.first().and_then(|batch| log_append_time(&batch.header)),
            duplicate: false,
        })
    }

    /// Appends batches that fit into one segment, rolling first if it is time.
    fn append_run(
        &mut self,
        batches: &[RecordBatch],
        appended: &[AppendedBatch],
        aborted: &[AbortedTransaction],
        now_ms: i64,
    ) -> Result<(), AppendError> {
        self.written_since_open = true;
        self.unflushed_since_ms.get_or_insert(now_ms);
        self.roll_if_due(appended, now_ms)?;
        self.index_aborted(appended, aborted)?;
        let written = self.write(batches, appended);
        if written.is_err() {
            let first = appended.first().map_or(self.log_end_offset, |batch| batch.header.base_offset);
            let forgotten = self.segments.active_mut().transactions.truncate_to(first);
            self.failed |= forgotten.is_err();
            return written;
        }
        for AppendedBatch { header, .. } in appended {
            self.segments.active_mut().note_batch(header, self.config.index_interval_bytes);
            self.unsynced.epochs |= self.epochs.assign(header.partition_leader_epoch, header.base_offset);
            self.log_end_offset = header.next_offset();
        }
        let bounded = self.segments.active_mut().make_room();
        Ok(self.watch(bounded)?)
    }

    fn write(&mut self, batches: &[RecordBatch], appended: &[AppendedBatch]) -> Result<(), AppendError> {
        let headers: Vec<_> = appended.iter().map(|batch| batch.header.to_bytes()).collect();
        match self.segments.active_mut().write(&mut buffers(&headers, batches)) {
            Ok(()) => Ok(()),
            Err(WriteFailure::Exhausted(failure)) => Err(AppendError::Exhausted(failure)),
            Err(WriteFailure::Broken(failure)) => {
                self.failed = true;
                Err(AppendError::Log(LogError::Io(failure)))
            }
        }
    }

    /// The transaction index comes first: an aborted transaction that is not in it would be shown to consumers, while an
    /// entry too many is cut off again.
    fn index_aborted(
        &mut self,
        appended: &[AppendedBatch],
        aborted: &[AbortedTransaction],
    ) -> Result<(), AppendError> {
        let markers = appended.iter().map(|batch| batch.header.last_offset());
        for transaction in aborted {
            if markers.clone().any(|marker| marker == transaction.last_offset) {
                let indexed = self.segments.active_mut().transactions.append(*transaction);
                self.watch(indexed)?;
            }
        }
        Ok(())
    }

    fn refuse_if_larger_than_segment(&self, batches: &[RecordBatch]) -> Result<(), AppendError> {
        let bytes: u64 = batches.iter().map(|batch| batch.size_in_bytes() as u64).sum();
        let segment_bytes = self.config.segment_bytes;
        match bytes <= segment_bytes.into() {
            true => Ok(()),
            false => Err(AppendError::LargerThanSegment { bytes, segment_bytes }),
        }
    }
}

impl Appended {
    fn before(original: &BatchMetadata) -> Appended {
        Appended {
            base_offset: original.first_offset(),
            last_offset: original.last_offset,
            log_append_time: Some(original.timestamp),
            duplicate: true,
        }
    }
}

/// The headers of `batches` with the offsets and the epoch that they get.
fn assign_offsets(
    batches: &[RecordBatch],
    mut next_offset: Offset,
    leader_epoch: LeaderEpoch,
) -> Result<Vec<AppendedBatch>, AppendError> {
    let mut assigned = with_markers(batches)?;
    for AppendedBatch { header, .. } in &mut assigned {
        header.base_offset = next_offset;
        header.partition_leader_epoch = leader_epoch;
        let (first, last) = (header.base_offset, header.last_offset());
        if last < first || last.0 == i64::MAX {
            return Err(AppendError::UnexpectedOffset { first, last, expected: next_offset });
        }
        next_offset = header.next_offset();
    }
    Ok(assigned)
}

fn with_markers(batches: &[RecordBatch]) -> Result<Vec<AppendedBatch>, RecordsError> {
    let with_marker = |batch: &RecordBatch| {
        let may_end_transaction = batch.header.is_control() && batch.header.has_producer_id();
        let marker = if may_end_transaction { marker_of(batch)? } else { None };
        Ok(AppendedBatch { header: batch.header, marker })
    };
    batches.iter().map(with_marker).collect()
}

/// The whole batches of a fetch response, their checksums verified.
fn fetched_batches(records: &Bytes, leader_epoch: LeaderEpoch) -> Result<Vec<RecordBatch>, RecordsError> {
    let mut fetched = Vec::new();
    for batch in batches(records) {
        match batch {
            Ok(batch) if batch.header.partition_leader_epoch > leader_epoch => break,
            Ok(batch) => {
                batch.verify_crc()?;
                fetched.push(batch);
            }
            Err(RecordsError::Truncated { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(fetched)
}

fn refuse_unless_growing(appended: &[AppendedBatch], mut expected: Offset) -> Result<(), AppendError> {
    for AppendedBatch { header, .. } in appended {
        let (first, last) = (header.base_offset, header.last_offset());
        if first < expected || last < first || last.0 == i64::MAX {
            return Err(AppendError::UnexpectedOffset { first, last, expected });
        }
        expected = header.next_offset();
    }
    Ok(())
}

/// How many of the batches, one at least, have offsets that can share a segment.
fn fits_one_segment(appended: &[AppendedBatch]) -> usize {
    let Some(first) = appended.first() else { return 0 };
    let near =
        |batch: &&AppendedBatch| batch.header.last_offset() - first.header.base_offset <= MAX_RELATIVE_OFFSET;
    appended.iter().take_while(near).count().max(1)
}

/// What goes to the disk: the patched headers, and the records as they were received.
fn buffers<'a>(headers: &'a [[u8; BATCH_HEADER_LENGTH]], batches: &'a [RecordBatch]) -> Vec<IoSlice<'a>> {
    let pairs = headers.iter().zip(batches);
    pairs.flat_map(|(header, batch)| [IoSlice::new(header), IoSlice::new(batch.payload())]).collect()
}

fn log_append_time(header: &BatchHeader) -> Option<i64> {
    (header.timestamp_type() == TimestampType::LogAppendTime).then_some(header.max_timestamp)
}
