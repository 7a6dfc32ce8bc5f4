//! `kafka_log_log_*`, `kafka_cluster_partition_*`, `kafka_topic_partition_*`, `kafka_consumergroup_*` and what else is found
//! when it is asked for, from [`figures`](super::figures).
//!
//! Series by partition and by group are bounded: those beyond are left out, and counted.

use std::collections::BTreeMap;

use node::measure::family::Family;
use prometheus::proto::{Metric, MetricFamily};
use storage::TopicPartition;

use super::figures::{LedFigures, ReplicaFigures, of_each, partitions};

/// Partitions with series of their own.
pub const PARTITIONS_MAX: usize = 20_000;

/// Committed offsets with series of their own, of one broker.
pub const COMMITTED_MAX: usize = 20_000;

const PARTITION: &[&str] = &["topic", "partition"];
const COMMITTED: &[&str] = &["consumergroup", "topic", "partition"];

/// A gauge of each partition that has it.
struct PartitionGauge {
    family: Family,
    of: fn(&ReplicaFigures) -> Option<f64>,
}

const fn replica(
    name: &'static str,
    help: &'static str,
    of: fn(&ReplicaFigures) -> Option<f64>,
) -> PartitionGauge {
    PartitionGauge { family: Family::gauge(name, PARTITION, help), of }
}

fn led(figures: &ReplicaFigures, of: impl Fn(&LedFigures) -> f64) -> Option<f64> {
    figures.led.as_ref().map(of)
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

static PARTITION_GAUGES: [PartitionGauge; 11] = [
    replica("kafka_log_log_size", "Bytes of the log of a replica here", |log| Some(log.bytes as f64)),
    replica("kafka_log_log_numlogsegments", "Segments of the log of a replica here", |log| {
        Some(log.segments as f64)
    }),
    replica("kafka_log_log_logstartoffset", "First offset of the log of a replica here", |log| {
        Some(log.log_start_offset as f64)
    }),
    replica("kafka_log_log_logendoffset", "Next offset of the log of a replica here", |log| {
        Some(log.log_end_offset as f64)
    }),
    replica(
        "kafka_topic_partition_current_offset",
        "High watermark of a partition led here: the offset below which consumers may read",
        |log| led(log, |led| led.high_watermark as f64),
    ),
    replica(
        "kafka_cluster_partition_insyncreplicascount",
        "Members of the ISR of a partition led here",
        |log| led(log, |led| led.in_sync_replicas as f64),
    ),
    replica("kafka_cluster_partition_replicascount", "Replicas of a partition led here", |log| {
        led(log, |led| led.replicas as f64)
    }),
    replica(
        "kafka_cluster_partition_underreplicated",
        "1 if the ISR of a partition led here is smaller than its replica set",
        |log| led(log, |led| flag(led.in_sync_replicas < led.replicas)),
    ),
    replica(
        "kafka_cluster_partition_underminisr",
        "1 if the ISR of a partition led here is smaller than min.insync.replicas",
        |log| led(log, |led| flag(led.in_sync_replicas < led.min_isr)),
    ),
    replica(
        "kafka_cluster_partition_atminisr",
        "1 if the ISR of a partition led here has exactly min.insync.replicas members",
        |log| led(log, |led| flag(led.in_sync_replicas == led.min_isr)),
    ),
    replica(
        "kafka_cluster_partition_laststableoffsetlag",
        "Offsets between the last stable offset and the high watermark of a partition led here",
        |log| led(log, |led| (led.high_watermark - led.last_stable_offset).max(0) as f64),
    ),
];

static PARTITIONS_LEFT_OUT: Family = Family::gauge(
    "milena_partition_series_left_out",
    &[],
    "Partitions here without series of their own, because there are more than 20000",
);
static PRODUCERS: Family = Family::gauge(
    "kafka_server_replicamanager_produceridcount",
    &[],
    "Idempotent and transactional producers that the logs here remember",
);
static DIR_SIZE: Family = Family::gauge(
    "milena_log_dir_size_bytes",
    &["log_dir"],
    "Bytes of the file system under a log directory",
);
static DIR_FREE: Family = Family::gauge(
    "milena_log_dir_free_bytes",
    &["log_dir"],
    "Bytes that may be used still of the file system under a log directory",
);
static STATE: Family = Family::gauge(
    "kafka_server_kafkaserver_brokerstate",
    &[],
    "1 starting, 2 recovering logs, 3 running, 6 handing its leaderships over, 7 shutting down",
);
static METADATA: Family = Family::gauge(
    "kafka_server_broker_metadata_metrics_last_applied_record_offset",
    &[],
    "Revision of the newest metadata that this broker has applied",
);
static SESSIONS: Family = Family::gauge(
    "kafka_server_fetchsessioncache_numincrementalfetchsessions",
    &[],
    "Fetch sessions that are remembered",
);
static SESSION_PARTITIONS: Family = Family::gauge(
    "kafka_server_fetchsessioncache_numincrementalfetchpartitionscached",
    &[],
    "Partitions in the fetch sessions that are remembered",
);
static SESSION_EVICTIONS: Family = Family::counter(
    "kafka_server_fetchsessioncache_incrementalfetchsessionevictions_total",
    &[],
    "Fetch sessions that made room for others",
);
static TO_RECOVER: Family = Family::gauge(
    "kafka_log_logmanager_remaininglogstorecover",
    &[],
    "Logs found at the start that are still to be opened",
);
static MEMBERS: Family = Family::gauge(
    "kafka_consumergroup_members",
    &["consumergroup"],
    "Members of a group that is coordinated here",
);
static CURRENT: Family = Family::gauge(
    "kafka_consumergroup_current_offset",
    COMMITTED,
    "Offset that a group coordinated here has committed, at most 5 s ago",
);
static LAG: Family = Family::gauge(
    "kafka_consumergroup_lag",
    COMMITTED,
    "Records between the offset that a group coordinated here has committed and the high watermark, at most 5 s ago",
);
static LAG_UNKNOWN: Family = Family::gauge(
    "milena_consumergroup_lag_unknown",
    &[],
    "Committed offsets without a lag, because the partition is gone or its leader did not answer",
);
static COMMITTED_LEFT_OUT: Family = Family::gauge(
    "milena_consumergroup_series_left_out",
    &[],
    "Committed offsets without series of their own, because there are more than 20000",
);

pub(super) fn families() -> Vec<&'static Family> {
    let mut families: Vec<_> = PARTITION_GAUGES.iter().map(|gauge| &gauge.family).collect();
    families.extend([&PARTITIONS_LEFT_OUT, &PRODUCERS, &DIR_SIZE, &DIR_FREE, &STATE, &METADATA]);
    families.extend([&SESSIONS, &SESSION_PARTITIONS, &SESSION_EVICTIONS, &TO_RECOVER]);
    families.extend([&MEMBERS, &CURRENT, &LAG, &LAG_UNKNOWN, &COMMITTED_LEFT_OUT]);
    families
}

pub(super) fn find() -> Vec<MetricFamily> {
    let mut found = of_partitions(&partitions());
    found.extend(of_log_dirs());
    found.extend(of_standings());
    found.extend(of_groups());
    found
}

fn one(family: &Family, value: f64) -> MetricFamily {
    family.of(vec![family.value(&[], value)])
}

fn of_partitions(partitions: &BTreeMap<TopicPartition, ReplicaFigures>) -> Vec<MetricFamily> {
    let shown: Vec<_> = partitions.iter().take(PARTITIONS_MAX).collect();
    let each = |gauge: &PartitionGauge| {
        let metric = |(at, figures): &(&TopicPartition, &ReplicaFigures)| {
            let value = (gauge.of)(figures)?;
            Some(gauge.family.value(&[&at.topic, &at.partition.to_string()], value))
        };
        gauge.family.of(shown.iter().filter_map(metric).collect())
    };
    let mut found: Vec<_> = PARTITION_GAUGES.iter().map(each).collect();
    let producers: usize = partitions.values().map(|figures| figures.producers).sum();
    found.push(one(&PARTITIONS_LEFT_OUT, (partitions.len() - shown.len()) as f64));
    found.push(one(&PRODUCERS, producers as f64));
    found
}

fn of_log_dirs() -> [MetricFamily; 2] {
    let dirs: Vec<_> = of_each(|broker| broker.log_dirs()).into_iter().flatten().collect();
    let size = dirs.iter().map(|dir| DIR_SIZE.value(&[&dir.path], dir.size_bytes as f64));
    let free = dirs.iter().map(|dir| DIR_FREE.value(&[&dir.path], dir.free_bytes as f64));
    [DIR_SIZE.of(size.collect()), DIR_FREE.of(free.collect())]
}

/// Of several brokers, the one that is least far, and the sums.
fn of_standings() -> Vec<MetricFamily> {
    let all = of_each(|broker| broker.standing());
    let Some(state) = all.iter().map(|one| one.state).min() else { return Vec::new() };
    let revision = all.iter().map(|one| one.metadata_revision).min().unwrap_or_default();
    let sum = |family, of: fn(&super::figures::Standing) -> usize| {
        one(family, all.iter().map(of).sum::<usize>() as f64)
    };
    let evictions: u64 = all.iter().map(|one| one.fetch_session_evictions).sum();
    vec![
        one(&STATE, f64::from(state as u8)),
        one(&METADATA, revision as f64),
        sum(&SESSIONS, |one| one.fetch_sessions),
        sum(&SESSION_PARTITIONS, |one| one.fetch_session_partitions),
        one(&SESSION_EVICTIONS, evictions as f64),
        sum(&TO_RECOVER, |one| one.logs_to_recover),
    ]
}

/// A group has one coordinator, so that brokers of one process never tell of the same.
fn of_groups() -> [MetricFamily; 5] {
    let (mut members, mut current, mut lags) = (Vec::new(), Vec::new(), Vec::<Metric>::new());
    let (mut unknown, mut left_out) = (0, 0);
    for figures in of_each(|broker| broker.groups()) {
        left_out += figures.left_out;
        members.extend(figures.groups.iter().map(|one| MEMBERS.value(&[&one.group], one.members as f64)));
        for one in &figures.offsets {
            let partition = one.at.partition.to_string();
            let labels = [one.group.as_str(), one.at.topic.as_str(), partition.as_str()];
            current.push(CURRENT.value(&labels, one.committed as f64));
            match one.lag {
                Some(lag) => lags.push(LAG.value(&labels, lag as f64)),
                None => unknown += 1,
            }
        }
    }
    [
        MEMBERS.of(members),
        CURRENT.of(current),
        LAG.of(lags),
        one(&LAG_UNKNOWN, f64::from(unknown)),
        one(&COMMITTED_LEFT_OUT, left_out as f64),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_beyond_the_bound_are_counted_and_not_shown() {
        let at = |index: usize| TopicPartition::new("many", i32::try_from(index).expect("it is small"));
        let all = (0..PARTITIONS_MAX + 3).map(|index| (at(index), ReplicaFigures::default()));
        let families = of_partitions(&all.collect());
        assert_eq!(families[0].get_metric().len(), PARTITIONS_MAX);
        assert!(families[5].get_metric().is_empty(), "nothing is led here");
        assert_eq!(families[PARTITION_GAUGES.len()].get_metric()[0].get_gauge().get_value(), 3.0);
    }

    #[test]
    fn a_leader_tells_of_its_isr() {
        let led = LedFigures {
            in_sync_replicas: 1,
            replicas: 3,
            min_isr: 2,
            high_watermark: 90,
            last_stable_offset: 70,
        };
        let figures = ReplicaFigures { led: Some(led), ..ReplicaFigures::default() };
        let families = of_partitions(&[(TopicPartition::new("led", 0), figures)].into());
        let value = |name: &str| {
            let family = families.iter().find(|family| family.name() == name)?;
            Some(family.get_metric().first()?.get_gauge().get_value())
        };
        let partition = |gauge: &str| value(&format!("kafka_cluster_partition_{gauge}"));
        assert_eq!(partition("underreplicated"), Some(1.0));
        assert_eq!((partition("underminisr"), partition("atminisr")), (Some(1.0), Some(0.0)));
        assert_eq!(partition("laststableoffsetlag"), Some(20.0));
        assert_eq!(value("kafka_topic_partition_current_offset"), Some(90.0));
    }
}
