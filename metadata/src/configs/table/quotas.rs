//! Quotas and what is measured.

use crate::configs::allowed::Allowed::{Any, AnyList};
use crate::configs::allowed::at_least;
use crate::configs::key::{ConfigKey, key, unset};
use crate::configs::kind::Kind::{Class, Int, List, Long, Text};

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    key("quota.window.num", Int, "11", at_least(1),
        "How many samples a client quota looks at."),
    key("quota.window.size.seconds", Int, "1", at_least(1),
        "How long a sample of a client quota is."),
    key("replication.quota.window.num", Int, "11", at_least(1),
        "How many samples a replication quota looks at."),
    key("replication.quota.window.size.seconds", Int, "1", at_least(1),
        "How long a sample of a replication quota is."),
    key("alter.log.dirs.replication.quota.window.num", Int, "11", at_least(1),
        "How many samples the quota of moves between log directories looks at."),
    key("alter.log.dirs.replication.quota.window.size.seconds", Int, "1", at_least(1),
        "How long a sample of the quota of moves between log directories is."),
    key("controller.quota.window.num", Int, "11", at_least(1),
        "How many samples the quota of controller mutations looks at."),
    key("controller.quota.window.size.seconds", Int, "1", at_least(1),
        "How long a sample of the quota of controller mutations is."),
    unset("client.quota.callback.class", Class, Any,
        "A Java class that decides quotas; cannot be loaded here."),
    key("metric.reporters", List, "org.apache.kafka.common.metrics.JmxReporter", AnyList,
        "Java classes that report metrics; cannot be loaded here: Prometheus reads metrics.listener.")
        .cluster_wide(),
    key("metrics.num.samples", Int, "2", at_least(1),
        "How many samples a metric is computed from."),
    key("metrics.sample.window.ms", Long, "30000", at_least(1),
        "How long a sample of a metric is."),
    key("metrics.recording.level", Text, "INFO", Any,
        "Which metrics are recorded."),
    key("kafka.metrics.reporters", List, "", AnyList,
        "Java classes that report the older metrics; cannot be loaded here."),
    key("kafka.metrics.polling.interval.secs", Int, "10", at_least(1),
        "How often the older reporters poll."),
    key("telemetry.max.bytes", Int, "1048576", at_least(1),
        "The largest push of a client's metrics."),
];
