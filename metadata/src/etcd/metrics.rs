//! How long etcd takes and how it fails, as both daemons show it.

use std::future::Future;
use std::sync::LazyLock;
use std::time::Instant;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, default_registry};

use crate::store::{Revision, StoreError};

/// In seconds: an answer takes a quarter of a millisecond on a quiet disk, and none is waited for longer than the last.
const BUCKETS: [f64; 12] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 3.0];

struct Metrics {
    latency: HistogramVec,
    errors: IntCounterVec,
    watch_lag: IntGauge,
    watch_backlog: IntGauge,
}

/// Absent only if a name below were malformed or taken by another kind of metric.
static METRICS: LazyLock<Option<Metrics>> = LazyLock::new(|| {
    let registered = register();
    registered.inspect_err(|error| tracing::error!(%error, "the metadata store's metrics are missing")).ok()
});

fn register() -> prometheus::Result<Metrics> {
    let latency = HistogramOpts::new(
        "milena_metadata_store_request_duration_seconds",
        "how long the metadata store took to answer",
    );
    let latency = HistogramVec::new(latency.buckets(BUCKETS.to_vec()), &["operation"])?;
    let errors = Opts::new(
        "milena_metadata_store_errors_total",
        "requests to the metadata store that failed, by kind",
    );
    let errors = IntCounterVec::new(errors, &["operation", "kind"])?;
    let watch_lag = IntGauge::new(
        "milena_metadata_store_watch_lag_revisions",
        "how many revisions the metadata store was ahead of the newest event of a watch when it sent that",
    )?;
    let watch_backlog = IntGauge::new(
        "milena_metadata_store_watch_backlog_messages",
        "how many messages of a watch waited in this process to be taken when the last one came",
    )?;
    default_registry().register(Box::new(latency.clone()))?;
    default_registry().register(Box::new(errors.clone()))?;
    default_registry().register(Box::new(watch_lag.clone()))?;
    default_registry().register(Box::new(watch_backlog.clone()))?;
    Ok(Metrics { latency, errors, watch_lag, watch_backlog })
}

/// A call, with its time and its failure counted.
pub(super) async fn observed<T>(
    operation: &'static str,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let began = Instant::now();
    let outcome = call.await;
    if let Some(metrics) = &*METRICS {
        metrics.latency.with_label_values(&[operation]).observe(began.elapsed().as_secs_f64());
    }
    outcome.inspect_err(|error| observe_failure(operation, error.kind()))
}

/// A watch brought events: the store was at `revision`, the newest of them is of `newest`, and so many messages waited.
pub(super) fn observe_watch(revision: Revision, newest: Revision, waiting: usize) {
    if let Some(metrics) = &*METRICS {
        metrics.watch_lag.set((revision - newest).max(0));
        metrics.watch_backlog.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}

/// A watch ended that nobody had closed: `lost` with its connection, or `compacted` away.
pub(super) fn observe_failure(operation: &'static str, kind: &'static str) {
    if let Some(metrics) = &*METRICS {
        metrics.errors.with_label_values(&[operation, kind]).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_tells_how_far_it_is_behind() {
        observe_watch(90, 88, 3);
        let metrics = METRICS.as_ref().expect("the names are free");
        assert_eq!((metrics.watch_lag.get(), metrics.watch_backlog.get()), (2, 3));
        observe_watch(90, 91, 0);
        assert_eq!((metrics.watch_lag.get(), metrics.watch_backlog.get()), (0, 0));
    }

    #[tokio::test]
    async fn a_call_is_timed_and_its_failure_counted() {
        let failed: Result<(), _> = observed("tested", async { Err(StoreError::LeaseGone) }).await;
        let kind = failed.expect_err("it failed").kind();
        let metrics = METRICS.as_ref().expect("the names are free");
        assert_eq!(metrics.latency.with_label_values(&["tested"]).get_sample_count(), 1);
        assert_eq!(metrics.errors.with_label_values(&["tested", kind]).get(), 1);
    }
}
