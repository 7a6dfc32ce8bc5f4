//! The partitions of one fetcher, and what is to be done for each next.
//!
//! Pure: the fetcher tells what happened and when, the roster what to ask for. `R` is what the fetcher keeps with a
//! partition. Only what changed is looked at for a fetch, so that thousands of idle partitions cost nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use protocol::ErrorCode;
use protocol::types::LeaderEpoch;

use super::ask::{Ask, PartitionKey, Position};
use super::session::{Outgoing, Session};

/// The wait after a first failure; it doubles with each further one.
const DELAY_MIN: Duration = Duration::from_millis(5);

/// A partition as the image assigns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Following<R> {
    pub leader_epoch: LeaderEpoch,
    pub replica: R,
}

/// All that one fetcher follows.
pub struct Roster<R> {
    entries: BTreeMap<PartitionKey, Entry<R>>,
    starting: BTreeSet<PartitionKey>,
    out_of_range: BTreeSet<PartitionKey>,
    delayed: BTreeSet<(Instant, PartitionKey)>,
    /// What the leader may have been told otherwise.
    changed: BTreeSet<PartitionKey>,
    session: Session,
    delay_max: Duration,
}

struct Entry<R> {
    following: Following<R>,
    stage: Stage,
    /// In a row.
    failures: u32,
}

/// What a partition waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its log is to be looked at. Exits: fetching, delayed.
    Starting,
    /// Records are asked for from here on. Exits: fetching from further on, out of range, delayed.
    Fetching(Position),
    /// The leader's log does not hold the end of this one: its bounds are to be asked for. Exits: fetching, delayed.
    OutOfRange(Position),
    /// Something failed: it is left alone until then. Exit: starting.
    Delayed(Instant),
}

impl<R: Clone> Roster<R> {
    /// A roster without partitions. No delay after a failure is longer than `delay_max`.
    pub fn new(delay_max: Duration) -> Roster<R> {
        Roster {
            entries: BTreeMap::new(),
            starting: BTreeSet::new(),
            out_of_range: BTreeSet::new(),
            delayed: BTreeSet::new(),
            changed: BTreeSet::new(),
            session: Session::default(),
            delay_max,
        }
    }

    /// Takes the image's word on what to follow. A partition of the same leader epoch goes on as it was.
    pub fn reconcile(&mut self, assigned: &BTreeMap<PartitionKey, Following<R>>) {
        let gone: Vec<_> = self.entries.keys().filter(|key| !assigned.contains_key(key)).copied().collect();
        for key in gone {
            self.leave_stage(key);
            self.entries.remove(&key);
            self.changed.insert(key);
        }
        for (&key, following) in assigned {
            let known = self.entries.get(&key).map(|entry| entry.following.leader_epoch);
            if known != Some(following.leader_epoch) {
                self.leave_stage(key);
                let entry = Entry { following: following.clone(), stage: Stage::Starting, failures: 0 };
                self.entries.insert(key, entry);
                self.starting.insert(key);
                self.changed.insert(key);
            }
        }
    }

    /// The partitions whose logs are to be looked at: each is answered by [`Roster::stands_at`] or [`Roster::failed`].
    pub fn starting(&self) -> Vec<(PartitionKey, Following<R>)> {
        self.starting
            .iter()
            .filter_map(|key| Some((*key, self.entries.get(key)?.following.clone())))
            .collect()
    }

    /// The partitions for which the leader is to be asked where its log begins and ends.
    pub fn out_of_range(&self) -> Vec<(PartitionKey, Ask, R)> {
        let wanted = self.out_of_range.iter().filter_map(|key| Some((*key, self.entries.get(key)?)));
        let asked = wanted.filter_map(|(key, entry)| match entry.stage {
            Stage::OutOfRange(position) => Some((key, entry.ask(position), entry.following.replica.clone())),
            _ => None,
        });
        asked.collect()
    }

    /// The log ends here; from here on records are asked for.
    pub fn stands_at(&mut self, key: PartitionKey, position: Position) {
        self.enter(key, Stage::Fetching(position));
    }

    /// An answer was taken in, and the log ends here now.
    pub fn advanced(&mut self, key: PartitionKey, position: Position) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.failures = 0;
        }
        self.stands_at(key, position);
    }

    /// The leader's log does not hold the end of this one.
    pub fn is_out_of_range(&mut self, key: PartitionKey) {
        if let Some(Stage::Fetching(position)) = self.entries.get(&key).map(|entry| entry.stage) {
            self.enter(key, Stage::OutOfRange(position));
        }
    }

    /// Something failed: the partition is left alone for a while, longer each time. Gives how often it failed in a row.
    pub fn failed(&mut self, key: PartitionKey, now: Instant) -> u32 {
        let Some(entry) = self.entries.get_mut(&key) else { return 0 };
        let doubled = DELAY_MIN.saturating_mul(1 << entry.failures.min(16));
        entry.failures = entry.failures.saturating_add(1);
        let failures = entry.failures;
        self.enter(key, Stage::Delayed(now + doubled.min(self.delay_max)));
        failures
    }

    /// Ends the delays that are over.
    pub fn wake(&mut self, now: Instant) {
        while let Some(&(until, key)) = self.delayed.first().filter(|(until, _)| *until <= now) {
            self.delayed.remove(&(until, key));
            self.enter(key, Stage::Starting);
        }
    }

    /// When the next delay is over.
    pub fn next_wake(&self) -> Option<Instant> {
        self.delayed.first().map(|(until, _)| *until)
    }

    /// The next fetch; `None` while there is nothing to ask for, or nothing new and a fetch on its way already.
    pub fn next_fetch(&mut self, in_flight: usize) -> Option<Outgoing> {
        if in_flight > 0 && (self.changed.is_empty() || !self.session.may_overtake()) {
            return None;
        }
        let changed = std::mem::take(&mut self.changed);
        let entries = &self.entries;
        let wanted = |key: PartitionKey| (key, entries.get(&key).and_then(Entry::fetching));
        if self.session.is_closed() {
            let mut all = entries.keys().copied().map(wanted).filter(|(_, ask)| ask.is_some()).peekable();
            return all.peek().is_some().then(|| self.session.next(all));
        }
        let anything = !self.session.is_empty() || changed.iter().any(|key| wanted(*key).1.is_some());
        anything.then(|| self.session.next(changed.into_iter().map(wanted)))
    }

    /// The connection is another one: the leader is told everything again.
    pub fn reconnected(&mut self) {
        self.session.close();
    }

    /// Takes the head of an answer; an error says that the session is begun anew.
    pub fn answered(&mut self, error: ErrorCode, session_id: i32) -> Result<(), ErrorCode> {
        self.session.answered(error, session_id)
    }

    /// What fetch `number` asked of a partition, if that is still what is asked.
    pub fn asked(&self, number: u64, key: &PartitionKey) -> Option<(Ask, R)> {
        let entry = self.entries.get(key)?;
        let ask = self.session.asked(number, key)?;
        (entry.fetching() == Some(ask)).then(|| (ask, entry.following.replica.clone()))
    }

    fn enter(&mut self, key: PartitionKey, stage: Stage) {
        self.leave_stage(key);
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.stage = stage;
        match stage {
            Stage::Starting => self.starting.insert(key),
            Stage::Fetching(_) => true,
            Stage::OutOfRange(_) => self.out_of_range.insert(key),
            Stage::Delayed(until) => self.delayed.insert((until, key)),
        };
        if self.session.told(&key) != self.entries.get(&key).and_then(Entry::fetching).as_ref() {
            self.changed.insert(key);
        }
    }

    fn leave_stage(&mut self, key: PartitionKey) {
        match self.entries.get(&key).map(|entry| entry.stage) {
            Some(Stage::Starting) => self.starting.remove(&key),
            Some(Stage::OutOfRange(_)) => self.out_of_range.remove(&key),
            Some(Stage::Delayed(until)) => self.delayed.remove(&(until, key)),
            Some(Stage::Fetching(_)) | None => false,
        };
    }
}

impl<R> Entry<R> {
    fn ask(&self, position: Position) -> Ask {
        Ask { leader_epoch: self.following.leader_epoch, position }
    }

    fn fetching(&self) -> Option<Ask> {
        match self.stage {
            Stage::Fetching(position) => Some(self.ask(position)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
