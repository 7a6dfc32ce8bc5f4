//! One shard of the coordinator: the groups whose records lie in one partition of `__consumer_offsets`. A pure state
//! machine.
//!
//! Its shell feeds it [`Event`]s, the outcome of every write in the order of the writes, and the time; it delivers the
//! answers and appends the records that come back.

use std::time::Duration;

use protocol::types::Offset;

use super::effects::{Effects, Write, Written};
use super::event::Event;
use super::groups::Groups;
use super::records::CoordinatorRecord;
use super::timers::Timers;
use super::turn::{Now, TimerKey, Turn};
use crate::config::GroupSettings;

/// The most timers of one turn; others come due in the next.
const TIMERS_PER_TURN: usize = 1_000;

/// One shard.
pub struct Shard {
    groups: Groups,
    timers: Timers<TimerKey>,
    settings: GroupSettings,
}

impl Shard {
    /// A shard that knows nothing yet.
    pub fn new(settings: GroupSettings) -> Shard {
        Shard { groups: Groups::default(), timers: Timers::new(), settings }
    }

    /// What the log says, record by record, before anything is asked. `transaction` is the producer's id.
    pub fn replay(&mut self, record: CoordinatorRecord, at: Offset, transaction: Option<i64>, now: Now) {
        self.groups.replay(record, at, transaction, now);
    }

    /// The log says that a transaction has ended.
    pub fn replay_end_of_transaction(&mut self, producer_id: i64, committed: bool, now: Now) {
        self.groups.replay_end_of_transaction(producer_id, committed, now);
    }

    /// The log is read to its end: time begins.
    pub fn on_loaded(&mut self, now: Now) -> Effects {
        self.turn(now, |groups, turn| {
            turn.schedule(TimerKey::Retention, turn.settings.offsets_retention_check_interval);
            groups.on_loaded(turn);
        })
    }

    pub fn handle(&mut self, event: Event, now: Now) -> Effects {
        self.turn(now, |groups, turn| groups.handle(event, turn))
    }

    /// A write has ended, well or not.
    pub fn handle_written(&mut self, write: Write, written: Written, now: Now) -> Effects {
        self.turn(now, |groups, turn| groups.handle_written(write, written, turn))
    }

    /// A write takes longer than anybody should wait; it has not ended yet.
    pub fn handle_overdue(&mut self, write: &mut Write, now: Now) -> Effects {
        self.turn(now, |groups, turn| groups.handle_overdue(write, turn))
    }

    /// Time has passed.
    pub fn handle_time(&mut self, now: Now) -> Effects {
        self.turn(now, |groups, turn| {
            for _ in 0..TIMERS_PER_TURN {
                let Some(key) = turn.timers.expire(now.at) else { break };
                if key == TimerKey::Retention {
                    turn.schedule(TimerKey::Retention, turn.settings.offsets_retention_check_interval);
                }
                groups.handle_timer(key, turn);
            }
        })
    }

    /// When [`Shard::handle_time`] is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.timers.next_deadline()
    }

    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    fn turn(&mut self, now: Now, act: impl FnOnce(&mut Groups, &mut Turn<'_>)) -> Effects {
        let mut effects = Effects::default();
        let Shard { groups, timers, settings } = self;
        act(groups, &mut Turn { now, settings, timers, effects: &mut effects });
        effects
    }
}
