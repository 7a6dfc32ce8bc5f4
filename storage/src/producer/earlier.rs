//! The batches before those that a snapshot speaks of: it keeps the last of each producer, and the log has the others.
//!
//! A producer may have [`BATCHES_REMEMBERED`] in flight, and after a restart of the leader retries them all from the oldest
//! on. Who knows only the last would refuse them as out of order, though all are there (safety rule 9).

use std::collections::{HashMap, VecDeque};

use protocol::records::BatchHeader;

use super::entry::{BATCHES_REMEMBERED, BatchMetadata, ProducerEntry};
use super::state::ProducerState;

/// Batches of known producers that a look back into the log has shown, oldest first.
#[derive(Debug, Default)]
pub(crate) struct EarlierBatches {
    of: HashMap<i64, VecDeque<BatchMetadata>>,
}

impl EarlierBatches {
    /// Takes note of a batch, if `producers` know a later one of the same producer and epoch.
    pub(crate) fn see(&mut self, producers: &ProducerState, header: &BatchHeader) {
        let known = producers.producers().get(&header.producer_id).filter(|_| !header.is_control());
        let same_epoch = known.filter(|known| known.producer_epoch == header.producer_epoch);
        let Some(first) = same_epoch.and_then(|known| known.batches.front()) else { return };
        if header.last_offset() < first.first_offset() {
            let seen = self.of.entry(header.producer_id).or_default();
            if seen.len() == BATCHES_REMEMBERED {
                seen.pop_front();
            }
            seen.push_back(BatchMetadata::of(header));
        }
    }
}

impl ProducerState {
    /// Remembers earlier batches as well, as far as they lead up to those that are known.
    pub(crate) fn remember_earlier(&mut self, earlier: EarlierBatches) {
        for (producer_id, batches) in earlier.of {
            if let Some(entry) = self.producers_mut().get_mut(&producer_id) {
                batches.into_iter().rev().all(|batch| entry.remember_before(batch));
            }
        }
    }
}

impl ProducerEntry {
    /// Remembers a batch in front of the first; says whether there was room, and no gap between them.
    fn remember_before(&mut self, batch: BatchMetadata) -> bool {
        let has_room = self.batches.len() < BATCHES_REMEMBERED;
        let leads_up = self
            .batches
            .front()
            .is_some_and(|first| first.first_sequence() == batch.last_sequence.wrapping_add(1) & i32::MAX);
        if has_room && leads_up {
            self.batches.push_front(batch);
        }
        has_room && leads_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::producer::sample::header;

    /// What is known of producer 1 after a snapshot that has `last`, and a look back at `seen`.
    fn sequences_after(last: BatchHeader, seen: &[BatchHeader]) -> Vec<i32> {
        let mut entry = ProducerEntry::default();
        entry.add_batch(last.producer_epoch, BatchMetadata::of(&last));
        let mut state = ProducerState::restored(HashMap::from([(1, entry)]), last.next_offset());
        let mut earlier = EarlierBatches::default();
        seen.iter().for_each(|header| earlier.see(&state, header));
        state.remember_earlier(earlier);
        state.producers()[&1].batches.iter().map(BatchMetadata::first_sequence).collect()
    }

    #[test]
    fn five_batches_are_known_again() {
        let all: Vec<_> = (0..8).map(|n| header(2 * n, 3, 2 * n as i32)).collect();
        assert_eq!(sequences_after(all[7], &all), [6, 8, 10, 12, 14]);
        assert_eq!(sequences_after(all[7], &all[6..]), [12, 14]);
    }

    #[test]
    fn what_is_of_another_epoch_or_behind_a_gap_is_left_alone() {
        let seen = [header(0, 2, 0), header(2, 3, 0), header(4, 3, 4), header(6, 3, 6)];
        assert_eq!(sequences_after(header(8, 3, 8), &seen), [4, 6, 8]);
        assert_eq!(sequences_after(header(8, 4, 0), &seen), [0]);
    }

    #[test]
    fn sequences_wrap() {
        let seen = [header(0, 0, i32::MAX - 3), header(2, 0, i32::MAX - 1)];
        assert_eq!(sequences_after(header(4, 0, 0), &seen), [i32::MAX - 3, i32::MAX - 1, 0]);
    }
}
