//! How logs are opened, by whoever has one to open: those for which there is no room on the disk, or no descriptor left, are
//! tried again until they open. Meanwhile their replicas are as those that are being opened.

use std::sync::atomic::Ordering;

use protocol::types::Uuid;

use super::Replicas;
use super::errors::PartitionError;
use super::partition::Partition;
use super::recovery::Found;
use super::succession::Heir;

/// A log to open.
pub(super) enum Unopened {
    /// Found at the start.
    Found(Found),
    /// A new one, empty.
    New(Heir),
}

/// Logs that wait for room or descriptors.
pub(super) type Retries = Vec<Unopened>;

impl Unopened {
    fn partition(&self) -> &std::sync::Arc<Partition> {
        match self {
            Unopened::Found(found) => &found.partition,
            Unopened::New(heir) => &heir.partition,
        }
    }
}

impl Replicas {
    /// Opens a log, or has it opened later.
    pub(super) fn open(&self, unopened: Unopened) {
        match self.try_open(&unopened) {
            Err(error) if unopened.partition().is_opening() => {
                tracing::error!(partition = %unopened.partition().at, "the log is not open yet, and is tried again: {error}");
                self.retries.lock().push(unopened);
                self.note_offline();
            }
            _ => self.finish_opening(&unopened),
        }
    }

    /// Tries again what could not be opened; how many logs that are.
    pub(super) fn open_again(&self) -> usize {
        let waiting = std::mem::take(&mut *self.retries.lock());
        let count = waiting.len();
        for unopened in waiting {
            if self.try_open(&unopened).is_err() && unopened.partition().is_opening() {
                self.retries.lock().push(unopened);
                continue;
            }
            tracing::info!(partition = %unopened.partition().at, "the log is open at last");
            self.finish_opening(&unopened);
            self.note_offline();
        }
        count
    }

    /// New replicas that wait to be opened: they have nothing, and others may lead.
    pub(super) fn unopened_new(&self) -> Vec<(Uuid, i32)> {
        let retries = self.retries.lock();
        let new = retries.iter().filter_map(|unopened| match unopened {
            Unopened::New(heir) => Some((heir.topic_id, heir.partition.at.partition)),
            Unopened::Found(_) => None,
        });
        new.collect()
    }

    /// An error says that something ran out.
    fn try_open(&self, unopened: &Unopened) -> Result<(), PartitionError> {
        match unopened {
            Unopened::Found(found) => self.open_found(found),
            Unopened::New(heir) => self.open_new(heir),
        }
    }

    /// The opener is done with the directory, whatever came of it.
    pub(super) fn finish_opening(&self, unopened: &Unopened) {
        self.succeed(unopened.partition());
        if let Unopened::Found(_) = unopened {
            self.opening.fetch_sub(1, Ordering::AcqRel);
            self.opened.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
