//! The quorum by which Apache Kafka keeps its metadata.
//!
//! Known by name, and without effect: metadata is kept in metadata.store, not in a quorum of controllers.

use crate::configs::allowed::Allowed::{Any, SomeList};
use crate::configs::allowed::{at_least, some_of};
use crate::configs::key::{ConfigKey, idle, key, required, unset};
use crate::configs::kind::Kind::{Boolean, Int, List, Long, Text};

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &idle([
    required("process.roles", List, some_of(&["broker", "controller"]),
        "Whether a process of Apache Kafka is a broker, a controller or both."),
    required("controller.listener.names", List, SomeList,
        "The listeners of the quorum's controllers."),
    key("controller.quorum.voters", List, "", Any,
        "The controllers that vote: id@host:port, one or more."),
    key("controller.quorum.bootstrap.servers", List, "", Any,
        "Where the quorum is found: host:port, one or more."),
    key("controller.quorum.auto.join.enable", Boolean, "false", Any,
        "Whether a controller joins the quorum by itself."),
    key("controller.quorum.append.linger.ms", Int, "25", at_least(0),
        "How long the quorum's leader collects writes."),
    key("controller.quorum.election.timeout.ms", Int, "1000", at_least(0),
        "After how long without a leader an election begins."),
    key("controller.quorum.election.backoff.max.ms", Int, "1000", at_least(0),
        "How long to wait between elections at most."),
    key("controller.quorum.fetch.timeout.ms", Int, "2000", at_least(0),
        "After how long without a fetch a leader is doubted."),
    key("controller.quorum.fetch.max.bytes", Int, "1048576", at_least(1),
        "The most bytes of one fetch of the quorum's log."),
    key("controller.quorum.fetch.snapshot.max.bytes", Int, "1048576", at_least(1),
        "The most bytes of one fetch of a snapshot."),
    key("controller.quorum.request.timeout.ms", Int, "2000", at_least(0),
        "How long a request within the quorum waits."),
    key("controller.quorum.retry.backoff.ms", Int, "20", at_least(0),
        "How long to wait before a request within the quorum is tried again."),
    key("controller.performance.sample.period.ms", Long, "60000", at_least(100),
        "How often the quorum's controller reports how long its events took.").internal(),
    key("controller.performance.always.log.threshold.ms", Long, "2000", at_least(0),
        "Events of the quorum's controller that take longer are logged.").internal(),
    unset("metadata.log.dir", Text, Any,
        "The directory of the quorum's log."),
    key("metadata.log.segment.bytes", Int, "1073741824", at_least(8_388_608),
        "The segment size of the quorum's log."),
    key("metadata.log.segment.ms", Long, "604800000", Any,
        "The age at which a segment of the quorum's log is closed."),
    key("metadata.log.max.record.bytes.between.snapshots", Long, "20971520", at_least(1),
        "After how many bytes the quorum's log gets a snapshot."),
    key("metadata.log.max.snapshot.interval.ms", Long, "3600000", at_least(0),
        "After how long the quorum's log gets a snapshot."),
    key("metadata.max.idle.interval.ms", Int, "500", at_least(0),
        "How often an idle quorum writes a record."),
    key("metadata.max.retention.bytes", Long, "104857600", Any,
        "How much of the quorum's log is kept."),
    key("metadata.max.retention.ms", Long, "604800000", Any,
        "How long the quorum's log is kept."),
    unset("internal.metadata.log.segment.bytes", Int, Any,
        "The segment size of the quorum's log, in tests.").internal(),
    key("internal.metadata.delete.delay.millis", Long, "60000", Any,
        "How long deleted files of the quorum's log stay, in tests.").internal(),
    key("internal.metadata.max.batch.size.in.bytes", Int, "8388608", Any,
        "The largest batch of the quorum's log, in tests.").internal(),
], "metadata is kept in metadata.store");
