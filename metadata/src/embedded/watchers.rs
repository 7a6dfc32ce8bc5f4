//! The watches that are open. One that falls too far behind is dropped: its receiver ends, which means "lost".

use tokio::sync::mpsc;

use super::history::message;
use super::state::Batch;
use crate::store::{KeyRange, Revision, WatchMessage};

/// How many messages may wait for a watcher, beyond those that it asked for from the past.
const MESSAGES_MAX: usize = 1024;

struct Watcher {
    range: KeyRange,
    from: Revision,
    messages: mpsc::Sender<WatchMessage>,
}

#[derive(Default)]
pub(super) struct Watchers {
    watchers: Vec<Watcher>,
}

impl Watchers {
    /// Opens a watch that is first told what it has missed.
    pub fn open(
        &mut self,
        range: KeyRange,
        from: Revision,
        missed: Vec<WatchMessage>,
    ) -> mpsc::Receiver<WatchMessage> {
        let (messages, receiver) = mpsc::channel(missed.len() + MESSAGES_MAX);
        let compacted = matches!(missed.first(), Some(WatchMessage::Compacted { .. }));
        let told = missed.into_iter().all(|message| messages.try_send(message).is_ok());
        if told && !compacted {
            self.watchers.push(Watcher { range, from, messages });
        }
        receiver
    }

    pub fn tell(&mut self, batch: &Batch) {
        self.watchers.retain(|watcher| {
            let wanted = batch.revision >= watcher.from;
            match message(batch, &watcher.range).filter(|_| wanted) {
                Some(message) => watcher.messages.try_send(message).is_ok(),
                None => !watcher.messages.is_closed(),
            }
        });
    }

    /// Ends every watch.
    pub fn drop_all(&mut self) {
        self.watchers.clear();
    }
}
