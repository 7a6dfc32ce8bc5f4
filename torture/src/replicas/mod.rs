//! The replicas of each partition at the end: equal batches from the highest log start to the lowest high watermark.

mod compare;
mod read;

pub use compare::{Difference, Replica, compare, raised_epochs};
pub use read::read;
