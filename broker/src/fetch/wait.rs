//! How a long poll sleeps: it is registered with its partitions *before* it reads, and a partition whose high watermark or
//! last stable offset moved wakes those registered. What moves in between is found by the read, so no wake-up is lost.

use std::sync::Arc;

use tokio::sync::Notify;

/// The long polls that wait for one partition.
#[derive(Default)]
pub struct FetchWaits {
    waiting: Vec<Arc<Notify>>,
}

impl FetchWaits {
    /// Adds a long poll; it stays until [`FetchWaits::remove`].
    pub fn add(&mut self, wait: &Arc<Notify>) {
        self.waiting.push(wait.clone());
    }

    /// Takes a long poll out.
    pub fn remove(&mut self, wait: &Arc<Notify>) {
        if let Some(index) = self.waiting.iter().position(|waiting| Arc::ptr_eq(waiting, wait)) {
            self.waiting.swap_remove(index);
        }
    }

    /// Wakes all of them: each reads again and decides for itself whether it has enough.
    pub fn wake(&self) {
        for wait in &self.waiting {
            wait.notify_one();
        }
    }
}
