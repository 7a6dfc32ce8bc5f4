//! Which replicas of a log directory have moved since a duty last looked at them, so that housekeeping costs nothing for
//! those that rest.
//!
//! A replica notes itself once, under its own lock, when one of its offsets moves; the duties take the notes apart. Order of
//! locks: a partition's before this one's, never the other way round.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use storage::TopicPartition;

/// What is done for replicas that have moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    HighWatermarks,
    LogStarts,
    RecoveryPoints,
    Flush,
}

const DUTIES: usize = 4;

/// The replicas of one directory that have moved.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Each once, while its [`Mark`] is set.
    noted: Mutex<Vec<TopicPartition>>,
    /// By duty: those that it has not looked at yet.
    pending: Mutex<[BTreeSet<TopicPartition>; DUTIES]>,
}

/// A replica's own part: whether it has noted itself.
#[derive(Debug)]
pub(super) struct Mark {
    changes: Arc<Changes>,
    at: TopicPartition,
    is_noted: bool,
}

impl Mark {
    pub fn new(changes: Arc<Changes>, at: TopicPartition) -> Mark {
        Mark { changes, at, is_noted: false }
    }

    /// One of the replica's offsets has moved.
    pub fn note(&mut self) {
        if !std::mem::replace(&mut self.is_noted, true) {
            self.changes.noted.lock().push(self.at.clone());
        }
    }

    /// Whatever moves from now on is to be noted again.
    pub fn clear(&mut self) {
        self.is_noted = false;
    }
}

impl Changes {
    /// Gives every duty what was noted. `clear` is to clear a replica's mark, before anyone looks at its offsets.
    pub fn distribute(&self, clear: impl Fn(&TopicPartition)) {
        let noted = std::mem::take(&mut *self.noted.lock());
        noted.iter().for_each(clear);
        for duty in &mut *self.pending.lock() {
            duty.extend(noted.iter().cloned());
        }
    }

    /// Those that a duty is to look at; it is not given them again.
    pub fn take(&self, duty: Duty) -> BTreeSet<TopicPartition> {
        std::mem::take(&mut self.pending.lock()[duty as usize])
    }

    /// What a duty is to look at, or to look at again.
    pub fn put(&self, duty: Duty, replicas: impl IntoIterator<Item = TopicPartition>) {
        self.pending.lock()[duty as usize].extend(replicas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duty_is_told_once_of_a_replica_that_moved_however_often() {
        let (changes, at) = (Arc::new(Changes::default()), TopicPartition::new("t", 0));
        let mark = Mutex::new(Mark::new(changes.clone(), at.clone()));
        let take = |duty| {
            changes.distribute(|_| mark.lock().clear());
            changes.take(duty).len()
        };
        assert_eq!(take(Duty::HighWatermarks), 0);
        mark.lock().note();
        mark.lock().note();
        assert_eq!(changes.noted.lock().len(), 1);
        assert_eq!((take(Duty::HighWatermarks), take(Duty::HighWatermarks), take(Duty::Flush)), (1, 0, 1));
        mark.lock().note();
        assert_eq!((take(Duty::HighWatermarks), take(Duty::LogStarts)), (1, 1));
        changes.put(Duty::Flush, [at]);
        assert_eq!(take(Duty::Flush), 1, "what failed is looked at again");
    }
}
