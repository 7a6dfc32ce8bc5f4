//! The `.snapshot` files of a log: the producers' state as of the offset in the name, one per segment and one from the
//! last clean shutdown. They spare going over the whole log again; none is needed. What a snapshot leaves out, the batches
//! before each producer's last one, is read from the end of the log in front of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::BatchHeader;
use protocol::types::Offset;

use super::{Log, LogError};
use crate::failure::{Described, IoFailure};
use crate::files::{FileKind, FileName, LogHome, remove_if_there};
use crate::index::TransactionIndex;
use crate::producer::{AppendOrigin, AppendedBatch, EarlierBatches, ProducerState, Verdict};
use crate::segment::{Segment, SegmentError};

/// How far a log is looked over in front of a snapshot, in entries of the index: about 128 KiB where batches are small, and
/// 32 headers where they are large. A start with ten thousand logs must not take noticeably longer for it.
const LOOK_BACK_INDEX_ENTRIES: usize = 32;
/// In how many segments: the newest may just have been begun.
const LOOK_BACK_SEGMENTS: usize = 2;

#[derive(Debug)]
pub(super) struct Snapshots {
    home: Arc<LogHome>,
    offsets: BTreeSet<Offset>,
}

impl Snapshots {
    pub(super) fn new(home: &Arc<LogHome>, offsets: BTreeSet<Offset>) -> Snapshots {
        Snapshots { home: home.clone(), offsets }
    }

    /// Writes the state down, unless that was done at the same offset; says whether it did. A flush makes it durable. A
    /// full disk is no reason to fail: what a snapshot would have said can be read from the log.
    pub(super) fn take(&mut self, producers: &ProducerState) -> Result<bool, IoFailure> {
        let offset = producers.end_offset();
        if self.offsets.contains(&offset) {
            return Ok(false);
        }
        let path = self.path(offset);
        match fs::write(&path, producers.to_snapshot()).describe("write to", &path) {
            Err(failure) if failure.is_exhaustion() => {
                tracing::warn!(%failure, "no producer snapshot was written");
                remove_if_there(&path)?;
                Ok(false)
            }
            outcome => outcome.map(|()| self.offsets.insert(offset)),
        }
    }

    pub(super) fn newest(&self) -> Option<PathBuf> {
        self.offsets.last().map(|offset| self.path(*offset))
    }

    pub(super) fn remove(&mut self, offset: Offset) -> Result<(), IoFailure> {
        match self.offsets.remove(&offset) {
            true => remove_if_there(&self.path(offset)),
            false => Ok(()),
        }
    }

    /// Removes the snapshots of offsets that the log does not reach any more.
    pub(super) fn remove_above(&mut self, offset: Offset) -> Result<(), IoFailure> {
        let above: Vec<Offset> = self.offsets.iter().filter(|at| **at > offset).copied().collect();
        above.into_iter().try_for_each(|at| self.remove(at))
    }

    /// Removes the snapshots that belong to no segment, but for the newest.
    pub(super) fn remove_strays(&mut self, base_offsets: &BTreeSet<Offset>) -> Result<(), IoFailure> {
        let newest = self.offsets.last().copied();
        let strays = self.offsets.iter().filter(|at| !base_offsets.contains(at) && Some(**at) != newest);
        strays.copied().collect::<Vec<_>>().into_iter().try_for_each(|at| self.remove(at))
    }

    /// The state as of `offset` or before, from the newest snapshot that can be read; damaged ones are removed.
    fn load(&mut self, offset: Offset) -> Result<Option<ProducerState>, IoFailure> {
        while let Some(at) = self.offsets.range(..=offset).next_back().copied() {
            let path = self.path(at);
            match ProducerState::from_snapshot(&fs::read(&path).describe("read", &path)?, at) {
                Ok(producers) => return Ok(Some(producers)),
                Err(reason) => {
                    tracing::warn!(file = %path.display(), %reason, "removed a producer snapshot that cannot be used");
                    self.remove(at)?;
                }
            }
        }
        Ok(None)
    }

    fn path(&self, offset: Offset) -> PathBuf {
        self.home.path_of(FileName::of(offset, FileKind::Snapshot))
    }
}

/// The producers' state as of `end`: from a snapshot, and the batches behind it. Without one all segments are asked, the
/// first of which begins at `start`.
pub(super) fn load_producers<'a>(
    snapshots: &mut Snapshots,
    segments: impl Iterator<Item = &'a Segment>,
    start: Offset,
    end: Offset,
) -> Result<ProducerState, SegmentError> {
    let segments: Vec<&Segment> = segments.collect();
    let mut producers = match snapshots.load(end)? {
        Some(producers) if producers.end_offset() >= start => with_earlier(producers, &segments)?,
        _ => ProducerState::starting_at(start),
    };
    let from = producers.end_offset();
    let mut segments = segments.into_iter().peekable();
    while let Some(segment) = segments.next() {
        let passed = segments.peek().is_some_and(|next| next.base_offset <= from);
        if !passed && segment.base_offset < end && from < end {
            segment.replay(from, end, &mut |batch, _| take_in(&mut producers, batch, None))?;
        }
    }
    producers.advance_end_offset(end);
    Ok(producers)
}

/// A snapshot's state with the batches in front of it that it leaves out, as far as a short look back finds them.
fn with_earlier(mut producers: ProducerState, segments: &[&Segment]) -> Result<ProducerState, SegmentError> {
    if producers.producers().is_empty() {
        return Ok(producers);
    }
    let end = producers.end_offset();
    let below = &segments[..segments.partition_point(|segment| segment.base_offset < end)];
    let mut earlier = EarlierBatches::default();
    for segment in &below[below.len().saturating_sub(LOOK_BACK_SEGMENTS)..] {
        let mut see = |header: &BatchHeader| earlier.see(&producers, header);
        match segment.look_back(end, LOOK_BACK_INDEX_ENTRIES, &mut see) {
            Err(SegmentError::Io(failure)) => return Err(failure.into()),
            // Whoever serves these batches will say so; nothing depends on them here.
            Ok(()) | Err(SegmentError::Damaged(_)) => {}
        }
    }
    producers.remember_earlier(earlier);
    Ok(producers)
}

/// Makes known to `producers` a batch that is in the log already, and to `index` the transaction that it aborts.
pub(super) fn take_in(
    producers: &mut ProducerState,
    batch: &AppendedBatch,
    index: Option<&mut TransactionIndex>,
) -> Result<(), IoFailure> {
    let Ok(Verdict::New(updates)) = producers.check(&[*batch], AppendOrigin::Replication) else {
        debug_assert!(false, "what is in the log is not refused: {batch:?}");
        return Ok(());
    };
    if let Some(index) = index {
        producers.aborted_by(&updates).into_iter().try_for_each(|aborted| index.append(aborted))?;
    }
    producers.apply(updates, batch.header.next_offset());
    Ok(())
}

impl Log {
    /// Writes the producers' state down as of the log end offset.
    pub(super) fn take_snapshot(&mut self) -> Result<(), LogError> {
        let taken = self.snapshots.take(&self.producers);
        self.unsynced.snapshot |= self.watch(taken)?;
        Ok(())
    }
}
