//! The segments of a log in the order of their offsets. There is always an active one, the last.

use std::collections::BTreeMap;

use protocol::types::Offset;

use crate::segment::Segment;

#[derive(Debug)]
pub(super) struct Segments {
    /// By base offset, all below that of the active one.
    closed: BTreeMap<Offset, Segment>,
    active: Segment,
}

impl Segments {
    pub(super) fn new(active: Segment) -> Segments {
        Segments { closed: BTreeMap::new(), active }
    }

    /// All of `segments`; `None` if there are none.
    pub(super) fn of(mut segments: BTreeMap<Offset, Segment>) -> Option<Segments> {
        let (_, active) = segments.pop_last()?;
        Some(Segments { closed: segments, active })
    }

    pub(super) fn len(&self) -> usize {
        self.closed.len() + 1
    }

    pub(super) fn active(&self) -> &Segment {
        &self.active
    }

    pub(super) fn active_mut(&mut self) -> &mut Segment {
        &mut self.active
    }

    pub(super) fn first(&self) -> &Segment {
        self.closed.values().next().unwrap_or(&self.active)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.closed.values().chain([&self.active])
    }

    pub(super) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Segment> {
        self.closed.values_mut().chain([&mut self.active])
    }

    /// The segments from the one that would hold `offset` on.
    pub(super) fn holding_or_behind(&self, offset: Offset) -> impl Iterator<Item = &Segment> {
        let floor = self.closed.range(..=offset).next_back().map_or(offset, |(base, _)| *base);
        let closed = if offset >= self.active.base_offset { Offset(i64::MAX) } else { floor };
        self.closed.range(closed..).map(|(_, segment)| segment).chain([&self.active])
    }

    /// Makes `segment` the active one; the one that was it is closed.
    pub(super) fn roll(&mut self, segment: Segment) {
        let closed = std::mem::replace(&mut self.active, segment);
        self.closed.insert(closed.base_offset, closed);
    }

    /// Puts `segment` in place of all others, which are returned.
    pub(super) fn replace_all(&mut self, segment: Segment) -> Vec<Segment> {
        let active = std::mem::replace(&mut self.active, segment);
        std::mem::take(&mut self.closed).into_values().chain([active]).collect()
    }

    /// Takes away the segments that begin behind `offset`, but for the first of all.
    pub(super) fn remove_behind(&mut self, offset: Offset) -> Vec<Segment> {
        let mut removed = Vec::new();
        while self.active.base_offset > offset {
            let Some((_, last)) = self.closed.pop_last() else { break };
            removed.push(std::mem::replace(&mut self.active, last));
        }
        removed
    }

    /// Takes away the first `count` closed segments.
    pub(super) fn remove_first(&mut self, count: usize) -> Vec<Segment> {
        (0..count).filter_map(|_| self.closed.pop_first()).map(|(_, segment)| segment).collect()
    }

    pub(super) fn base_offsets(&self) -> impl Iterator<Item = Offset> {
        self.closed.keys().copied().chain([self.active.base_offset])
    }
}
