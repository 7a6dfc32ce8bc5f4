//! How a long poll sleeps: it is registered with its partitions *before* it reads, and a partition that has more for it
//! wakes it. What moves in between is found by the read, so no wake-up is lost.
//!
//! Followers read to the log's end, so an append wakes them; consumers wait for the high watermark. A DeleteRecords waits the
//! same way, for the followers' logs to start where the leader's does.

use std::sync::Arc;

use tokio::sync::Notify;

/// Who waits, and so for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Consumers,
    Followers,
    /// Those who have deleted records.
    Deleters,
}

/// The long polls that wait for one partition.
#[derive(Default)]
pub struct FetchWaits {
    consumers: Vec<Arc<Notify>>,
    followers: Vec<Arc<Notify>>,
    deleters: Vec<Arc<Notify>>,
}

impl FetchWaits {
    /// Adds a long poll; it stays until [`FetchWaits::remove`].
    pub fn add(&mut self, audience: Audience, wait: &Arc<Notify>) {
        self.of(audience).push(wait.clone());
    }

    /// Takes a long poll out.
    pub fn remove(&mut self, audience: Audience, wait: &Arc<Notify>) {
        let waiting = self.of(audience);
        if let Some(index) = waiting.iter().position(|waiting| Arc::ptr_eq(waiting, wait)) {
            waiting.swap_remove(index);
        }
    }

    /// There is more for consumers: each reads again and decides for itself whether it has enough.
    pub fn high_watermark_moved(&self) {
        self.consumers.iter().for_each(|wait| wait.notify_one());
    }

    /// There is more for followers.
    pub fn appended(&self) {
        self.followers.iter().for_each(|wait| wait.notify_one());
    }

    /// What lies before is gone: consumers there hear of it, and followers that have nothing else to fetch.
    pub fn log_start_moved(&self) {
        self.high_watermark_moved();
    }

    /// A follower's log starts elsewhere.
    pub fn log_start_of_follower_moved(&self) {
        self.deleters.iter().for_each(|wait| wait.notify_one());
    }

    /// The partition is another one: whoever waits finds out.
    pub fn wake_all(&self) {
        self.high_watermark_moved();
        self.appended();
        self.log_start_of_follower_moved();
    }

    fn of(&mut self, audience: Audience) -> &mut Vec<Arc<Notify>> {
        match audience {
            Audience::Consumers => &mut self.consumers,
            Audience::Followers => &mut self.followers,
            Audience::Deleters => &mut self.deleters,
        }
    }
}
