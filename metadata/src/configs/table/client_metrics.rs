//! The keys of a subscription to clients' metrics.

use crate::configs::allowed::Allowed::{Any, AnyList};
use crate::configs::key::{ConfigKey, idle, key};
use crate::configs::kind::Kind::{Int, List};
use crate::configs::reasons::NO_TELEMETRY;

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &idle([
    key("interval.ms", Int, "300000", Any,
        "How often clients push the metrics of this subscription."),
    key("match", List, "", AnyList,
        "Which clients the subscription is for: label=pattern, one or more."),
    key("metrics", List, "", AnyList,
        "Which metrics are subscribed to, by prefix; * for all."),
], NO_TELEMETRY);
