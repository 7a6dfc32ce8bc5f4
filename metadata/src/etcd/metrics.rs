//! How long etcd takes and how it fails, as both daemons show it.

use std::future::Future;
use std::sync::LazyLock;
use std::time::Instant;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, default_registry};

use crate::store::StoreError;

/// In seconds: an answer takes a quarter of a millisecond on a quiet disk, and none is waited for longer than the last.
const BUCKETS: [f64; 12] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 3.0];

struct Metrics {
    latency: HistogramVec,
    errors: IntCounterVec,
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
    default_registry().register(Box::new(latency.clone()))?;
    default_registry().register(Box::new(errors.clone()))?;
    Ok(Metrics { latency, errors })
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

/// A watch ended that nobody had closed: `lost` with its connection, or `compacted` away.
pub(super) fn observe_failure(operation: &'static str, kind: &'static str) {
    if let Some(metrics) = &*METRICS {
        metrics.errors.with_label_values(&[operation, kind]).inc();
    }
}
