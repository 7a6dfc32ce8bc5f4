//! `milena_log_append_*`, `milena_log_flush_*`, `milena_log_dir_*` and `kafka_log_logflushstats_*`: how long the disks of the
//! log directories take, and what room there is; and what retention deletes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant};

use node::measure::family::Family;
use node::measure::histogram::{Counts, Histogram};
use node::measure::recent::Recent;
use node::measure::scale::TIME;
use parking_lot::Mutex;
use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, Opts};
use storage::log::DeletionReason;

use super::registered;

const LOG_DIR: &[&str] = &["log_dir"];

pub(super) static APPENDS: Family = Family::histogram(
    "milena_log_append_duration_seconds",
    LOG_DIR,
    "Time in seconds that an append to a log took, its producer's check and the write to the page cache",
);
pub(super) static FLUSHES: Family = Family::histogram(
    "milena_log_flush_duration_seconds",
    LOG_DIR,
    "Time in seconds that a flush took; logs of one directory that are due together are flushed together",
);
pub(super) static FLUSH_STATS: Family = Family::summary(
    "kafka_log_logflushstats_logflushrateandtimems",
    &[],
    "Time in milliseconds that a flush took, of all log directories; quantiles of 5 minutes",
);

/// The times of one log directory; brokers of a process never share one.
#[derive(Debug)]
pub struct DirTimes {
    path: String,
    appends: Histogram,
    flushes: Histogram,
}

static DIRS: Mutex<BTreeMap<String, Weak<DirTimes>>> = Mutex::new(BTreeMap::new());

/// The flushes of directories that are gone, so that Kafka's meter never goes back.
static FLUSHES_BEFORE: Mutex<Option<Counts>> = Mutex::new(None);

static RECENT: LazyLock<Mutex<Recent>> = LazyLock::new(Mutex::default);

impl DirTimes {
    /// Of a directory, from now on, until it is dropped.
    pub fn of(path: &Path) -> Arc<DirTimes> {
        let path = path.display().to_string();
        let times = DirTimes { path, appends: Histogram::new(&TIME), flushes: Histogram::new(&TIME) };
        let times = Arc::new(times);
        DIRS.lock().insert(times.path.clone(), Arc::downgrade(&times));
        times
    }

    pub fn observe_append(&self, took: Duration) {
        self.appends.observe_duration(took);
    }

    pub fn observe_flush(&self, took: Duration) {
        self.flushes.observe_duration(took);
    }
}

impl Drop for DirTimes {
    fn drop(&mut self) {
        FLUSHES_BEFORE.lock().get_or_insert_default().merge(&self.flushes.counts());
        let mut dirs = DIRS.lock();
        // Another one may have taken its place already.
        if dirs.get(&self.path).is_some_and(|times| times.strong_count() == 0) {
            dirs.remove(&self.path);
        }
    }
}

pub(super) fn find() -> Vec<MetricFamily> {
    let dirs: Vec<_> = DIRS.lock().values().filter_map(Weak::upgrade).collect();
    let each = |family: &Family, of: fn(&DirTimes) -> &Histogram| {
        let metric = |dir: &Arc<DirTimes>| family.distribution(&[&dir.path], &TIME, &of(dir).counts());
        family.of(dirs.iter().map(metric).collect())
    };
    let mut all = FLUSHES_BEFORE.lock().clone().unwrap_or_default();
    dirs.iter().for_each(|dir| all.merge(&dir.flushes.counts()));
    let recent = RECENT.lock().look(Instant::now(), &all);
    vec![
        each(&APPENDS, |dir| &dir.appends),
        each(&FLUSHES, |dir| &dir.flushes),
        FLUSH_STATS.of(vec![FLUSH_STATS.quantiles(&[], &TIME, 1e6, &all, &recent)]),
    ]
}

static DELETED: LazyLock<Option<[IntCounterVec; 2]>> = LazyLock::new(|| {
    let counter = |name: &str, help: &str| registered(IntCounterVec::new(Opts::new(name, help), &["reason"]));
    let segments = counter(
        "milena_log_segments_deleted_total",
        "Segments that retention deleted: time (retention.ms), size (retention.bytes), log_start (below the log start offset)",
    )?;
    let bytes = counter("milena_log_deleted_bytes_total", "Bytes of the segments that retention deleted")?;
    for reason in [DeletionReason::Time, DeletionReason::Size, DeletionReason::LogStart] {
        segments.with_label_values(&[reason_name(reason)]);
        bytes.with_label_values(&[reason_name(reason)]);
    }
    Some([segments, bytes])
});

/// Shows what is counted here, from 0 on.
pub(super) fn begin() {
    LazyLock::force(&DELETED);
}

/// Retention deleted a segment.
pub fn observe_deletion(reason: DeletionReason, segment_bytes: u64) {
    if let Some([segments, bytes]) = &*DELETED {
        segments.with_label_values(&[reason_name(reason)]).inc();
        bytes.with_label_values(&[reason_name(reason)]).inc_by(segment_bytes);
    }
}

fn reason_name(reason: DeletionReason) -> &'static str {
    match reason {
        DeletionReason::Time => "time",
        DeletionReason::Size => "size",
        DeletionReason::LogStart => "log_start",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_retention_deletes_is_counted_by_its_reason() {
        let counted = || {
            let [segments, bytes] = DELETED.as_ref().expect("the names are free");
            let of = |vector: &IntCounterVec| vector.with_label_values(&["size"]).get();
            (of(segments), of(bytes))
        };
        let before = counted();
        observe_deletion(DeletionReason::Size, 1 << 40);
        let after = counted();
        assert!(after.0 > before.0 && after.1 >= before.1 + (1 << 40), "{before:?} {after:?}");
    }

    #[test]
    fn a_flush_counts_for_its_directory_while_that_is_there_and_for_all_for_ever() {
        let flushes = || {
            let families = find();
            let stats = families[2].get_metric()[0].get_summary().sample_count();
            (families[1].get_metric().iter().any(|metric| metric.get_label()[0].value() == "/flushed"), stats)
        };
        let (_, before) = flushes();
        let dir = DirTimes::of(Path::new("/flushed"));
        dir.observe_flush(Duration::from_millis(20));
        dir.observe_append(Duration::from_micros(20));
        let (shown, after) = flushes();
        assert!(shown && after > before);
        drop(dir);
        let (shown, kept) = flushes();
        assert!(!shown && kept >= after);
    }
}
