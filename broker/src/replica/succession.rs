//! Replicas that go while their logs are still being opened. A log that is being opened can't be moved away from under its
//! opener, so its directory goes when the opener is done, and a new replica of the same name is made only then.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::types::Uuid;

use super::Replicas;
use super::partition::Partition;
use super::removal::Fate;
use super::retries::Unopened;

/// By the directory that an opener is still at work in.
#[derive(Default)]
pub(super) struct Successions(HashMap<PathBuf, Succession>);

/// What becomes of one such directory.
struct Succession {
    fate: Fate,
    heir: Option<Heir>,
}

/// The replica that is to have the directory next, and its topic's id.
pub(super) struct Heir {
    pub partition: Arc<Partition>,
    pub topic_id: Uuid,
}

impl Successions {
    /// The replica there goes. One that only waits for the directory has nothing in it: its predecessor's fate stands.
    pub(super) fn departs(&mut self, path: PathBuf, fate: Fate) {
        self.0.entry(path).or_insert(Succession { fate, heir: None }).heir = None;
    }

    /// Queues the new replica behind the one that goes; gives it back where none does.
    pub(super) fn queue(&mut self, path: &Path, heir: Heir) -> Option<Heir> {
        match self.0.get_mut(path) {
            Some(succession) => {
                succession.heir = Some(heir);
                None
            }
            None => Some(heir),
        }
    }
}

impl Replicas {
    /// An opener is done in a directory: whoever went meanwhile goes now, and the next one comes.
    pub(super) fn succeed(&self, opened: &Arc<Partition>) {
        let succession = self.successions.lock().0.remove(&opened.path());
        let Some(Succession { fate, heir }) = succession else { return };
        self.clear_away(opened, None, fate);
        if let Some(heir) = heir {
            self.open(Unopened::New(heir));
        }
    }
}
