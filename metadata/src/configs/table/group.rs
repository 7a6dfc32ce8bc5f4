//! The keys of a group, and the broker keys that each inherits from.

use crate::configs::allowed::Allowed::{Any, OffsetReset};
use crate::configs::allowed::{at_least, one_of};
use crate::configs::key::{ConfigKey, key, same};
use crate::configs::kind::Kind::{Boolean, Int, Text};
use crate::configs::reasons::{NO_CONSUMER_GROUPS, NO_SHARE_GROUPS, NO_STREAMS_GROUPS};

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    key("consumer.session.timeout.ms", Int, "45000", at_least(1),
        "After how long without a heartbeat a member of a consumer group is removed.")
        .inherits(&[same("group.consumer.session.timeout.ms")])
        .idle(NO_CONSUMER_GROUPS),
    key("consumer.heartbeat.interval.ms", Int, "5000", at_least(1),
        "How often members of a consumer group are told to send heartbeats.")
        .inherits(&[same("group.consumer.heartbeat.interval.ms")])
        .idle(NO_CONSUMER_GROUPS),
    key("consumer.assignment.interval.ms", Int, "1000", at_least(0),
        "How much time lies at least between two assignments of a consumer group.")
        .inherits(&[same("group.consumer.assignment.interval.ms")])
        .idle(NO_CONSUMER_GROUPS),
    key("streams.session.timeout.ms", Int, "45000", at_least(1),
        "After how long without a heartbeat a member of a streams group is removed.")
        .inherits(&[same("group.streams.session.timeout.ms")]).idle(NO_STREAMS_GROUPS),
    key("streams.heartbeat.interval.ms", Int, "5000", at_least(1),
        "How often members of a streams group are told to send heartbeats.")
        .inherits(&[same("group.streams.heartbeat.interval.ms")]).idle(NO_STREAMS_GROUPS),
    key("streams.assignment.interval.ms", Int, "1000", at_least(0),
        "How much time lies at least between two assignments of a streams group.")
        .inherits(&[same("group.streams.assignment.interval.ms")]).idle(NO_STREAMS_GROUPS),
    key("streams.initial.rebalance.delay.ms", Int, "3000", at_least(0),
        "How long an empty streams group waits for more members before its first assignment.")
        .inherits(&[same("group.streams.initial.rebalance.delay.ms")])
        .idle(NO_STREAMS_GROUPS),
    key("streams.num.standby.replicas", Int, "0", at_least(0),
        "How many standby replicas each task of a streams group gets.")
        .inherits(&[same("group.streams.num.standby.replicas")]).idle(NO_STREAMS_GROUPS),
    key("share.session.timeout.ms", Int, "45000", at_least(1),
        "After how long without a heartbeat a member of a share group is removed.")
        .inherits(&[same("group.share.session.timeout.ms")]).idle(NO_SHARE_GROUPS),
    key("share.heartbeat.interval.ms", Int, "5000", at_least(1),
        "How often members of a share group are told to send heartbeats.")
        .inherits(&[same("group.share.heartbeat.interval.ms")]).idle(NO_SHARE_GROUPS),
    key("share.assignment.interval.ms", Int, "1000", at_least(0),
        "How much time lies at least between two assignments of a share group.")
        .inherits(&[same("group.share.assignment.interval.ms")]).idle(NO_SHARE_GROUPS),
    key("share.auto.offset.reset", Text, "latest", OffsetReset,
        "Where a share group begins in a partition: latest, earliest, or by_duration and an ISO duration.")
        .idle(NO_SHARE_GROUPS),
    key("share.isolation.level", Text, "read_uncommitted", one_of(&["read_committed", "read_uncommitted"]),
        "Whether a share group sees records of open and aborted transactions.")
        .idle(NO_SHARE_GROUPS),
    key("share.record.lock.duration.ms", Int, "30000", at_least(1_000),
        "How long a record stays locked for the consumer that acquired it.")
        .inherits(&[same("group.share.record.lock.duration.ms")]).idle(NO_SHARE_GROUPS),
    key("share.delivery.count.limit", Int, "5", at_least(2),
        "How often a record is delivered to a share group at most.")
        .inherits(&[same("group.share.delivery.count.limit")]).idle(NO_SHARE_GROUPS),
    key("share.partition.max.record.locks", Int, "2000", at_least(100),
        "The most records of one partition that a share group has locked.")
        .inherits(&[same("group.share.partition.max.record.locks")]).idle(NO_SHARE_GROUPS),
    key("share.renew.acknowledge.enable", Boolean, "true", Any,
        "Whether consumers of a share group may renew the lock of a record.")
        .idle(NO_SHARE_GROUPS),
];
