//! Sockets: accept loops, connections, frames, and the gather list by which responses leave.
//!
//! Knows nothing of what a request means: `api::dispatch` takes a frame and gives an [`answer::Answer`].

pub mod answer;
mod cold;
mod complaints;
mod connection;
mod frames;
mod gather;
pub mod listener;
pub mod quota;
mod rate;
pub mod request_memory;
mod residency;
mod sendfile;
