//! A metadata store that went back, as one restored from a backup does: how it is noticed, and how the cluster is recovered.
//! Pure.
//!
//! Every broker says with its hello what it has seen and what its logs hold ([`report`]). Anything newer than the store
//! ([`newer`]) means that the store has forgotten something: perhaps who is in sync. From then on nothing is decided until
//! someone says `milena cluster recover`, which begins a new timeline ([`recover`]).

mod newer;
mod recover;
mod report;
#[cfg(test)]
mod tests;

pub use newer::{Newer, newer, newer_reading};
pub use recover::{Recovery, recover};
#[cfg(test)]
pub use report::ReplicaReport;
pub use report::Report;

/// What an administrator is told while the store is not to be trusted.
pub fn remedy(went_back: &str) -> String {
    format!(
        "the metadata store has gone back to an older state ({went_back}): was it restored from a backup? Nothing is decided \
         until `milena cluster recover` has been run; existing leaders go on serving"
    )
}
