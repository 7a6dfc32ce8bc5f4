//! `kafka_server_brokertopicmetrics_*`: what goes in and out, of all topics (`topic=""`, as no label) and of each.
//!
//! A partition keeps the [`TopicMetrics`] of its topic; counting is a handful of atomic additions. A topic's series end with
//! the last of its partitions in this process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;
use prometheus::{IntCounter, IntCounterVec, Opts};
use protocol::records::{InvalidBatch, InvalidRecord, RecordsError};

use super::registered;

/// Topics with series of their own; those beyond count in the sum alone.
const TOPICS_MAX: usize = 10_000;

/// The label that Prometheus takes for none: the sum of all topics.
const ALL: &str = "";

/// One topic's counters.
#[derive(Debug, Clone)]
pub struct TopicMetrics {
    own: Option<Arc<Series>>,
}

/// The counters of one topic, or of all.
#[derive(Debug)]
struct Series {
    topic: String,
    messages_in: IntCounter,
    bytes_in: IntCounter,
    bytes_out: IntCounter,
    bytes_rejected: IntCounter,
    replication_bytes_in: IntCounter,
    replication_bytes_out: IntCounter,
    produce_requests: IntCounter,
    fetch_requests: IntCounter,
    failed_produce_requests: IntCounter,
    failed_fetch_requests: IntCounter,
}

/// The families, in the order of [`Series`].
const FAMILIES: [(&str, &str); 10] = [
    ("messagesin", "Records appended"),
    ("bytesin", "Bytes appended"),
    ("bytesout", "Bytes fetched by consumers"),
    ("bytesrejected", "Bytes refused because a batch was too large"),
    ("replicationbytesin", "Bytes appended that a leader sent"),
    ("replicationbytesout", "Bytes fetched by followers"),
    ("totalproducerequests", "Produce requests, once for each partition in them"),
    ("totalfetchrequests", "Fetch requests, once for each partition in them"),
    ("failedproducerequests", "Those of totalproducerequests that failed"),
    ("failedfetchrequests", "Those of totalfetchrequests that failed"),
];

static VECTORS: LazyLock<Option<Vec<IntCounterVec>>> = LazyLock::new(|| {
    let family = |(name, help): &(&str, &str)| {
        let name = format!("kafka_server_brokertopicmetrics_{name}_total");
        registered(IntCounterVec::new(Opts::new(name, *help), &["topic"]))
    };
    FAMILIES.iter().map(family).collect()
});

/// Batches that were refused for what is in them, in the order of [`Refused`].
static REFUSED: LazyLock<[Option<IntCounter>; 4]> = LazyLock::new(|| {
    let counter = |(name, help): (&str, &str)| {
        registered(IntCounter::new(format!("kafka_server_brokertopicmetrics_{name}_total"), help))
    };
    [
        (
            "invalidmagicnumberrecords",
            "Batches refused because their format is not one that clients may write",
        ),
        ("invalidmessagecrcrecords", "Batches refused because their checksum does not fit"),
        (
            "invalidoffsetorsequencerecords",
            "Batches refused because their offsets or sequence numbers are not in order",
        ),
        (
            "nokeycompactedtopicrecords",
            "Batches refused because a record has no key and the topic is compacted",
        ),
    ]
    .map(counter)
});

/// Why a batch was refused, as far as Kafka counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Magic,
    Crc,
    OffsetOrSequence,
    NoKey,
}

static SUM: LazyLock<Option<Arc<Series>>> = LazyLock::new(|| Series::of(ALL));

/// The series of topics whose partitions are here.
static TOPICS: LazyLock<Mutex<HashMap<String, Weak<Series>>>> = LazyLock::new(Mutex::default);

/// Shows the sums, from 0 on.
pub(super) fn begin() {
    LazyLock::force(&SUM);
    LazyLock::force(&REFUSED);
}

/// A batch was refused.
pub fn observe_invalid(batch: &InvalidBatch) {
    let counter = refused(batch).and_then(|why| REFUSED[why as usize].as_ref());
    if let Some(counter) = counter {
        counter.inc();
    }
}

fn refused(batch: &InvalidBatch) -> Option<Refused> {
    match batch {
        InvalidBatch::Corrupt(RecordsError::Magic { .. }) => Some(Refused::Magic),
        InvalidBatch::Corrupt(RecordsError::Crc { .. }) => Some(Refused::Crc),
        InvalidBatch::BaseOffset(_) | InvalidBatch::OffsetRange { .. } | InvalidBatch::Sequence { .. } => {
            Some(Refused::OffsetOrSequence)
        }
        InvalidBatch::Records(records) => records.first().and_then(|first| match first {
            InvalidRecord::NullKey { .. } => Some(Refused::NoKey),
            InvalidRecord::OffsetDelta { .. } => Some(Refused::OffsetOrSequence),
            InvalidRecord::Timestamp { .. } => None,
        }),
        InvalidBatch::Corrupt(_)
        | InvalidBatch::TooLarge { .. }
        | InvalidBatch::Control
        | InvalidBatch::TransactionalWithoutProducer
        | InvalidBatch::LogAppendTime => None,
    }
}

/// The counters of a topic: its own, and the sum of all.
pub fn of(topic: &str) -> TopicMetrics {
    let mut topics = TOPICS.lock();
    if let Some(known) = topics.get(topic).and_then(Weak::upgrade) {
        return TopicMetrics { own: Some(known) };
    }
    let own = if topics.len() < TOPICS_MAX { Series::of(topic) } else { None };
    if let Some(series) = &own {
        topics.insert(topic.to_owned(), Arc::downgrade(series));
    }
    TopicMetrics { own }
}

impl TopicMetrics {
    /// Records that a client appended.
    pub fn observe_append(&self, bytes: u64, records: u64) {
        self.each(|series| {
            series.messages_in.inc_by(records);
            series.bytes_in.inc_by(bytes);
        });
    }

    /// Bytes sent to a consumer.
    pub fn observe_fetch(&self, bytes: u64) {
        self.each(|series| series.bytes_out.inc_by(bytes));
    }

    /// Bytes that a leader sent us.
    pub fn observe_replication_in(&self, bytes: u64) {
        self.each(|series| series.replication_bytes_in.inc_by(bytes));
    }

    /// Bytes sent to a follower.
    pub fn observe_replication_out(&self, bytes: u64) {
        self.each(|series| series.replication_bytes_out.inc_by(bytes));
    }

    /// A partition of a Produce request.
    pub fn observe_produce_request(&self, failed: bool) {
        self.each(|series| {
            series.produce_requests.inc();
            series.failed_produce_requests.inc_by(failed.into());
        });
    }

    /// A batch that was refused for its size.
    pub fn observe_rejected(&self, bytes: u64) {
        self.each(|series| series.bytes_rejected.inc_by(bytes));
    }

    /// A partition of a Fetch request.
    pub fn observe_fetch_request(&self, failed: bool) {
        self.each(|series| {
            series.fetch_requests.inc();
            series.failed_fetch_requests.inc_by(failed.into());
        });
    }

    fn each(&self, count: impl Fn(&Series)) {
        self.own.as_deref().into_iter().chain(SUM.as_deref()).for_each(count);
    }
}

impl Series {
    fn of(topic: &str) -> Option<Arc<Series>> {
        let mut counters = VECTORS.as_ref()?.iter().map(|vector| vector.with_label_values(&[topic]));
        Some(Arc::new(Series {
            topic: topic.to_owned(),
            messages_in: counters.next()?,
            bytes_in: counters.next()?,
            bytes_out: counters.next()?,
            bytes_rejected: counters.next()?,
            replication_bytes_in: counters.next()?,
            replication_bytes_out: counters.next()?,
            produce_requests: counters.next()?,
            fetch_requests: counters.next()?,
            failed_produce_requests: counters.next()?,
            failed_fetch_requests: counters.next()?,
        }))
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        let mut topics = TOPICS.lock();
        let successor = topics.get(&self.topic).and_then(Weak::upgrade);
        if successor.is_none() {
            topics.remove(&self.topic);
            for vector in VECTORS.iter().flatten() {
                // A series that is gone already is what we want.
                let _ = vector.remove_label_values(&[&self.topic]);
            }
        }
        // Not before the lock is free: the successor may end here as well.
        drop(topics);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(topic: &str) -> Option<f64> {
        let families = prometheus::gather();
        let family = families
            .iter()
            .find(|family| family.name() == "kafka_server_brokertopicmetrics_bytesin_total")?;
        let of_topic = |metric: &&prometheus::proto::Metric| metric.get_label()[0].value() == topic;
        Some(family.get_metric().iter().find(of_topic)?.get_counter().get_value())
    }

    #[test]
    fn refused_batches_are_counted_by_what_is_wrong_with_them() {
        let counted = || REFUSED.each_ref().map(|counter| counter.as_ref().map_or(0, IntCounter::get));
        let invalid = |record| InvalidBatch::Records(vec![record]);
        for (batch, why) in [
            (InvalidBatch::Corrupt(RecordsError::Magic { magic: 1 }), Refused::Magic),
            (InvalidBatch::Corrupt(RecordsError::Crc { stored: 1, computed: 2 }), Refused::Crc),
            (invalid(InvalidRecord::OffsetDelta { index: 0, offset_delta: 7 }), Refused::OffsetOrSequence),
            (invalid(InvalidRecord::NullKey { index: 0 }), Refused::NoKey),
        ] {
            let before = counted();
            observe_invalid(&batch);
            assert!(counted()[why as usize] > before[why as usize], "{why:?}");
        }
        assert_eq!(refused(&InvalidBatch::Control), None);
    }

    #[test]
    fn a_topic_counts_for_itself_and_in_the_sum_as_long_as_it_has_partitions() {
        let before = shown(ALL).unwrap_or(0.0);
        let (one, other) = (of("counted"), of("counted"));
        one.observe_append(100, 2);
        drop(one);
        other.observe_append(11, 1);
        assert_eq!(shown("counted"), Some(111.0));
        assert!(shown(ALL).is_some_and(|sum| sum >= before + 111.0));
        drop(other);
        assert_eq!(shown("counted"), None);
    }
}
