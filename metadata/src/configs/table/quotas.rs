//! Quotas and what is measured.

use crate::configs::allowed::Allowed::{Any, AnyList};
use crate::configs::allowed::at_least;
use crate::configs::effect::Effect;
use crate::configs::key::{ConfigKey, key, unset};
use crate::configs::kind::Kind::{Class, Int, List, Long, Text};
use crate::configs::reasons::{NO_JAVA, NO_TELEMETRY};

const NO_QUOTAS: &str = "quotas are not enforced yet";
const NO_REPORTERS: &str = "Java classes cannot be loaded; Prometheus reads metrics.listener";
const PROMETHEUS_SAMPLES: &str = "all metrics are counted, and Prometheus samples them";

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    key("quota.window.num", Int, "11", at_least(1),
        "How many samples a client quota looks at.").idle(NO_QUOTAS),
    key("quota.window.size.seconds", Int, "1", at_least(1),
        "How long a sample of a client quota is.").idle(NO_QUOTAS),
    key("replication.quota.window.num", Int, "11", at_least(1),
        "How many samples a replication quota looks at.").idle(NO_QUOTAS),
    key("replication.quota.window.size.seconds", Int, "1", at_least(1),
        "How long a sample of a replication quota is.").idle(NO_QUOTAS),
    key("alter.log.dirs.replication.quota.window.num", Int, "11", at_least(1),
        "How many samples the quota of moves between log directories looks at.").idle(NO_QUOTAS),
    key("alter.log.dirs.replication.quota.window.size.seconds", Int, "1", at_least(1),
        "How long a sample of the quota of moves between log directories is.").idle(NO_QUOTAS),
    key("controller.quota.window.num", Int, "11", at_least(1),
        "How many samples the quota of controller mutations looks at.").idle(NO_QUOTAS),
    key("controller.quota.window.size.seconds", Int, "1", at_least(1),
        "How long a sample of the quota of controller mutations is.").idle(NO_QUOTAS),
    unset("client.quota.callback.class", Class, Any,
        "A Java class that decides quotas; cannot be loaded here.")
        .effect(Effect::Refused { why: NO_JAVA }),
    key("metric.reporters", List, "org.apache.kafka.common.metrics.JmxReporter", AnyList,
        "Java classes that report metrics; cannot be loaded here: Prometheus reads metrics.listener.")
        .cluster_wide().idle(NO_REPORTERS),
    key("metrics.num.samples", Int, "2", at_least(1),
        "How many samples a metric is computed from.").idle(PROMETHEUS_SAMPLES),
    key("metrics.sample.window.ms", Long, "30000", at_least(1),
        "How long a sample of a metric is.").idle(PROMETHEUS_SAMPLES),
    key("metrics.recording.level", Text, "INFO", Any,
        "Which metrics are recorded.").idle(PROMETHEUS_SAMPLES),
    key("kafka.metrics.reporters", List, "", AnyList,
        "Java classes that report the older metrics; cannot be loaded here.").idle(NO_REPORTERS),
    key("kafka.metrics.polling.interval.secs", Int, "10", at_least(1),
        "How often the older reporters poll.").idle(NO_REPORTERS),
    key("telemetry.max.bytes", Int, "1048576", at_least(1),
        "The largest push of a client's metrics.").idle(NO_TELEMETRY),
];
