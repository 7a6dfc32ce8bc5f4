//! What is done with a log that was not closed in order: from the recovery point on every batch is verified, indexes,
//! leader epochs and producers' state are made anew from them, and the log is cut before the first that is damaged.
//!
//! A killed process loses no pages, so that all it had appended is found.

use protocol::types::Offset;

use super::recovery::Recovery;
use super::snapshots::{load_producers, take_in};
use super::{LogConfig, LogError};
use crate::producer::ProducerState;
use crate::segment::{Damage, Segment};

/// The log as far as it has been verified.
struct Verified {
    end: Offset,
    producers: ProducerState,
}

impl Recovery<'_> {
    /// Goes over everything past the recovery point. Returns where the log ends, and its producers' state there.
    pub(super) fn verify(&mut self) -> Result<(Offset, ProducerState), LogError> {
        let recovery_point = self.opening.recovery_point;
        let below = self.segments.range(..=recovery_point).next_back();
        let first =
            below.or(self.segments.iter().next()).map_or(recovery_point, |(base_offset, _)| *base_offset);
        self.reindex_before(first)?;
        let mut verified = None;
        let mut unverified = self.segments.split_off(&first).into_values();
        for mut segment in unverified.by_ref() {
            let (file_size, start) = segment.rewind_to(recovery_point)?;
            segment.transactions.truncate_to(start)?;
            let mut so_far = match verified.take() {
                None => self.begin_verification(&segment, start)?,
                Some(so_far) => self.go_on_with(&segment, so_far)?,
            };
            let is_whole = self.verify_segment(&mut segment, file_size, &mut so_far)?;
            self.segments.insert(segment.base_offset, segment);
            verified = Some(so_far);
            if !is_whole {
                break;
            }
        }
        unverified.try_for_each(|segment| self.remove_behind_damage(&segment))?;
        let nothing = || (self.opening.log_start_offset, ProducerState::default());
        Ok(verified.map_or_else(nothing, |verified| (verified.end, verified.producers)))
    }

    /// What is known at `start`, where `segment` begins to be verified. Snapshots and epochs of later offsets may have
    /// reached the disk when the batches that they speak of had not.
    fn begin_verification(&mut self, segment: &Segment, start: Offset) -> Result<Verified, LogError> {
        self.snapshots.remove_above(start)?;
        if let Some(epochs) = &mut self.epochs {
            epochs.truncate_from_end(start);
        }
        let segments = self.segments.values().chain([segment]);
        let log_start = self.segments.keys().next().copied().unwrap_or(segment.base_offset);
        Ok(Verified {
            end: start,
            producers: load_producers(&mut self.snapshots, segments, log_start, start)?,
        })
    }

    /// A segment begins where the one before it ends, unless compaction came in between. What was never flushed may be
    /// lost to a crash from any file, so that its end may be missing though it is whole to look at.
    fn go_on_with(&mut self, segment: &Segment, mut so_far: Verified) -> Result<Verified, LogError> {
        if segment.base_offset > so_far.end && self.recovered.first_gap.is_none() {
            let (file, from, to) = (segment.log.path(), so_far.end, segment.base_offset);
            tracing::warn!(file = %file.display(), %from, %to, "offsets are missing before a segment");
            self.recovered.first_gap = Some(so_far.end);
        }
        so_far.producers.advance_end_offset(segment.base_offset);
        self.snapshots.take(&so_far.producers)?;
        Ok(so_far)
    }

    /// Verifies the rest of a segment, and says whether all of its file is good.
    fn verify_segment(
        &mut self,
        segment: &mut Segment,
        file_size: u64,
        so_far: &mut Verified,
    ) -> Result<bool, LogError> {
        let (epochs, producers) = (&mut self.epochs, &mut so_far.producers);
        let interval = self.config.index_interval_bytes;
        let found = segment.rescan(file_size, so_far.end, true, interval, &mut |batch, index| {
            if let Some(epochs) = epochs {
                epochs.assign(batch.header.partition_leader_epoch, batch.header.base_offset);
            }
            take_in(producers, batch, index)
        })?;
        so_far.end = found.next_offset;
        self.recovered.verified_bytes += found.bytes;
        if let Some(damage) = &found.damage {
            self.recovered.cut_bytes += cut(segment, file_size, found.next_offset, damage)?;
        }
        segment.become_inactive()?;
        Ok(found.damage.is_none())
    }

    fn remove_behind_damage(&mut self, segment: &Segment) -> Result<(), LogError> {
        tracing::warn!(file = %segment.log.path().display(), "removed a segment that lay behind a damaged one");
        self.recovered.cut_bytes += segment.size;
        Ok(segment.files().into_iter().try_for_each(|file| file.remove())?)
    }

    /// Makes the indexes of earlier segments anew where they are missing or untrue: a killed Apache Kafka leaves zeros
    /// behind the entries.
    fn reindex_before(&mut self, first: Offset) -> Result<(), LogError> {
        let Recovery { segments, unindexed, config, recovered, .. } = self;
        for (base_offset, segment) in segments.range_mut(..first) {
            if unindexed.contains(base_offset) || !segment.has_true_index()? {
                recovered.cut_bytes += reindex(segment, config)?;
            }
        }
        Ok(())
    }
}

/// Makes the offset and the time index of a segment anew. Returns how many bytes had to be cut off.
pub(super) fn reindex(segment: &mut Segment, config: &LogConfig) -> Result<u64, LogError> {
    tracing::warn!(file = %segment.log.path().display(), "making a missing or untrue index anew");
    let (file_size, start) = segment.rewind_to(segment.base_offset)?;
    let found = segment.rescan(file_size, start, false, config.index_interval_bytes, &mut |_, _| Ok(()))?;
    let cut_bytes = match &found.damage {
        Some(damage) => cut(segment, file_size, found.next_offset, damage)?,
        None => 0,
    };
    segment.become_inactive()?;
    segment.files().into_iter().try_for_each(|file| file.sync())?;
    Ok(cut_bytes)
}

/// Cuts a segment behind its last good batch, and says so. Returns how many bytes that took.
fn cut(segment: &mut Segment, file_size: u64, next_offset: Offset, damage: &Damage) -> Result<u64, LogError> {
    let cut_bytes = file_size - segment.size;
    tracing::warn!(
        file = %damage.path.display(),
        position = damage.position,
        cut_bytes,
        log_end_offset = %next_offset,
        reason = %damage.reason,
        "cut the log before a torn or damaged batch"
    );
    segment.cut(segment.size, next_offset)?;
    Ok(cut_bytes)
}
