//! What a broker counts, under the names that dashboards made for the JMX exporter already use.
//!
//! Handles are static and registered once in the process's registry, so that counting builds no string and takes no lock
//! that another thread holds for long. Brokers that share a process (`milena dev`) share the counts: what is a sum for
//! one broker is the sum of all. Only shells count; deciding code never does.

pub mod connections;
pub mod groups;
pub mod log_dirs;
pub mod out_of_sync;
pub mod partitions;
pub mod replication;
pub mod requests;
pub mod topics;

use prometheus::core::Collector;

/// Puts a collector into the process's registry and gives it back. A name that is taken twice is our own mistake: the
/// second is counted and never shown.
fn registered<C: Collector + Clone + 'static>(made: prometheus::Result<C>) -> Option<C> {
    let collector = made.ok()?;
    let result = prometheus::default_registry().register(Box::new(collector.clone()));
    debug_assert!(result.is_ok(), "{result:?}");
    Some(collector)
}
