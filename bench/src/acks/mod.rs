//! When each record was acknowledged, and what that says: gaps, latencies; and when the machine stood still. Pure.

mod gaps;
mod latencies;
mod log;
mod stalls;

pub use gaps::longest_gaps;
pub use latencies::{latencies, quantile, undisturbed_latencies};
pub use log::{AckLog, Stretch};
