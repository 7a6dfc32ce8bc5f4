//! `kafka_server_replicamanager_isr*`, `kafka_server_fetcherlagmetrics_consumerlag` and
//! `kafka_server_replicafetchermanager_*`: how replicas follow, and fall out of sync and back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntGauge, IntGaugeVec, Opts};
use protocol::types::BrokerId;
use storage::TopicPartition;

use super::registered;

/// Partitions with a lag series of their own; those beyond are followed all the same.
const LAGS_MAX: usize = 20_000;

const LABELS: [&str; 3] = ["clientId", "topic", "partition"];

struct Counters {
    shrinks: Option<IntCounter>,
    expands: Option<IntCounter>,
    failed_updates: Option<IntCounter>,
}

static COUNTERS: LazyLock<Counters> = LazyLock::new(|| {
    let counter = |name: &str, help: &str| {
        registered(IntCounter::new(format!("kafka_server_replicamanager_{name}_total"), help))
    };
    Counters {
        shrinks: counter("isrshrinks", "Times that an ISR led here lost a member by its leader's word"),
        expands: counter("isrexpands", "Times that a member returned to an ISR led here"),
        failed_updates: counter("failedisrupdates", "Changes of an ISR that the controller refused"),
    }
});

static LAGS: LazyLock<Option<IntGaugeVec>> = LazyLock::new(|| {
    let help = "Records below the leader's high watermark that a replica here does not have yet";
    registered(IntGaugeVec::new(Opts::new("kafka_server_fetcherlagmetrics_consumerlag", help), &LABELS))
});

/// The greatest of all lags, found when it is asked for.
static MAX_LAG: LazyLock<Option<MaxLag>> = LazyLock::new(|| {
    let help = "The most records that any replica here lags behind";
    let opts =
        Opts::new("kafka_server_replicafetchermanager_maxlag", help).const_label("clientId", "Replica");
    registered(IntGauge::with_opts(opts).map(MaxLag))
});

/// Partitions whose records can't be taken in here, for the while.
static FAILED: LazyLock<Option<IntGauge>> = LazyLock::new(|| {
    let help = "Partitions for which what the leader sent could not be taken in here, when it was last tried";
    let opts = Opts::new("kafka_server_replicafetchermanager_failedpartitionscount", help)
        .const_label("clientId", "Replica");
    registered(IntGauge::with_opts(opts))
});

/// Brokers of one process may follow the same partition, and share its series.
static SERIES: LazyLock<Mutex<HashMap<Labels, Weak<Series>>>> = LazyLock::new(Mutex::default);

/// Leader, fetcher and partition.
type Labels = (BrokerId, usize, TopicPartition);

/// How far one replica lags; it is shown until it is dropped.
#[derive(Debug)]
pub struct FetcherLag {
    series: Option<Arc<Series>>,
    shown: AtomicI64,
    has_failed: AtomicBool,
}

#[derive(Debug)]
struct Series {
    labels: Labels,
    gauge: IntGauge,
}

#[derive(Clone)]
struct MaxLag(IntGauge);

impl Collector for MaxLag {
    fn desc(&self) -> Vec<&Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let lags = SERIES.lock().values().filter_map(Weak::upgrade).collect::<Vec<_>>();
        self.0.set(lags.iter().map(|series| series.gauge.get()).max().unwrap_or(0));
        self.0.collect()
    }
}

impl FetcherLag {
    /// A replica that is about to be fetched from `leader`, by one of its fetchers.
    pub fn new(leader: BrokerId, fetcher: usize, at: &TopicPartition) -> FetcherLag {
        let series = Series::of((leader, fetcher, at.clone()));
        FetcherLag { series, shown: AtomicI64::new(0), has_failed: AtomicBool::new(false) }
    }

    /// So many records lie below the leader's high watermark and not here; below 0 none do.
    pub fn show(&self, lag: i64) {
        let lag = lag.max(0);
        let before = self.shown.swap(lag, Ordering::Relaxed);
        if let Some(series) = self.series.as_ref().filter(|_| lag != before) {
            series.gauge.add(lag - before);
        }
    }

    /// How many were shown last.
    pub fn shown(&self) -> i64 {
        self.shown.load(Ordering::Relaxed)
    }
}

impl FetcherLag {
    /// Whether what the leader sent last could not be taken in.
    pub fn show_failed(&self, failed: bool) {
        let before = self.has_failed.swap(failed, Ordering::Relaxed);
        if let Some(gauge) = FAILED.as_ref().filter(|_| before != failed) {
            gauge.add(if failed { 1 } else { -1 });
        }
    }
}

impl Drop for FetcherLag {
    fn drop(&mut self) {
        self.show(0);
        self.show_failed(false);
    }
}

impl Series {
    fn of(labels: Labels) -> Option<Arc<Series>> {
        let mut all = SERIES.lock();
        if let Some(known) = all.get(&labels).and_then(Weak::upgrade) {
            return Some(known);
        }
        if all.len() >= LAGS_MAX {
            return None;
        }
        let gauge = LAGS.as_ref()?.with_label_values(&texts(&labels));
        let series = Arc::new(Series { labels: labels.clone(), gauge });
        all.insert(labels, Arc::downgrade(&series));
        Some(series)
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        let mut all = SERIES.lock();
        // Another one may have taken its place already.
        if all.get(&self.labels).is_some_and(|series| series.strong_count() == 0) {
            all.remove(&self.labels);
            if let Some(lags) = &*LAGS {
                let _ = lags.remove_label_values(&texts(&self.labels));
            }
        }
    }
}

fn texts((leader, fetcher, at): &Labels) -> [String; 3] {
    [format!("ReplicaFetcherThread-{fetcher}-{leader}"), at.topic.to_string(), at.partition.to_string()]
}

/// Shows what is counted here, from 0 on.
pub fn begin() {
    LazyLock::force(&COUNTERS);
    LazyLock::force(&MAX_LAG);
    LazyLock::force(&FAILED);
}

/// The controller committed a leader's change of an ISR.
pub fn observe_isr_change(expanded: bool, shrunk: bool) {
    count(&COUNTERS.expands, expanded);
    count(&COUNTERS.shrinks, shrunk);
}

/// The controller refused a change of an ISR.
pub fn observe_failed_isr_update() {
    count(&COUNTERS.failed_updates, true);
}

fn count(counter: &Option<IntCounter>, whether: bool) {
    if let Some(counter) = counter.as_ref().filter(|_| whether) {
        counter.inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(at: &TopicPartition) -> Option<f64> {
        let families = prometheus::gather();
        let family =
            families.iter().find(|family| family.name() == "kafka_server_fetcherlagmetrics_consumerlag")?;
        let of = |metric: &&prometheus::proto::Metric| {
            metric.get_label().iter().any(|label| label.value() == at.topic)
        };
        Some(family.get_metric().iter().find(of)?.get_gauge().get_value())
    }

    #[test]
    fn followers_of_one_process_share_a_series_that_ends_with_the_last_of_them() {
        let at = TopicPartition::new("lagging", 3);
        let lag = || FetcherLag::new(BrokerId(1), 0, &at);
        let (one, other) = (lag(), lag());
        one.show(7);
        other.show(5);
        one.show(-2);
        assert_eq!(shown(&at), Some(5.0));
        drop(other);
        assert_eq!(shown(&at), Some(0.0));
        drop(one);
        assert_eq!(shown(&at), None);
    }
}
