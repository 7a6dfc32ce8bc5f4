//! The nemesis: which faults there are, in which order they come, and how they are done and undone.

mod act;
mod fault;
mod schedule;

pub use act::Wounds;
pub use fault::{BROKERS, CONTROLLERS, Deed, Fault, KINDS, Kind, Member, others};
pub use schedule::{Act, Schedule};
