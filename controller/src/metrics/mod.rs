//! The controller's metrics, under the names that the JMX exporter gives to Apache Kafka's: what there is, here; how long it
//! takes, in `times`.

mod times;

use std::sync::LazyLock;
use std::time::Duration;

use metadata::store::Revision;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, default_registry};

use crate::state::State;

struct Metrics {
    active: IntGauge,
    topics: IntGauge,
    partitions: IntGauge,
    offline_partitions: IntGauge,
    preferred_replica_imbalance: IntGauge,
    active_brokers: IntGauge,
    fenced_brokers: IntGauge,
    unclean_elections: IntCounter,
    eligible_elections: IntCounter,
    became_active: IntGauge,
    fell_silent: IntGauge,
    events: IntCounterVec,
    broker_streams: IntGauge,
    revision: IntGauge,
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
    times::register()?;
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
        eligible_elections: counter(
            "kafka_controller_controllerstats_electionfromeligibleleaderreplicas_total",
            "leaders elected from the eligible leader replicas, with an empty ISR (KIP-966)",
        )?,
        became_active: gauge(
            "newactivecontrollerscount",
            "times that this process became the active controller; it only grows",
        )?,
        fell_silent: gauge(
            "timedoutbrokerheartbeatcount",
            "brokers that were fenced because they had no stream for a session timeout; it only grows",
        )?,
        events: counters("events_total", "events that the active controller has dealt with", "event")?,
        broker_streams: own_gauge("broker_streams", "brokers that are connected to this active controller")?,
        revision: own_gauge(
            "metadata_revision",
            "revision of the metadata as this active controller has it and pushes it",
        )?,
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

/// Shows what is counted here, from the start.
pub fn begin() {
    if let Some(metrics) = &*METRICS {
        ["broker", "controller"]
            .into_iter()
            .for_each(|role| drop(metrics.evictions.with_label_values(&[role])));
    }
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

/// The epoch under which this process is the active controller now; `None`: it is not.
pub fn observe_active(epoch: Option<i32>) {
    let Some(metrics) = &*METRICS else { return };
    if epoch.is_some() && metrics.active.get() == 0 {
        metrics.became_active.inc();
    }
    metrics.active.set(epoch.is_some().into());
    metrics.epoch.set(epoch.unwrap_or(0).into());
    if epoch.is_none() {
        let counts = [&metrics.topics, &metrics.partitions, &metrics.offline_partitions];
        let others = [&metrics.preferred_replica_imbalance, &metrics.active_brokers, &metrics.fenced_brokers];
        let own = [&metrics.broker_streams, &metrics.revision];
        counts.into_iter().chain(others).chain(own).for_each(|gauge| gauge.set(0));
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
    times::observe_election(took);
}

/// An event waited so long.
pub fn observe_event_queue(waited: Duration) {
    times::observe_queue(waited);
}

/// An event of this name was dealt with, and took so long.
pub fn observe_event(name: &'static str, took: Duration) {
    times::observe_processing(took);
    if let Some(metrics) = &*METRICS {
        metrics.events.with_label_values(&[name]).inc();
    }
}

/// So many brokers have a stream.
pub fn observe_broker_streams(streams: usize) {
    if let Some(metrics) = &*METRICS {
        metrics.broker_streams.set(i64::try_from(streams).unwrap_or(i64::MAX));
    }
}

/// The image is at this revision.
pub fn observe_revision(revision: Revision) {
    if let Some(metrics) = &*METRICS {
        metrics.revision.set(revision);
    }
}

/// A broker was fenced because it was silent.
pub fn observe_silence() {
    if let Some(metrics) = &*METRICS {
        metrics.fell_silent.inc();
    }
}

/// So many leaders were elected from the eligible leader replicas.
pub fn observe_eligible_elections(leaders: usize) {
    if let Some(metrics) = &*METRICS {
        metrics.eligible_elections.inc_by(leaders as u64);
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
