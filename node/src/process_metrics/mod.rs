//! The process's own figures, read from /proc/self at each scrape, under the names that every Prometheus client uses; and
//! which release it is.

mod reading;

use parking_lot::Mutex;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge, IntGauge, Opts, Registry};

use reading::Reading;

/// Adds the process's figures to what `registry` serves; once a registry.
pub fn register(registry: &Registry) -> prometheus::Result<()> {
    registry.register(Box::new(ProcessMetrics::new()?))?;
    let release = Opts::new("milena_build_info", "1, of the release that its label names.")
        .const_label("version", env!("CARGO_PKG_VERSION"));
    let release = IntGauge::with_opts(release)?;
    release.set(1);
    registry.register(Box::new(release))
}

struct ProcessMetrics {
    /// One scrape at a time, so that the processor time since the last one is counted once.
    scrape: Mutex<()>,
    cpu_seconds: Counter,
    resident_memory_bytes: Gauge,
    open_fds: Gauge,
    max_fds: Gauge,
    start_time_seconds: Gauge,
    threads: Gauge,
}

impl ProcessMetrics {
    fn new() -> prometheus::Result<ProcessMetrics> {
        Ok(ProcessMetrics {
            scrape: Mutex::new(()),
            cpu_seconds: Counter::new(
                "process_cpu_seconds_total",
                "Processor time that the process used, in user and system mode, in seconds.",
            )?,
            resident_memory_bytes: Gauge::new("process_resident_memory_bytes", "Resident memory in bytes.")?,
            open_fds: Gauge::new("process_open_fds", "Open file descriptors.")?,
            max_fds: Gauge::new("process_max_fds", "How many file descriptors may be open.")?,
            start_time_seconds: Gauge::new(
                "process_start_time_seconds",
                "When the process began, in seconds since the Unix epoch.",
            )?,
            threads: Gauge::new("process_threads", "Threads of the process.")?,
        })
    }

    fn metrics(&self) -> [&dyn Collector; 6] {
        [
            &self.cpu_seconds,
            &self.resident_memory_bytes,
            &self.open_fds,
            &self.max_fds,
            &self.start_time_seconds,
            &self.threads,
        ]
    }

    fn set(&self, reading: &Reading) {
        self.cpu_seconds.inc_by((reading.cpu_seconds - self.cpu_seconds.get()).max(0.0));
        self.resident_memory_bytes.set(reading.resident_memory_bytes as f64);
        self.open_fds.set(reading.open_fds as f64);
        self.max_fds.set(reading.max_fds as f64);
        self.start_time_seconds.set(reading.start_time_seconds);
        self.threads.set(reading.threads as f64);
    }
}

impl Collector for ProcessMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.metrics().into_iter().flat_map(|metric| metric.desc()).collect()
    }

    /// What cannot be read keeps its last value.
    fn collect(&self) -> Vec<MetricFamily> {
        let _one = self.scrape.lock();
        if let Some(reading) = Reading::take() {
            self.set(&reading);
        }
        self.metrics().into_iter().flat_map(|metric| metric.collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_serves_every_figure() {
        let registry = Registry::new();
        register(&registry).expect("the names are free");
        let figures: Vec<_> = registry
            .gather()
            .into_iter()
            .map(|family| {
                let metric = &family.get_metric()[0];
                let value = metric.get_counter().get_value() + metric.get_gauge().get_value();
                (family.name().to_owned(), value)
            })
            .collect();
        assert_eq!(figures.len(), 7);
        assert!(figures.iter().all(|(_, value)| *value > 0.0), "{figures:?}");
    }
}
