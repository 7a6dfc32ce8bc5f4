//! Removing what retention has chosen, and whole logs. Files get another name first and go later, so that those who are
//! sending them can finish.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::types::{Offset, Uuid};

use super::retention::{Retention, SegmentFacts, expired};
use super::{DeletedSegment, DeletionReason, Log, LogError};
use crate::durable::sync_dir;
use crate::failure::IoFailure;
use crate::files::SegmentFile;
use crate::log_dir::deletion_name;
use crate::segment::Segment;
use crate::topic_partition::TopicPartition;

/// Files that are no part of the log any more, and when they go.
#[derive(Debug, Default)]
pub(super) struct DeletedFiles {
    waiting: VecDeque<(i64, [Arc<SegmentFile>; 4])>,
}

impl DeletedFiles {
    /// Renames the files of a segment; [`DeletedFiles::purge`] removes them once `due_ms` has come.
    fn remove_later(&mut self, segment: &Segment, due_ms: i64) -> Result<(), IoFailure> {
        let files = segment.files().map(Arc::clone);
        for file in &files {
            file.mark_deleted()?;
        }
        self.waiting.push_back((due_ms, files));
        Ok(())
    }

    /// Removes the files of a segment whose offsets are about to be used again.
    pub(super) fn remove_now(&self, segment: &Segment) -> Result<(), IoFailure> {
        segment.files().into_iter().try_for_each(|file| file.remove())
    }

    fn purge(&mut self, now_ms: i64) -> Result<(), IoFailure> {
        while let Some((_, files)) = self.waiting.pop_front_if(|(due_ms, _)| *due_ms <= now_ms) {
            files.iter().try_for_each(|file| file.remove())?;
        }
        Ok(())
    }
}

impl Log {
    /// Moves the log start offset forward, to `high_watermark` at most, as DeleteRecords and leaders ask for. Returns
    /// where it is now.
    pub fn advance_log_start(&mut self, to: Offset, high_watermark: Offset) -> Offset {
        let to = to.min(high_watermark).min(self.log_end_offset);
        if to > self.log_start_offset {
            self.log_start_offset = to;
            self.unsynced.epochs |= self.epochs.truncate_from_start(to);
            self.producers.forget_settled_transactions(to);
        }
        self.debug_assert_invariants();
        self.log_start_offset
    }

    /// Removes the oldest segments that time, size or the log start offset have done with. Where all of them have had
    /// their time a fresh segment is begun.
    pub fn apply_retention(
        &mut self,
        now_ms: i64,
        high_watermark: Offset,
    ) -> Result<Vec<DeletedSegment>, LogError> {
        self.refuse_if_failed()?;
        let reasons = self.expired_segments(now_ms, high_watermark)?;
        self.written_since_open |= !reasons.is_empty();
        if reasons.len() == self.segments.len() {
            self.roll(self.log_end_offset, now_ms)?;
        }
        let removed = self.segments.remove_first(reasons.len());
        self.advance_log_start(self.segments.first().base_offset, high_watermark);
        let delay_ms = i64::try_from(self.config.file_delete_delay.as_millis()).unwrap_or(i64::MAX);
        for segment in &removed {
            let renamed = self.deleted.remove_later(segment, now_ms.saturating_add(delay_ms));
            self.watch(renamed)?;
            let forgotten = self.snapshots.remove(segment.base_offset);
            self.watch(forgotten)?;
        }
        self.debug_assert_invariants();
        Ok(removed.iter().zip(reasons).map(|(segment, reason)| deleted(segment, reason)).collect())
    }

    /// Removes from the disk the files of segments that were deleted `file.delete.delay.ms` ago.
    pub fn purge(&mut self, now_ms: i64) -> Result<(), LogError> {
        let purged = self.deleted.purge(now_ms);
        self.watch(purged)
    }

    /// Renames the log's directory to say that it is deleted, and returns where it lies now:
    /// [`remove_partition_dir`](crate::log_dir::remove_partition_dir) removes it when nobody can be sending it any more.
    pub fn delete(self, partition: &TopicPartition, id: Uuid) -> Result<PathBuf, IoFailure> {
        let deleted = self.home.directory().with_file_name(deletion_name(partition, id));
        self.home.rename(deleted.clone())?;
        deleted.parent().map_or(Ok(()), sync_dir)?;
        Ok(deleted)
    }

    fn expired_segments(
        &mut self,
        now_ms: i64,
        high_watermark: Offset,
    ) -> Result<Vec<DeletionReason>, LogError> {
        let facts = self.segment_facts()?;
        let by_age_and_size = self.config.cleanup_policy.delete;
        let time = self.config.retention_time.filter(|_| by_age_and_size);
        let retention = Retention {
            time_ms: time.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
            bytes: self.config.retention_bytes.filter(|_| by_age_and_size),
            log_start_offset: self.log_start_offset,
            high_watermark,
            now_ms,
        };
        Ok(expired(&facts, &retention))
    }

    fn segment_facts(&mut self) -> Result<Vec<SegmentFacts>, LogError> {
        let ends = self.segments.base_offsets().skip(1).chain([self.log_end_offset]).collect::<Vec<_>>();
        let active = self.segments.active().base_offset;
        let facts = self.segments.iter_mut().zip(ends).map(|(segment, end_offset)| {
            Ok(SegmentFacts {
                end_offset,
                bytes: segment.size,
                newest_timestamp: segment.retention_timestamp()?,
                is_active: segment.base_offset == active,
            })
        });
        facts.collect()
    }
}

fn deleted(segment: &Segment, reason: DeletionReason) -> DeletedSegment {
    DeletedSegment { base_offset: segment.base_offset, bytes: segment.size, reason }
}
