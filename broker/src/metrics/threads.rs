//! `kafka_server_kafkarequesthandlerpool_*` and `kafka_network_socketserver_*idle*`: how much of their time the threads that
//! do everything have nothing to do.
//!
//! Kafka has network threads and request handlers; here the same threads are both, so that both meters tell the same.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use node::measure::family::Family;
use parking_lot::Mutex;
use prometheus::proto::MetricFamily;
use tokio::runtime::{Handle, RuntimeMetrics};

/// How far back is looked.
const WINDOW: Duration = Duration::from_secs(60);

/// Between two looks that are remembered; a look at less than that tells little.
const STEP: Duration = Duration::from_secs(5);

pub(super) static FAMILIES: [Family; 3] = [
    Family::gauge(
        "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent",
        &[],
        "Share of the last minute, 0 to 1, in which the worker threads had nothing to do",
    ),
    Family::gauge(
        "kafka_network_socketserver_networkprocessoravgidle_percent",
        &[],
        "The same as kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent: the same threads read and write the \
         sockets",
    ),
    Family::gauge(
        "kafka_network_socketserver_networkprocessoravgidlepercent",
        &[],
        "The same as kafka_network_socketserver_networkprocessoravgidle_percent, by the name of the JMX exporter's own example",
    ),
];

/// The runtime of this process, as the first broker in it found it.
static RUNTIME: OnceLock<RuntimeMetrics> = OnceLock::new();

static LOOKS: Mutex<Looks> = Mutex::new(Looks(VecDeque::new()));

/// What the threads had worked by a moment, all together.
struct Looks(VecDeque<(Instant, Duration)>);

/// The runtime that everything runs on; to be called on it.
pub fn running() {
    if let Ok(handle) = Handle::try_current() {
        let metrics = RUNTIME.get_or_init(|| handle.metrics());
        LOOKS.lock().idle(Instant::now(), worked(metrics), metrics.num_workers());
    }
}

pub(super) fn find() -> Vec<MetricFamily> {
    let Some(metrics) = RUNTIME.get() else { return Vec::new() };
    let idle = LOOKS.lock().idle(Instant::now(), worked(metrics), metrics.num_workers());
    FAMILIES.iter().map(|family| family.of(vec![family.value(&[], idle)])).collect()
}

fn worked(metrics: &RuntimeMetrics) -> Duration {
    (0..metrics.num_workers()).map(|worker| metrics.worker_total_busy_duration(worker)).sum()
}

impl Looks {
    /// The share of the time that was idle since the look of a minute ago.
    fn idle(&mut self, now: Instant, worked: Duration, workers: usize) -> f64 {
        while self.0.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.0.pop_front();
        }
        if self.0.back().is_none_or(|(at, _)| now.duration_since(*at) >= STEP) {
            self.0.push_back((now, worked));
        }
        let Some((since, before)) = self.0.front() else { return 1.0 };
        let there_was = now.duration_since(*since).as_secs_f64() * workers as f64;
        let busy = worked.saturating_sub(*before).as_secs_f64();
        if there_was > 0.0 { (1.0 - busy / there_was).clamp(0.0, 1.0) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_what_was_not_worked_in_the_last_minute() {
        let (mut looks, began) = (Looks(VecDeque::new()), Instant::now());
        let mut idle =
            |at, worked| looks.idle(began + Duration::from_secs(at), Duration::from_secs(worked), 2);
        assert_eq!(idle(0, 100), 1.0);
        assert_eq!(idle(10, 110), 0.5);
        assert_eq!(idle(60, 220), 0.0);
        assert_eq!(idle(70, 230), 0.0, "since second 10");
        assert_eq!(idle(120, 260), 1.0 - 40.0 / 120.0, "since second 60");
    }
}
