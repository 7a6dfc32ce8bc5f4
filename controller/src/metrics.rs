//! The controller's metrics, under the names that the JMX exporter gives to Apache Kafka's.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, default_registry};

use crate::state::State;

/// Where elections are told apart by how long they took, in milliseconds.
const TIME_BUCKETS_MS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0];

struct Metrics {
    active: IntGauge,
    topics: IntGauge,
    partitions: IntGauge,
    offline_partitions: IntGauge,
    preferred_replica_imbalance: IntGauge,
    active_brokers: IntGauge,
    fenced_brokers: IntGauge,
    unclean_elections: IntCounter,
    leader_election_time_ms: Histogram,
    went_back: IntGauge,
    epoch: IntGauge,
    standbys: IntGauge,
    evictions: IntCounterVec,
    resignations: IntCounter,
    doubts: IntCounterVec,
}

/// Absent only if a name below were malformed or taken by another kind of metric.
static METRICS: LazyLock<Option<Metrics>> = LazyLock::new(|| {
    let registered = register();
    registered.inspect_err(|error| tracing::error!(%error, "the controller's metrics are missing")).ok()
});

fn register() -> prometheus::Result<Metrics> {
    Ok(Metrics {
        active: gauge("activecontrollercount", "1 while this process is the active controller")?,
        topics: gauge("globaltopiccount", "topics of the cluster")?,
        partitions: gauge("globalpartitioncount", "partitions of the cluster")?,
        offline_partitions: gauge("offlinepartitionscount", "partitions without a leader")?,
        preferred_replica_imbalance: gauge(
            "preferredreplicaimbalancecount",
            "partitions that another than their preferred replica leads",
        )?,
        active_brokers: gauge("activebrokercount", "brokers that are admitted")?,
        fenced_brokers: gauge("fencedbrokercount", "brokers that are registered but fenced")?,
        unclean_elections: counter(
            "kafka_controller_controllerstats_uncleanleaderelections_total",
            "leaders elected from outside of ISR and ELR",
        )?,
        leader_election_time_ms: leader_election_time()?,
        went_back: own_gauge(
            "metadata_went_back",
            "1 while this active controller decides nothing, for the metadata store has gone back to an older state",
        )?,
        epoch: own_gauge("epoch", "the controller epoch of this process, while it is active")?,
        standbys: own_gauge("standbys", "controllers that stand by and watch this process")?,
        evictions: counters("evictions_total", "who refused connections and was evicted", "role")?,
        resignations: counter(
            "milena_controller_resignations_total",
            "times that this process gave the controller's place up, for it was cut off from brokers",
        )?,
        doubts: counters(
            "state_doubts_total",
            "times that the active controller read its state anew, by what left it in doubt",
            "cause",
        )?,
    })
}

fn own_gauge(name: &str, help: &str) -> prometheus::Result<IntGauge> {
    let gauge = IntGauge::new(format!("milena_controller_{name}"), help)?;
    default_registry().register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

fn counters(name: &str, help: &str, label: &str) -> prometheus::Result<IntCounterVec> {
    let counters = IntCounterVec::new(Opts::new(format!("milena_controller_{name}"), help), &[label])?;
    default_registry().register(Box::new(counters.clone()))?;
    Ok(counters)
}

fn gauge(name: &str, help: &str) -> prometheus::Result<IntGauge> {
    let gauge = IntGauge::new(format!("kafka_controller_kafkacontroller_{name}"), help)?;
    default_registry().register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

fn counter(name: &str, help: &str) -> prometheus::Result<IntCounter> {
    let counter = IntCounter::new(name, help)?;
    default_registry().register(Box::new(counter.clone()))?;
    Ok(counter)
}

fn leader_election_time() -> prometheus::Result<Histogram> {
    let name = "kafka_controller_controllerstats_leaderelectionrateandtimems";
    let help =
        "elections of leaders, many partitions at once, and the time until they stood in the metadata store";
    let histogram = Histogram::with_opts(HistogramOpts::new(name, help).buckets(TIME_BUCKETS_MS.into()))?;
    default_registry().register(Box::new(histogram.clone()))?;
    Ok(histogram)
}

/// The epoch under which this process is the active controller now; `None`: it is not.
pub fn observe_active(epoch: Option<i32>) {
    let Some(metrics) = &*METRICS else { return };
    metrics.active.set(epoch.is_some().into());
    metrics.epoch.set(epoch.unwrap_or(0).into());
    if epoch.is_none() {
        let counts = [&metrics.topics, &metrics.partitions, &metrics.offline_partitions];
        let others = [&metrics.preferred_replica_imbalance, &metrics.active_brokers, &metrics.fenced_brokers];
        counts.into_iter().chain(others).for_each(|gauge| gauge.set(0));
    }
}

/// Whether the metadata store has gone back, and nothing is decided.
pub fn observe_went_back(went_back: bool) {
    if let Some(metrics) = &*METRICS {
        metrics.went_back.set(went_back.into());
    }
}

/// Leaders were elected, and it took so long until that was committed.
pub fn observe_leader_election(took: Duration) {
    if let Some(metrics) = &*METRICS {
        metrics.leader_election_time_ms.observe(took.as_secs_f64() * 1000.0);
    }
}

pub fn observe_unclean_election() {
    if let Some(metrics) = &*METRICS {
        metrics.unclean_elections.inc();
    }
}

/// A standby came (1) or went (−1).
pub fn observe_standby(change: i64) {
    if let Some(metrics) = &*METRICS {
        metrics.standbys.add(change);
    }
}

/// Somebody refused connections and was evicted: a `broker` or a `controller`.
pub fn observe_eviction(role: &'static str) {
    if let Some(metrics) = &*METRICS {
        metrics.evictions.with_label_values(&[role]).inc();
    }
}

pub fn observe_resignation() {
    if let Some(metrics) = &*METRICS {
        metrics.resignations.inc();
    }
}

/// The state must be read anew.
pub fn observe_doubt(cause: &'static str) {
    if let Some(metrics) = &*METRICS {
        metrics.doubts.with_label_values(&[cause]).inc();
    }
}

/// Counts the cluster. Looks at every partition, so it is not to be called for every change.
pub fn observe_cluster(state: &State) {
    let Some(metrics) = &*METRICS else { return };
    let (mut partitions, mut offline, mut imbalanced) = (0, 0, 0);
    for partition in state.image.topics.values().flat_map(|topic| &topic.partitions) {
        partitions += 1;
        offline += i64::from(!partition.has_leader());
        imbalanced += i64::from(partition.replicas.first() != Some(&partition.leader));
    }
    let live = state.image.live_brokers().count() as i64;
    metrics.topics.set(state.image.topics.len() as i64);
    metrics.partitions.set(partitions);
    metrics.offline_partitions.set(offline);
    metrics.preferred_replica_imbalance.set(imbalanced);
    metrics.active_brokers.set(live);
    metrics.fenced_brokers.set(state.registrations.len() as i64 - live);
}
