//! `milena_replicas_out_of_sync`: followers out of the ISRs led here, by cause.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prometheus::{IntGaugeVec, Opts};

use super::registered;
use crate::replica::approach::OutOfSync;

static REPLICAS: LazyLock<Option<IntGaugeVec>> = LazyLock::new(|| {
    let help = "Followers out of the ISRs led here: stuck (no fetch for replica.lag.time.max.ms, or gone), slow (fetching, \
                and no nearer to the end for that time), catching_up (new or returned)";
    registered(IntGaugeVec::new(Opts::new("milena_replicas_out_of_sync", help), &["cause"]))
});

/// How many there are of each cause.
pub type Counts = BTreeMap<OutOfSync, i64>;

/// One broker's part in the gauges; taken back when it is dropped.
#[derive(Debug)]
pub struct OutOfSyncGauges {
    shown: Counts,
}

/// Shows zeros, so that dashboards see every cause from the start.
impl Default for OutOfSyncGauges {
    fn default() -> OutOfSyncGauges {
        let mut gauges = OutOfSyncGauges { shown: Counts::new() };
        gauges.show(Counts::new());
        gauges
    }
}

impl OutOfSyncGauges {
    /// Shows these counts instead of those shown before.
    pub fn show(&mut self, counts: Counts) {
        let Some(replicas) = &*REPLICAS else { return };
        for cause in OutOfSync::ALL {
            let of = |counts: &Counts| counts.get(&cause).copied().unwrap_or_default();
            replicas.with_label_values(&[cause.name()]).add(of(&counts) - of(&self.shown));
        }
        self.shown = counts;
    }
}

impl Drop for OutOfSyncGauges {
    fn drop(&mut self) {
        self.show(Counts::new());
    }
}
