//! The last changes of the store, for watches that begin in the past; bounded by [`HISTORY_EVENTS_MAX`].

use std::collections::VecDeque;

use super::state::Batch;
use crate::store::{KeyRange, Revision, WatchEvent, WatchMessage};

/// How many events are remembered.
pub const HISTORY_EVENTS_MAX: usize = 10_000;

pub struct History {
    batches: VecDeque<Batch>,
    events: usize,
    events_max: usize,
    /// Everything at and after this revision is remembered.
    begins: Revision,
}

impl History {
    pub fn new(events_max: usize) -> History {
        History { batches: VecDeque::new(), events: 0, events_max, begins: 1 }
    }

    pub fn push(&mut self, batch: Batch) {
        self.events += batch.events.len();
        self.batches.push_back(batch);
        while self.events > self.events_max {
            let Some(forgotten) = self.batches.pop_front() else { break };
            self.events -= forgotten.events.len();
            self.begins = forgotten.revision + 1;
        }
    }

    /// Forgets everything before `revision`: what was read from the journal is not remembered.
    pub fn begin_at(&mut self, revision: Revision) {
        self.batches.clear();
        self.events = 0;
        self.begins = revision;
    }

    /// What a watch from `from` has missed.
    pub fn since(&self, from: Revision, range: &KeyRange) -> Vec<WatchMessage> {
        if from < self.begins {
            return vec![WatchMessage::Compacted { before: self.begins }];
        }
        let missed = self.batches.iter().filter(|batch| batch.revision >= from);
        missed.filter_map(|batch| message(batch, range)).collect()
    }
}

/// What a watch of this range is told of a batch: nothing if it does not touch the range.
pub fn message(batch: &Batch, range: &KeyRange) -> Option<WatchMessage> {
    let events = batch.events.iter().filter(|event| range.contains(event.key()));
    let events: Vec<WatchEvent> = events.cloned().collect();
    (!events.is_empty()).then_some(WatchMessage::Events { revision: batch.revision, events })
}
