//! Replicas: how many, how they fetch, when they are in sync, who leads.

use crate::configs::allowed::Allowed::Any;
use crate::configs::allowed::at_least;
use crate::configs::key::{ConfigKey, key, unset};
use crate::configs::kind::Kind::{Boolean, Int, Long, Text};
use crate::configs::reasons::KERNEL_TUNES;

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    key("default.replication.factor", Int, "1", Any,
        "How many replicas a partition gets where none are asked for."),
    key("min.insync.replicas", Int, "1", at_least(1),
        "How many replicas must be in sync for a produce with acks=all to be taken.").cluster_wide(),
    key("unclean.leader.election.enable", Boolean, "false", Any,
        "Whether a replica that is not in sync may lead as a last resort, and records be lost.")
        .cluster_wide(),
    key("unclean.leader.election.interval.ms", Long, "300000", at_least(1),
        "How often leaderless partitions are checked for an unclean election.").internal()
        .idle("an unclean election is held as soon as it is allowed"),
    key("auto.leader.rebalance.enable", Boolean, "true", Any,
        "Whether leadership moves back to preferred replicas by itself."),
    key("leader.imbalance.check.interval.seconds", Long, "300", at_least(1),
        "How often leadership is checked for imbalance."),
    key("num.replica.fetchers", Int, "1", at_least(1),
        "Connections by which a broker fetches from each other broker.").cluster_wide(),
    unset("num.replica.alter.log.dirs.threads", Int, Any,
        "Threads that move replicas between log directories.")
        .idle("replicas are not moved between directories yet"),
    key("replica.lag.time.max.ms", Long, "30000", Any,
        "A replica that has not reached the end of its leader's log for so long is out of sync."),
    key("replica.fetch.max.bytes", Int, "1048576", at_least(0),
        "The most bytes that a follower fetches of one partition; a first batch that is larger still \
         comes whole."),
    key("replica.fetch.response.max.bytes", Int, "10485760", at_least(0),
        "The most bytes of one response to a follower."),
    key("replica.fetch.min.bytes", Int, "1", Any,
        "A follower's fetch waits until so many bytes are there."),
    key("replica.fetch.wait.max.ms", Int, "500", Any,
        "How long a follower's fetch waits at most."),
    key("replica.fetch.backoff.ms", Int, "1000", at_least(0),
        "How long a follower waits after a failed fetch."),
    key("replica.socket.timeout.ms", Int, "30000", Any,
        "How long a follower waits for a response of its leader."),
    key("replica.socket.receive.buffer.bytes", Int, "65536", Any,
        "The size of the receive buffer of a follower's socket.")
        .idle(KERNEL_TUNES),
    key("replica.high.watermark.checkpoint.interval.ms", Long, "5000", Any,
        "How often high watermarks are written to the disk."),
    unset("replica.selector.class", Text, Any,
        "Which replica a consumer is sent to: Kafka's RackAwareReplicaSelector, or the leader."),
    key("controller.socket.timeout.ms", Int, "30000", Any,
        "How long a call to the controller waits for its answer.")
        .idle("calls to the controller have time limits of their own"),
];
