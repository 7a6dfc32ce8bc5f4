//! What is to happen, in the order of its time; what happens at one time happens in the order in which it was planned.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::Event;

/// Events to come.
#[derive(Default)]
pub struct Queue {
    events: BTreeMap<(Duration, u64), Event>,
    planned: u64,
}

impl Queue {
    pub fn plan(&mut self, at: Duration, event: Event) {
        self.planned += 1;
        self.events.insert((at, self.planned), event);
    }

    /// The next event, and when it happens.
    pub fn next(&mut self) -> Option<(Duration, Event)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
