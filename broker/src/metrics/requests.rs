//! `kafka_network_requestmetrics_*`: how many requests of each API, and how long they took.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts};
use protocol::ApiKey;

use super::registered;

/// Upper bounds of the buckets of time, in milliseconds.
const TIME_BUCKETS_MS: [f64; 14] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 10_000.0];

struct Handles {
    requests: IntCounter,
    total_time_ms: Histogram,
}

/// In the order of [`ApiKey::ALL`].
static HANDLES: LazyLock<Option<Vec<Handles>>> = LazyLock::new(|| {
    let requests = Opts::new("kafka_network_requestmetrics_requests_total", "Requests");
    let requests = registered(IntCounterVec::new(requests, &["request"]));
    let time = "Milliseconds from a whole request read to its response handed to the connection";
    let time =
        HistogramOpts::new("kafka_network_requestmetrics_totaltimems", time).buckets(TIME_BUCKETS_MS.into());
    let time = registered(HistogramVec::new(time, &["request"]));
    let handles = |key: &ApiKey| {
        Some(Handles {
            requests: requests.as_ref()?.with_label_values(&[key.name()]),
            total_time_ms: time.as_ref()?.with_label_values(&[key.name()]),
        })
    };
    ApiKey::ALL.iter().map(handles).collect()
});

/// A request of this API was answered, after so long.
pub fn observe(api: ApiKey, elapsed: Duration) {
    let at = ApiKey::ALL.binary_search(&api).ok();
    if let (Some(handles), Some(at)) = (&*HANDLES, at) {
        handles[at].requests.inc();
        handles[at].total_time_ms.observe(elapsed.as_secs_f64() * 1_000.0);
    }
}
