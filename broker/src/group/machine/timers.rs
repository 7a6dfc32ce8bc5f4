//! Deadlines by key. It knows no clock: who asks says what time it is.
//!
//! To put a deadline off costs one map lookup, because the queue keeps its earlier entry and corrects it when that comes
//! due: heartbeats are many, expirations few. A cancelled key leaves nothing behind.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// Deadlines that come due in order.
#[derive(Debug)]
pub struct Timers<K> {
    scheduled: HashMap<K, Scheduled>,
    /// Ordered by when to look again, which is never after the deadline itself. The number breaks ties.
    queue: BTreeMap<(Duration, u64), K>,
    next_number: u64,
}

#[derive(Debug, Clone, Copy)]
struct Scheduled {
    deadline: Duration,
    queued: (Duration, u64),
}

impl<K: Eq + Hash + Clone> Timers<K> {
    pub fn new() -> Timers<K> {
        Timers { scheduled: HashMap::new(), queue: BTreeMap::new(), next_number: 0 }
    }

    /// The key comes due at `deadline`, whatever was said of it before.
    pub fn schedule(&mut self, key: K, deadline: Duration) {
        if let Some(scheduled) = self.scheduled.get_mut(&key) {
            if scheduled.queued.0 <= deadline {
                scheduled.deadline = deadline;
                return;
            }
            self.queue.remove(&scheduled.queued);
        }
        self.enqueue(key, deadline);
    }

    pub fn cancel(&mut self, key: &K) {
        if let Some(scheduled) = self.scheduled.remove(key) {
            self.queue.remove(&scheduled.queued);
        }
    }

    /// A key that has come due, each once.
    pub fn expire(&mut self, now: Duration) -> Option<K> {
        loop {
            let first = self.queue.first_entry().filter(|first| first.key().0 <= now)?;
            let key = first.remove();
            let deadline = self.scheduled.remove(&key)?.deadline;
            if deadline <= now {
                return Some(key);
            }
            self.enqueue(key, deadline);
        }
    }

    /// When to ask [`Timers::expire`] again; it may turn out to be too early.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    fn enqueue(&mut self, key: K, deadline: Duration) {
        let queued = (deadline, self.next_number);
        self.next_number += 1;
        self.queue.insert(queued, key.clone());
        self.scheduled.insert(key, Scheduled { deadline, queued });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn keys_come_due_in_the_order_of_their_deadlines_and_once() {
        let mut timers = Timers::new();
        timers.schedule("late", ms(20));
        timers.schedule("early", ms(10));
        assert_eq!(timers.expire(ms(9)), None);
        assert_eq!(timers.expire(ms(30)), Some("early"));
        assert_eq!(timers.expire(ms(30)), Some("late"));
        assert_eq!(timers.expire(ms(30)), None);
    }

    #[test]
    fn a_deadline_moves_both_ways() {
        let mut timers = Timers::new();
        timers.schedule("key", ms(10));
        timers.schedule("key", ms(30));
        assert_eq!(timers.expire(ms(20)), None);
        timers.schedule("key", ms(25));
        assert_eq!(timers.next_deadline(), Some(ms(25)));
        assert_eq!(timers.expire(ms(25)), Some("key"));
    }

    #[test]
    fn a_cancelled_key_leaves_nothing_behind() {
        let mut timers = Timers::new();
        timers.schedule("key", ms(10));
        timers.cancel(&"key");
        assert_eq!(timers.expire(ms(100)), None);
        assert!(timers.queue.is_empty() && timers.scheduled.is_empty());
    }
}
