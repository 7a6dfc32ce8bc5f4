//! Measuring at next to no cost: counters and histograms of which every thread keeps its own part, added up when they are
//! asked for.
//!
//! * [`slot`], [`per_thread`]: which part is whose; [`tally`]: a number in such a part.
//! * [`scale`]: the buckets; [`histogram`]: counts in them; [`quantile`], [`recent`]: what Kafka's histograms tell.
//! * [`family`]: what is counted, as Prometheus reads it.
//!
//! An observation is a few plain additions to memory that no other thread writes: no lock, no allocation, no string.

pub mod family;
pub mod histogram;
pub mod per_thread;
pub mod quantile;
pub mod recent;
pub mod scale;
pub mod slot;
pub mod tally;
