//! Who is the active controller: a watch on `/controller`, the only key that a broker watches.
//!
//! While the store cannot be asked the last answer stands: whoever was active may well go on.

use metadata::keys::Key;
use metadata::keys::controller_key::ActiveController;
use metadata::store::{KeyRange, StoreError, WatchEvent, WatchMessage};

use super::ControllerLink;
use super::backoff::Backoff;

impl ControllerLink {
    /// Follows `/controller` for ever: reads it, then watches; whatever ends the watch, it is read again.
    pub(super) async fn follow_election(&self) {
        let (mut backoff, mut failing) = (Backoff::new(), false);
        loop {
            match self.watch_controller().await {
                Ok(()) => {
                    backoff = Backoff::new();
                    failing = false;
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!("cannot learn who is the active controller, trying on: {error}");
                    }
                }
            }
            backoff.sleep().await;
        }
    }

    /// One read and the watch that follows it; returns when the watch ends.
    async fn watch_controller(&self) -> Result<(), StoreError> {
        let key = KeyRange::key(Key::Controller.path(&self.prefix));
        let found = self.store.range(key.clone()).await?;
        self.set_controller(found.entries.first().map(|entry| &*entry.value));
        let mut watch = self.store.watch(key, found.revision + 1).await?;
        while let Some(WatchMessage::Events { events, .. }) = watch.recv().await {
            match events.last() {
                Some(WatchEvent::Put(entry)) => self.set_controller(Some(&entry.value)),
                Some(WatchEvent::Deleted { .. }) => self.set_controller(None),
                None => {}
            }
        }
        Ok(())
    }

    fn set_controller(&self, value: Option<&[u8]>) {
        let controller = value.and_then(|value| match ActiveController::decode(value) {
            Ok(controller) => Some(controller),
            Err(error) => {
                tracing::error!("{error}");
                None
            }
        });
        self.controller.send_if_modified(|known| {
            let changed = *known != controller;
            *known = controller;
            changed
        });
    }
}
