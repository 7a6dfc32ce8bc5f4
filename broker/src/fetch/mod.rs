//! What a fetch needs besides the read itself: sessions, and the sleep of long polls.

pub mod poll;
pub mod session;
pub mod sessions;
pub mod wait;
