//! `kafka_server_replicamanager_*`: what the partitions of the brokers in this process are like now.

use std::sync::LazyLock;

use prometheus::IntGauge;

use super::registered;

/// One broker's part in the gauges; taken back when it is dropped.
#[derive(Debug)]
pub struct PartitionGauges {
    shown: PartitionCounts,
}

/// Partitions of one broker, counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PartitionCounts {
    /// Led here, with an ISR smaller than the replica set.
    pub under_replicated: i64,
    /// Led here, with an ISR smaller than `min.insync.replicas`.
    pub under_min_isr: i64,
    /// Led here, with an ISR of exactly `min.insync.replicas`.
    pub at_min_isr: i64,
    /// Replicas here whose log directory has failed.
    pub offline_replicas: i64,
    /// Replicas here.
    pub partitions: i64,
    /// Led here.
    pub leaders: i64,
    /// Led here, with replicas that come or go by a reassignment.
    pub reassigning: i64,
}

struct Gauge {
    name: &'static str,
    help: &'static str,
    of: fn(&PartitionCounts) -> i64,
}

const GAUGES: [Gauge; 7] = [
    Gauge {
        name: "kafka_server_replicamanager_underreplicatedpartitions",
        help: "Partitions led here with an ISR smaller than the replica set",
        of: |counts| counts.under_replicated,
    },
    Gauge {
        name: "kafka_server_replicamanager_underminisrpartitioncount",
        help: "Partitions led here with an ISR smaller than min.insync.replicas",
        of: |counts| counts.under_min_isr,
    },
    Gauge {
        name: "kafka_server_replicamanager_atminisrpartitioncount",
        help: "Partitions led here with an ISR of exactly min.insync.replicas",
        of: |counts| counts.at_min_isr,
    },
    Gauge {
        name: "kafka_server_replicamanager_offlinereplicacount",
        help: "Replicas here whose log directory has failed",
        of: |counts| counts.offline_replicas,
    },
    Gauge {
        name: "kafka_server_replicamanager_partitioncount",
        help: "Replicas here",
        of: |counts| counts.partitions,
    },
    Gauge {
        name: "kafka_server_replicamanager_leadercount",
        help: "Partitions led here",
        of: |counts| counts.leaders,
    },
    Gauge {
        name: "kafka_server_replicamanager_reassigningpartitions",
        help: "Partitions led here with replicas that come or go by a reassignment",
        of: |counts| counts.reassigning,
    },
];

static HANDLES: LazyLock<Vec<Option<IntGauge>>> =
    LazyLock::new(|| GAUGES.iter().map(|gauge| registered(IntGauge::new(gauge.name, gauge.help))).collect());

/// Shows zeros, so that dashboards see every gauge from the start.
impl Default for PartitionGauges {
    fn default() -> PartitionGauges {
        LazyLock::force(&HANDLES);
        PartitionGauges { shown: PartitionCounts::default() }
    }
}

impl PartitionGauges {
    /// Shows these counts instead of those shown before.
    pub fn show(&mut self, counts: PartitionCounts) {
        for (gauge, handle) in GAUGES.iter().zip(HANDLES.iter()) {
            if let Some(handle) = handle {
                handle.add((gauge.of)(&counts) - (gauge.of)(&self.shown));
            }
        }
        self.shown = counts;
    }
}

impl Drop for PartitionGauges {
    fn drop(&mut self) {
        self.show(PartitionCounts::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_of_one_process_add_up_and_take_their_part_away() {
        let led = |leaders| PartitionCounts { leaders, ..PartitionCounts::default() };
        let leaders = || HANDLES[5].as_ref().expect("is registered").get();
        let (mut one, mut other) = (PartitionGauges::default(), PartitionGauges::default());
        one.show(led(3));
        other.show(led(4));
        one.show(led(1));
        assert_eq!(leaders(), 5);
        drop(other);
        assert_eq!(leaders(), 1);
    }
}
