//! When each record was acknowledged, and what that says: gaps, latencies. Pure.

mod gaps;
mod latencies;
mod log;

pub use gaps::longest_gaps;
pub use latencies::{latencies, quantile};
pub use log::{AckLog, Stretch};
