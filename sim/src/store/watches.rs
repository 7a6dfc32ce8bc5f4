//! Watches: each has its messages on the way, in order, until it is lost.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use metadata::embedded::history::message;
use metadata::embedded::state::Batch;
use metadata::store::{KeyRange, WatchMessage};
use tokio::sync::mpsc;

use crate::host::Host;

/// Messages that may wait for a watcher that stands still.
const MESSAGES_MAX: usize = 10_000;

/// One watch.
pub struct Watching {
    pub owner: Host,
    range: KeyRange,
    to: mpsc::Sender<WatchMessage>,
    coming: VecDeque<WatchMessage>,
    /// When the last planned message arrives: no later one overtakes it.
    pub last_at: Duration,
    /// How often a message found no way.
    pub stalls: u32,
}

/// All watches; and those for which a message has to be planned.
#[derive(Default)]
pub struct Watches {
    open: BTreeMap<u64, Watching>,
    last: u64,
    due: Vec<u64>,
}

impl Watches {
    pub(super) fn open(
        &mut self,
        owner: Host,
        range: KeyRange,
        missed: Vec<WatchMessage>,
    ) -> mpsc::Receiver<WatchMessage> {
        let (to, receiver) = mpsc::channel(MESSAGES_MAX);
        self.last += 1;
        self.due.extend(missed.iter().map(|_| self.last));
        let coming = missed.into();
        let watching = Watching { owner, range, to, coming, last_at: Duration::ZERO, stalls: 0 };
        self.open.insert(self.last, watching);
        receiver
    }

    pub(super) fn tell(&mut self, batch: &Batch) {
        self.open.retain(|_, watching| !watching.to.is_closed());
        for (id, watching) in &mut self.open {
            if let Some(message) = message(batch, &watching.range) {
                watching.coming.push_back(message);
                self.due.push(*id);
            }
        }
    }

    /// The watches for which messages have come up, once for each message.
    pub fn take_due(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.due)
    }

    pub fn get(&mut self, id: u64) -> Option<&mut Watching> {
        self.open.get_mut(&id)
    }

    /// The next message of a watch arrives.
    pub fn deliver(&mut self, id: u64) {
        if let Some(watching) = self.open.get_mut(&id)
            && let Some(message) = watching.coming.pop_front()
        {
            // Who died wants none.
            let _ = watching.to.try_send(message);
        }
    }

    pub fn lose(&mut self, id: u64) {
        self.open.remove(&id);
    }

    pub fn lose_all(&mut self) -> Vec<Host> {
        std::mem::take(&mut self.open).into_values().map(|watching| watching.owner).collect()
    }
}
