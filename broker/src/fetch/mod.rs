//! What a fetch needs besides the read itself: sessions, the sleep of long polls, and where a consumer stands.

pub mod client_rack;
pub mod poll;
pub mod session;
pub mod sessions;
pub mod wait;
