//! The controller's metrics, under the names that the JMX exporter gives to Apache Kafka's.

use std::sync::LazyLock;

use prometheus::{IntCounter, IntGauge, default_registry};

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
        unclean_elections: unclean_elections()?,
    })
}

fn gauge(name: &str, help: &str) -> prometheus::Result<IntGauge> {
    let gauge = IntGauge::new(format!("kafka_controller_kafkacontroller_{name}"), help)?;
    default_registry().register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

fn unclean_elections() -> prometheus::Result<IntCounter> {
    let name = "kafka_controller_controllerstats_uncleanleaderelections_total";
    let counter = IntCounter::new(name, "leaders elected from outside of ISR and ELR")?;
    default_registry().register(Box::new(counter.clone()))?;
    Ok(counter)
}

/// Whether this process is the active controller now.
pub fn observe_active(active: bool) {
    let Some(metrics) = &*METRICS else { return };
    metrics.active.set(active.into());
    if !active {
        let counts = [&metrics.topics, &metrics.partitions, &metrics.offline_partitions];
        let others = [&metrics.preferred_replica_imbalance, &metrics.active_brokers, &metrics.fenced_brokers];
        counts.into_iter().chain(others).for_each(|gauge| gauge.set(0));
    }
}

pub fn observe_unclean_election() {
    if let Some(metrics) = &*METRICS {
        metrics.unclean_elections.inc();
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
