//! How long things take the active controller: Kafka's meters in milliseconds, and histograms in seconds beside them.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use node::measure::family::{self, Family};
use node::measure::histogram::Histogram;
use node::measure::recent::Recent;
use node::measure::scale::TIME;
use parking_lot::Mutex;
use prometheus::default_registry;
use prometheus::proto::MetricFamily;

/// One time, told in two ways.
struct Time {
    seen: Histogram,
    /// What the quantiles look back on.
    recent: LazyLock<Mutex<Recent>>,
    kafka: Family,
    ours: Family,
}

impl Time {
    const fn new(kafka: Family, ours: Family) -> Time {
        Time { seen: Histogram::new(&TIME), recent: LazyLock::new(Mutex::default), kafka, ours }
    }

    fn find(&self) -> [MetricFamily; 2] {
        let counts = self.seen.counts();
        let recent = self.recent.lock().look(Instant::now(), &counts);
        [
            self.kafka.of(vec![self.kafka.quantiles(&[], &TIME, 1e6, &counts, &recent)]),
            self.ours.of(vec![self.ours.distribution(&[], &TIME, &counts)]),
        ]
    }
}

static QUEUE: Time = Time::new(
    Family::summary(
        "kafka_controller_controllereventmanager_eventqueuetimems",
        &[],
        "Time in milliseconds that an event waited for the active controller; quantiles of 5 minutes",
    ),
    Family::histogram(
        "milena_controller_event_queue_duration_seconds",
        &[],
        "Time in seconds that an event waited for the active controller",
    ),
);

static PROCESSING: Time = Time::new(
    Family::summary(
        "kafka_controller_controllereventmanager_eventqueueprocessingtimems",
        &[],
        "Time in milliseconds that an event took the active controller, commits to the metadata store included; quantiles of 5 \
         minutes",
    ),
    Family::histogram(
        "milena_controller_event_processing_duration_seconds",
        &[],
        "Time in seconds that an event took the active controller, commits to the metadata store included",
    ),
);

static ELECTIONS: Time = Time::new(
    Family::summary(
        "kafka_controller_controllerstats_leaderelectionrateandtimems",
        &[],
        "Elections of leaders, of many partitions at once, and the time in milliseconds until they stood in the metadata store; \
         quantiles of 5 minutes",
    ),
    Family::histogram(
        "milena_controller_leader_election_duration_seconds",
        &[],
        "Elections of leaders, of many partitions at once, and the time in seconds until they stood in the metadata store",
    ),
);

static ALL: [&Time; 3] = [&QUEUE, &PROCESSING, &ELECTIONS];

/// Shows them, from now on.
pub(super) fn register() -> prometheus::Result<()> {
    let families: Vec<_> = ALL.iter().flat_map(|time| [&time.kafka, &time.ours]).collect();
    family::register(default_registry(), &families, || ALL.iter().flat_map(|time| time.find()).collect())
}

pub(super) fn observe_queue(waited: Duration) {
    QUEUE.seen.observe_duration(waited);
}

pub(super) fn observe_processing(took: Duration) {
    PROCESSING.seen.observe_duration(took);
}

pub(super) fn observe_election(took: Duration) {
    ELECTIONS.seen.observe_duration(took);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_election_is_told_in_kafkas_unit_and_in_seconds() {
        let before = ELECTIONS.find()[1].get_metric()[0].get_histogram().get_sample_count();
        observe_election(Duration::from_millis(7));
        let [kafka, ours] = ELECTIONS.find();
        assert_eq!(ours.get_metric()[0].get_histogram().get_sample_count(), before + 1);
        assert!(ours.get_metric()[0].get_histogram().get_sample_sum() >= 0.007);
        assert!(kafka.get_metric()[0].get_summary().sample_sum() >= 7.0);
    }
}
