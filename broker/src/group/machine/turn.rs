//! One event's turn: what time it is, what the settings say, and where timers and effects go.

use std::time::Duration;

use protocol::ErrorCode;
use protocol::wire::Str;

use super::effects::{Effects, Port, Then, Write};
use super::notice::Notice;
use super::records::CoordinatorRecord;
use super::timers::Timers;
use crate::config::GroupSettings;

/// The time, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Since the coordinator started; never goes back. Timers run by it.
    pub at: Duration,
    /// Milliseconds since 1970 by the wall clock, which may jump. Records carry it, and retention counts by it.
    pub wall_ms: i64,
}

/// What may come due.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TimerKey {
    /// A member was not heard of.
    Session { group: Str, member: Str },
    /// The join phase of a rebalance ends.
    Join { group: Str },
    /// Members had time enough to ask for their assignments.
    Sync { group: Str },
    /// It is time to look for offsets to expire.
    Retention,
}

/// One event's turn.
pub struct Turn<'a> {
    pub now: Now,
    pub settings: &'a GroupSettings,
    pub timers: &'a mut Timers<TimerKey>,
    pub effects: &'a mut Effects,
}

impl Turn<'_> {
    pub fn answer<T: Send + 'static>(&mut self, port: Port<T>, reply: T) {
        self.effects.answers.push(port.answer(reply));
    }

    pub fn refuse<T: Send + 'static>(&mut self, port: Port<T>, error: ErrorCode) {
        self.effects.answers.push(port.refuse(error));
    }

    pub fn write(&mut self, records: Vec<CoordinatorRecord>, then: Then) {
        self.effects.writes.push(Write { records, then });
    }

    pub fn notice(&mut self, notice: Notice) {
        self.effects.notices.push(notice);
    }

    pub fn schedule(&mut self, key: TimerKey, after: Duration) {
        self.timers.schedule(key, self.now.at.saturating_add(after));
    }

    pub fn cancel(&mut self, key: &TimerKey) {
        self.timers.cancel(key);
    }
}
