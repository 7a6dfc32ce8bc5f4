//! What is done with a log that was not closed in order: from the recovery point on every batch is verified, indexes,
//! leader epochs and producers' state are made anew from them, and the log is cut before the first that is damaged.
//!
//! A killed process loses no pages, so that all it had appended is found. A log that was closed in order is only looked
//! at where it ends; should that not be as it was left, it is recovered after all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::types::Offset;

use super::listing::Listing;
use super::segments::Segments;
use super::snapshots::{Snapshots, load_producers, take_in};
use super::{LogConfig, LogError, Opening, Recovered};
use crate::checkpoint::{CheckpointError, LEADER_EPOCHS, read_leader_epochs};
use crate::files::LogHome;
use crate::leader_epochs::LeaderEpochs;
use crate::producer::ProducerState;
use crate::segment::{Damage, Opened, Segment, SegmentError};

/// A log as it is being opened.
pub(super) struct Recovery<'a> {
    home: &'a Arc<LogHome>,
    config: &'a LogConfig,
    opening: &'a Opening,
    segments: BTreeMap<Offset, Segment>,
    /// Those of the segments whose indexes must be made anew.
    unindexed: BTreeSet<Offset>,
    snapshots: Snapshots,
    /// `None` if the checkpoint could not be understood.
    epochs: Option<LeaderEpochs>,
    recovered: Recovered,
}

/// A log that can be served.
pub(super) struct Found {
    pub segments: Segments,
    pub producers: ProducerState,
    pub snapshots: Snapshots,
    pub epochs: LeaderEpochs,
    pub log_end_offset: Offset,
    pub recovery_point: Offset,
    pub recovered: Recovered,
    /// Nothing had to be made anew.
    pub was_clean: bool,
}

impl<'a> Recovery<'a> {
    /// Takes stock of the directory.
    pub(super) fn begin(
        home: &'a Arc<LogHome>,
        config: &'a LogConfig,
        opening: &'a Opening,
    ) -> Result<Recovery<'a>, LogError> {
        let listing = Listing::read(home)?;
        let (mut segments, mut unindexed) = (BTreeMap::new(), BTreeSet::new());
        for base_offset in listing.segments {
            let segment = match Segment::open(home, base_offset, opening.now_ms)? {
                Opened::Sound(segment) => segment,
                Opened::Unindexed(segment) => {
                    unindexed.insert(base_offset);
                    segment
                }
            };
            segments.insert(base_offset, segment);
        }
        let snapshots = Snapshots::new(home, listing.snapshots);
        let epochs = read_epochs(home)?;
        let recovered = Recovered::default();
        Ok(Recovery { home, config, opening, segments, unindexed, snapshots, epochs, recovered })
    }

    pub(super) fn run(mut self) -> Result<Found, LogError> {
        let is_new = self.segments.is_empty();
        let clean_end = if self.opening.clean { self.take_at_its_word()? } else { None };
        let (mut log_end_offset, mut producers) = match clean_end {
            Some(end) => (end, self.load_producers(end)?),
            None => self.recover()?,
        };
        if self.segments.is_empty() || log_end_offset < self.opening.log_start_offset {
            log_end_offset = self.start_anew()?;
            producers = ProducerState::starting_at(log_end_offset);
        }
        self.snapshots.remove_above(log_end_offset)?;
        self.snapshots.remove_strays(&self.segments.keys().copied().collect())?;
        let epochs = match self.epochs.take() {
            Some(epochs) => epochs,
            None => self.read_epochs_from_batches()?,
        };
        let segments = match Segments::of(self.segments) {
            Some(segments) => segments,
            None => Segments::new(Segment::create(self.home, log_end_offset, self.opening.now_ms)?),
        };
        let was_clean = clean_end.is_some() && !is_new;
        let trusted = if was_clean { log_end_offset } else { self.opening.recovery_point };
        Ok(Found {
            segments,
            producers,
            snapshots: self.snapshots,
            epochs,
            log_end_offset,
            recovery_point: trusted.min(log_end_offset),
            recovered: self.recovered,
            was_clean,
        })
    }

    /// The end of a log that was closed in order; `None` if it does not look like one.
    fn take_at_its_word(&mut self) -> Result<Option<Offset>, LogError> {
        for base_offset in std::mem::take(&mut self.unindexed) {
            self.reindex(base_offset)?;
        }
        match self.end_as_left() {
            Ok(end) => Ok(Some(end)),
            Err(SegmentError::Damaged(damage)) => {
                tracing::warn!(%damage, "the log is not as a clean shutdown leaves it");
                Ok(None)
            }
            Err(SegmentError::Io(failure)) => Err(failure.into()),
        }
    }

    fn end_as_left(&self) -> Result<Offset, SegmentError> {
        match self.segments.values().next_back() {
            Some(active) if active.has_true_index()? => active.read_next_offset(),
            Some(active) => {
                let reason = "its index does not lead to its batches".to_owned();
                Err(Damage { path: active.log.path(), position: 0, reason }.into())
            }
            None => Ok(self.opening.log_start_offset),
        }
    }

    /// Goes over everything past the recovery point. Returns where the log ends, and its producers' state there.
    fn recover(&mut self) -> Result<(Offset, ProducerState), LogError> {
        let recovery_point = self.opening.recovery_point;
        let floor = self.segments.range(..=recovery_point).next_back().or(self.segments.iter().next());
        let Some(first) = floor.map(|(base_offset, _)| *base_offset) else {
            return Ok((self.opening.log_start_offset, ProducerState::default()));
        };
        self.reindex_before(first)?;
        let bases: Vec<Offset> = self.segments.range(first..).map(|(base_offset, _)| *base_offset).collect();
        let mut producers = ProducerState::default();
        let mut end = first;
        for base_offset in bases {
            if base_offset > end {
                self.note_gap(end, base_offset);
            }
            let Some(segment) = self.segments.get_mut(&base_offset) else { break };
            let (file_size, start) = segment.rewind_to(recovery_point)?;
            segment.transactions.truncate_to(start)?;
            if base_offset == first {
                producers = self.load_producers_before(start)?;
                end = start;
            } else {
                producers.advance_end_offset(base_offset);
                self.snapshots.take(&producers)?;
            }
            let (next_offset, whole) = self.rescan(base_offset, file_size, end, &mut producers)?;
            end = next_offset;
            if !whole {
                self.remove_behind(base_offset)?;
                break;
            }
        }
        Ok((end, producers))
    }

    /// Verifies the rest of a segment. Returns where it ends, and whether that is the end of its file too.
    fn rescan(
        &mut self,
        base_offset: Offset,
        file_size: u64,
        expected_offset: Offset,
        producers: &mut ProducerState,
    ) -> Result<(Offset, bool), LogError> {
        let Some(segment) = self.segments.get_mut(&base_offset) else { return Ok((expected_offset, true)) };
        let mut epochs = self.epochs.as_mut();
        let interval = self.config.index_interval_bytes;
        let found = segment.rescan(file_size, expected_offset, true, interval, &mut |batch, index| {
            if let Some(epochs) = epochs.as_deref_mut() {
                epochs.assign(batch.header.partition_leader_epoch, batch.header.base_offset);
            }
            take_in(producers, batch, index)
        })?;
        self.recovered.verified_bytes += found.bytes;
        if let Some(damage) = &found.damage {
            self.recovered.cut_bytes += cut(segment, file_size, found.next_offset, damage)?;
        }
        segment.become_inactive()?;
        Ok((found.next_offset, found.damage.is_none()))
    }

    /// Makes the indexes of earlier segments anew where they are missing or untrue: a killed Apache Kafka leaves zeros
    /// behind the entries.
    fn reindex_before(&mut self, first: Offset) -> Result<(), LogError> {
        let earlier: Vec<Offset> =
            self.segments.range(..first).map(|(base_offset, _)| *base_offset).collect();
        for base_offset in earlier {
            let untrue = match self.segments.get(&base_offset) {
                Some(segment) => self.unindexed.contains(&base_offset) || !segment.has_true_index()?,
                None => false,
            };
            if untrue {
                self.reindex(base_offset)?;
            }
        }
        Ok(())
    }

    fn reindex(&mut self, base_offset: Offset) -> Result<(), LogError> {
        let Some(segment) = self.segments.get_mut(&base_offset) else { return Ok(()) };
        tracing::warn!(file = %segment.log.path().display(), "made a missing or untrue index anew");
        let (file_size, start) = segment.rewind_to(base_offset)?;
        let found =
            segment.rescan(file_size, start, false, self.config.index_interval_bytes, &mut |_, _| Ok(()))?;
        if let Some(damage) = &found.damage {
            self.recovered.cut_bytes += cut(segment, file_size, found.next_offset, damage)?;
        }
        segment.become_inactive()?;
        segment.files().into_iter().try_for_each(|file| file.sync())?;
        Ok(())
    }

    /// The producers' state as of `start`, by snapshots that were on the disk before the crash for sure.
    fn load_producers_before(&mut self, start: Offset) -> Result<ProducerState, LogError> {
        self.snapshots.remove_above(start)?;
        if let Some(epochs) = &mut self.epochs {
            epochs.truncate_from_end(start);
        }
        self.load_producers(start)
    }

    fn load_producers(&mut self, end: Offset) -> Result<ProducerState, LogError> {
        let start = self.segments.keys().next().copied().unwrap_or(end);
        Ok(load_producers(&mut self.snapshots, self.segments.values(), start, end)?)
    }

    fn remove_behind(&mut self, base_offset: Offset) -> Result<(), LogError> {
        for segment in self.segments.split_off(&(base_offset + 1)).values() {
            tracing::warn!(file = %segment.log.path().display(), "removed a segment that lay behind a damaged one");
            self.recovered.cut_bytes += segment.log.length()?.unwrap_or(0);
            segment.files().into_iter().try_for_each(|file| file.remove())?;
        }
        Ok(())
    }

    /// A segment begins where the one before it ends, unless compaction came in between. What was never flushed may be
    /// lost to a crash from any file, so that its end may be missing though it is whole to look at.
    fn note_gap(&mut self, end: Offset, base_offset: Offset) {
        if self.recovered.first_gap.is_none() {
            let directory = self.home.directory();
            tracing::warn!(log = %directory.display(), from = %end, to = %base_offset, "offsets are missing between segments");
            self.recovered.first_gap = Some(end);
        }
    }

    /// A log that ends before it starts has lost its files: it begins again, empty, at its log start offset.
    fn start_anew(&mut self) -> Result<Offset, LogError> {
        let start = self.opening.log_start_offset;
        for segment in std::mem::take(&mut self.segments).values() {
            tracing::warn!(file = %segment.log.path().display(), %start, "removed a segment below the log start offset");
            segment.files().into_iter().try_for_each(|file| file.remove())?;
        }
        self.snapshots.remove_above(Offset::UNKNOWN)?;
        self.epochs = Some(LeaderEpochs::default());
        self.segments.insert(start, Segment::create(self.home, start, self.opening.now_ms)?);
        Ok(start)
    }

    fn read_epochs_from_batches(&self) -> Result<LeaderEpochs, LogError> {
        let mut epochs = LeaderEpochs::default();
        for segment in self.segments.values() {
            segment.replay(segment.base_offset, Offset(i64::MAX), &mut |batch, _| {
                epochs.assign(batch.header.partition_leader_epoch, batch.header.base_offset);
                Ok(())
            })?;
        }
        Ok(epochs)
    }
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

fn read_epochs(home: &LogHome) -> Result<Option<LeaderEpochs>, LogError> {
    match read_leader_epochs(&home.directory().join(LEADER_EPOCHS)) {
        Ok(entries) => Ok(Some(LeaderEpochs::from_entries(entries))),
        Err(CheckpointError::Malformed { path, line, reason }) => {
            tracing::warn!(file = %path.display(), line, reason, "reading the leader epochs from the batches instead");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
