//! Where the newest batches of a segment lie. Consumers and followers that keep up read nothing but these, so that
//! their lookups cost no system call. Pure.

use std::collections::VecDeque;

use protocol::records::BatchHeader;
use protocol::types::Offset;

use super::Located;

/// How many batches are remembered.
const RECENT_BATCHES: usize = 64;

/// The newest batches, oldest first, without a gap between them in the file.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentBatches {
    batches: VecDeque<Located>,
}

impl RecentBatches {
    pub(super) fn push(&mut self, header: &BatchHeader, position: u64) {
        if self.batches.len() == RECENT_BATCHES {
            self.batches.pop_front();
        }
        self.batches.push_back(Located::of(header, position));
    }

    /// Whether every batch that could hold `offset` is here.
    pub(super) fn covers(&self, offset: Offset) -> bool {
        self.batches.front().is_some_and(|oldest| offset >= oldest.base_offset)
    }

    /// The first batch that ends at `offset` or later. Only valid if it [`covers`](RecentBatches::covers) the offset.
    pub(super) fn locate(&self, offset: Offset) -> Option<Located> {
        let first = self.batches.partition_point(|batch| batch.last_offset < offset);
        self.batches.get(first).copied()
    }

    /// Forgets the batches from `position` on.
    pub(super) fn truncate(&mut self, position: u64) {
        let kept = self.batches.partition_point(|batch| batch.position < position);
        self.batches.truncate(kept);
    }

    /// Forgets everything and the memory too.
    pub(super) fn clear(&mut self) {
        self.batches = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(count: i64) -> RecentBatches {
        let mut recent = RecentBatches::default();
        for n in 0..count {
            let located = Located {
                base_offset: Offset(n * 10),
                last_offset: Offset(n * 10 + 7),
                position: n as u64 * 100,
                size: 100,
            };
            if recent.batches.len() == RECENT_BATCHES {
                recent.batches.pop_front();
            }
            recent.batches.push_back(located);
        }
        recent
    }

    #[test]
    fn the_newest_batches_are_found_and_older_ones_are_not_guessed() {
        let mut recent = recent(100);
        assert!(!recent.covers(Offset(359)) && recent.covers(Offset(360)));
        assert_eq!(recent.locate(Offset(367)).unwrap().position, 3600);
        assert_eq!(recent.locate(Offset(368)).unwrap().position, 3700, "a gap leads to the next batch");
        assert_eq!(recent.locate(Offset(998)), None);
        recent.truncate(3700);
        assert_eq!(recent.locate(Offset(368)), None);
        assert!(!RecentBatches::default().covers(Offset(0)));
    }
}
