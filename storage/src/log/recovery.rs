//! What opening makes of a directory: a log that was closed in order is only looked at where it ends; one that was not, or
//! that is not as it was left, goes through [`verify`](super::verify) from the recovery point on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::types::Offset;

use super::listing::Listing;
use super::segments::Segments;
use super::snapshots::{Snapshots, load_producers};
use super::verify::reindex;
use super::{LogConfig, LogError, Opening, Recovered};
use crate::checkpoint::{CheckpointError, LEADER_EPOCHS, read_leader_epochs};
use crate::files::LogHome;
use crate::leader_epochs::LeaderEpochs;
use crate::producer::ProducerState;
use crate::segment::{Damage, Opened, Segment, SegmentError};

/// A log as it is being opened.
pub(super) struct Recovery<'a> {
    pub home: &'a Arc<LogHome>,
    pub config: &'a LogConfig,
    pub opening: &'a Opening,
    pub segments: BTreeMap<Offset, Segment>,
    /// Those of the segments whose indexes must be made anew.
    pub unindexed: BTreeSet<Offset>,
    pub snapshots: Snapshots,
    /// `None` if the checkpoint could not be understood.
    pub epochs: Option<LeaderEpochs>,
    pub recovered: Recovered,
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
            None => self.verify()?,
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
        let was_clean = clean_end.is_some() && !is_new;
        let trusted = if was_clean { log_end_offset } else { self.opening.recovery_point };
        Ok(Found {
            segments: self.segments(log_end_offset)?,
            producers,
            epochs,
            log_end_offset,
            recovery_point: trusted.min(log_end_offset),
            recovered: self.recovered,
            was_clean,
            snapshots: self.snapshots,
        })
    }

    /// The end of a log that was closed in order; `None` if it does not look like one.
    fn take_at_its_word(&mut self) -> Result<Option<Offset>, LogError> {
        let Recovery { segments, unindexed, config, recovered, .. } = self;
        for segment in segments.values_mut().filter(|segment| unindexed.remove(&segment.base_offset)) {
            recovered.cut_bytes += reindex(segment, config)?;
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

    fn load_producers(&mut self, end: Offset) -> Result<ProducerState, LogError> {
        let start = self.segments.keys().next().copied().unwrap_or(end);
        Ok(load_producers(&mut self.snapshots, self.segments.values(), start, end)?)
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
        Ok(start)
    }

    fn segments(&mut self, log_end_offset: Offset) -> Result<Segments, LogError> {
        match Segments::of(std::mem::take(&mut self.segments)) {
            Some(segments) => Ok(segments),
            None => Ok(Segments::new(Segment::create(self.home, log_end_offset, self.opening.now_ms)?)),
        }
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
