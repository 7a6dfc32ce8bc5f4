//! What a broker counts, under the names that dashboards made for the JMX exporter already use.
//!
//! Handles are static and registered once in the process's registry, so that counting builds no string and takes no lock
//! that another thread holds for long. Brokers that share a process (`milena dev`) share the counts: what is a sum for
//! one broker is the sum of all. Only shells count; deciding code never does.

pub mod connections;
pub mod disks;
pub mod figures;
pub mod groups;
pub mod log_dirs;
pub mod observed;
pub mod out_of_sync;
pub mod partitions;
pub mod replication;
pub mod requests;
pub mod threads;
pub mod topics;

use std::sync::Once;

use node::measure::family::{self, Family};
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;

/// Shows what is counted here, from the start. Every broker of a process may call it.
pub fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        requests::begin();
        replication::begin();
        topics::begin();
        disks::begin();
        show(&[&disks::APPENDS, &disks::FLUSHES, &disks::FLUSH_STATS], disks::find);
        show(&threads::FAMILIES.each_ref(), threads::find);
        show(&observed::families(), observed::find);
    });
}

/// Lets the process's registry ask for these families at each scrape. A name that is taken twice is our own mistake.
fn show(families: &[&Family], find: fn() -> Vec<MetricFamily>) {
    let shown = family::register(prometheus::default_registry(), families, find);
    debug_assert!(shown.is_ok(), "{shown:?}");
}

/// Puts a collector into the process's registry and gives it back. A name that is taken twice is our own mistake: the
/// second is counted and never shown.
fn registered<C: Collector + Clone + 'static>(made: prometheus::Result<C>) -> Option<C> {
    let collector = made.ok()?;
    let result = prometheus::default_registry().register(Box::new(collector.clone()));
    debug_assert!(result.is_ok(), "{result:?}");
    Some(collector)
}
