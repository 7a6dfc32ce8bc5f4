//! `kafka_coordinator_group_groupmetadatamanager_*` and `kafka_server_group_coordinator_metrics_*`: the groups that brokers of
//! this process coordinate.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntCounter, IntGauge, IntGaugeVec, Opts};

use super::registered;

/// `partition_load_time_max` goes back so far.
const LOAD_WINDOW: Duration = Duration::from_secs(30);
/// Loads that are remembered for it; a broker coordinates fifty partitions or so.
const LOADS_MAX: usize = 1_000;

/// The groups of one shard, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupCounts {
    pub groups: i64,
    pub preparing_rebalance: i64,
    pub completing_rebalance: i64,
    pub stable: i64,
    pub dead: i64,
    pub empty: i64,
    pub offsets: i64,
}

/// Whether a shard reads its log or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardState {
    Loading,
    Active,
}

/// One shard's part in the gauges; taken back when it is dropped.
#[derive(Debug)]
pub struct ShardGauges {
    state: ShardState,
    shown: GroupCounts,
}

struct CountGauge {
    name: &'static str,
    help: &'static str,
    of: fn(&GroupCounts) -> i64,
}

const COUNT_GAUGES: [CountGauge; 7] = [
    CountGauge { name: "numgroups", help: "Groups", of: |counts| counts.groups },
    CountGauge {
        name: "numgroupspreparingrebalance",
        help: "Groups whose members are asked to join anew",
        of: |counts| counts.preparing_rebalance,
    },
    CountGauge {
        name: "numgroupscompletingrebalance",
        help: "Groups whose members wait for their assignment",
        of: |counts| counts.completing_rebalance,
    },
    CountGauge { name: "numgroupsstable", help: "Groups at work", of: |counts| counts.stable },
    CountGauge { name: "numgroupsdead", help: "Groups that are being deleted", of: |counts| counts.dead },
    CountGauge { name: "numgroupsempty", help: "Groups without members", of: |counts| counts.empty },
    CountGauge { name: "numoffsets", help: "Committed offsets", of: |counts| counts.offsets },
];

struct Handles {
    counts: Vec<Option<IntGauge>>,
    loading: Option<IntGauge>,
    active: Option<IntGauge>,
    offset_commits: Option<IntCounter>,
    offset_expirations: Option<IntCounter>,
    rebalances: Option<IntCounter>,
}

static HANDLES: LazyLock<Handles> = LazyLock::new(|| {
    let count = |gauge: &CountGauge| {
        let name = format!("kafka_coordinator_group_groupmetadatamanager_{}", gauge.name);
        registered(IntGauge::new(name, gauge.help))
    };
    let name = |name: &str| format!("kafka_server_group_coordinator_metrics_{name}");
    let counter = |of: &str, help: &str| registered(IntCounter::new(name(of), help));
    let partitions = Opts::new(name("num_partitions"), "Partitions of __consumer_offsets led here");
    let partitions = registered(IntGaugeVec::new(partitions, &["state"]));
    let in_state = |state: &str| partitions.as_ref().map(|vector| vector.with_label_values(&[state]));
    let load_time = "The longest load of a partition in the last 30 s, in milliseconds";
    let load_time = Gauge::new(name("partition_load_time_max"), load_time);
    registered(load_time.map(LoadTime));
    Handles {
        counts: COUNT_GAUGES.iter().map(count).collect(),
        loading: in_state("loading"),
        active: in_state("active"),
        offset_commits: counter("offset_commit_count", "Offsets committed"),
        offset_expirations: counter("offset_expiration_count", "Offsets that have expired"),
        rebalances: counter("group_completed_rebalance_count", "Rebalances that came to their end"),
    }
});

static LOADS: Mutex<VecDeque<(Instant, Duration)>> = Mutex::new(VecDeque::new());

/// The greatest of the latest loads, found when it is asked for.
#[derive(Clone)]
struct LoadTime(Gauge);

impl Collector for LoadTime {
    fn desc(&self) -> Vec<&Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let loads = LOADS.lock();
        let recent = loads.iter().filter(|(ended, _)| ended.elapsed() <= LOAD_WINDOW);
        let longest = recent.map(|(_, took)| *took).max().unwrap_or_default();
        self.0.set(longest.as_secs_f64() * 1_000.0);
        self.0.collect()
    }
}

impl ShardGauges {
    /// A shard that begins to read its log.
    pub fn loading() -> ShardGauges {
        let gauges = ShardGauges { state: ShardState::Loading, shown: GroupCounts::default() };
        gauges.count(1);
        gauges
    }

    /// The shard has read its log, which took so long.
    pub fn loaded(&mut self, took: Duration) {
        self.count(-1);
        self.state = ShardState::Active;
        self.count(1);
        let mut loads = LOADS.lock();
        loads.push_back((Instant::now(), took));
        if loads.len() > LOADS_MAX {
            loads.pop_front();
        }
    }

    /// Shows these counts instead of those shown before.
    pub fn show(&mut self, counts: GroupCounts) {
        for (gauge, handle) in COUNT_GAUGES.iter().zip(&HANDLES.counts) {
            if let Some(handle) = handle {
                handle.add((gauge.of)(&counts) - (gauge.of)(&self.shown));
            }
        }
        self.shown = counts;
    }

    fn count(&self, by: i64) {
        let handle = match self.state {
            ShardState::Loading => &HANDLES.loading,
            ShardState::Active => &HANDLES.active,
        };
        if let Some(handle) = handle {
            handle.add(by);
        }
    }
}

impl Drop for ShardGauges {
    fn drop(&mut self) {
        self.show(GroupCounts::default());
        self.count(-1);
    }
}

/// So many offsets were committed.
pub fn observe_commits(offsets: u64) {
    observe(&HANDLES.offset_commits, offsets);
}

/// So many offsets have expired.
pub fn observe_expirations(offsets: u64) {
    observe(&HANDLES.offset_expirations, offsets);
}

/// A rebalance came to its end.
pub fn observe_rebalance() {
    observe(&HANDLES.rebalances, 1);
}

fn observe(counter: &Option<IntCounter>, by: u64) {
    if let Some(counter) = counter {
        counter.inc_by(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shard_showed_is_taken_back_with_it() {
        // Other tests run shards too, but none of them has so many groups.
        let shown = || HANDLES.counts[0].as_ref().map_or(0, IntGauge::get) / 1_000_000;
        let mut gauges = ShardGauges::loading();
        gauges.loaded(Duration::from_millis(5));
        gauges.show(GroupCounts { groups: 5_000_000, ..GroupCounts::default() });
        gauges.show(GroupCounts { groups: 7_000_000, ..GroupCounts::default() });
        assert_eq!(shown(), 7);
        drop(gauges);
        assert_eq!(shown(), 0);
    }
}
