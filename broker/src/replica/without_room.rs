//! Followers that had no room for what they fetched. The controller keeps them out of the ISRs, so that nobody's
//! acknowledgements wait for room.
//!
//! Pure: the time is the caller's. Each stays in here for [`HELD_MIN`] at least: a disk that is full now and then changes an
//! ISR no more often than that.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use storage::TopicPartition;

/// The shortest time for which a follower counts as one without room.
const HELD_MIN: Duration = Duration::from_secs(10);

/// Each since when.
#[derive(Debug, Default)]
pub(super) struct WithoutRoom {
    since: BTreeMap<TopicPartition, Instant>,
}

impl WithoutRoom {
    /// A follower could not append; whether that is news.
    pub fn note(&mut self, at: &TopicPartition, now: Instant) -> bool {
        let is_news = !self.since.contains_key(at);
        if is_news {
            self.since.insert(at.clone(), now);
        }
        is_news
    }

    /// Forgets those that have room again and have been in here for long enough; whether there were any.
    pub fn release(&mut self, now: Instant, has_room: impl Fn(&TopicPartition) -> bool) -> bool {
        let before = self.since.len();
        self.since.retain(|at, since| now.saturating_duration_since(*since) < HELD_MIN || !has_room(at));
        self.since.len() < before
    }

    pub fn replicas(&self) -> impl Iterator<Item = &TopicPartition> {
        self.since.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_is_without_room_until_it_has_some_and_for_a_while_at_least() {
        let (begun, at) = (Instant::now(), TopicPartition::new("t", 0));
        let mut without_room = WithoutRoom::default();
        assert!(without_room.note(&at, begun));
        assert!(!without_room.note(&at, begun + HELD_MIN / 2), "it is known, and since when");
        assert!(!without_room.release(begun + HELD_MIN / 2, |_| true));
        assert!(!without_room.release(begun + HELD_MIN, |_| false));
        assert_eq!(without_room.replicas().count(), 1);
        assert!(without_room.release(begun + HELD_MIN, |_| true));
        assert_eq!(without_room.replicas().count(), 0);
        assert!(without_room.note(&at, begun + HELD_MIN));
    }
}
