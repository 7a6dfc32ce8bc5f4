//! What the broker is, and how it comes, goes and works as a whole.

use crate::configs::allowed::Allowed::{Any, AnyList};
use crate::configs::allowed::at_least;
use crate::configs::effect::Effect;
use crate::configs::key::{ConfigKey, key, required, unset};
use crate::configs::kind::Kind::{Boolean, Class, Int, List, Long, Text};
use crate::configs::reasons::NO_JAVA;

const ONE_RUNTIME: &str = "all work shares one thread for each processor";
const NO_PURGATORY: &str = "what waits is woken and leaves its queue at once: there is nothing to purge";

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    required("node.id", Int, at_least(0),
        "Who this node is: a number that no other broker of the cluster has."),
    key("broker.id", Int, "-1", Any,
        "The older name of node.id."),
    unset("broker.rack", Text, Any,
        "Where the broker stands (a rack, an availability zone); replicas of a partition are spread over \
         racks."),
    key("broker.session.timeout.ms", Int, "6000", Any,
        "How long a broker is believed alive without a word: the lease of its registration."),
    key("broker.heartbeat.interval.ms", Int, "2000", Any,
        "How often the broker renews the lease of its registration; at most half of \
         broker.session.timeout.ms."),
    key("initial.broker.registration.timeout.ms", Int, "60000", Any,
        "How long a starting broker tries to register before it gives up.")
        .idle("a broker tries to register until it is told to stop"),
    key("controlled.shutdown.enable", Boolean, "true", Any,
        "Whether a broker that is told to stop first hands its leaderships to others."),
    key("server.max.startup.time.ms", Long, "9223372036854775807", at_least(0),
        "How long a start may take before the process ends itself.").internal()
        .idle("a start takes as long as it needs"),
    key("background.threads", Int, "10", at_least(1),
        "Threads for work in the background.").cluster_wide().idle(ONE_RUNTIME),
    key("num.io.threads", Int, "8", at_least(1),
        "Threads that carry out requests.").cluster_wide().idle(ONE_RUNTIME),
    key("num.network.threads", Int, "3", at_least(1),
        "Threads that a listener reads requests and writes responses with.").cluster_wide().idle(ONE_RUNTIME),
    key("request.timeout.ms", Int, "30000", Any,
        "How long a request between brokers waits for its response.")
        .idle("calls between brokers and controllers have time limits of their own"),
    key("fetch.max.bytes", Int, "57671680", at_least(1_024),
        "The most bytes of one fetch response, whatever the client asks for; a first batch that is larger \
         still comes whole."),
    key("max.incremental.fetch.session.cache.slots", Int, "1000", at_least(0),
        "The most incremental fetch sessions that are remembered."),
    key("max.request.partition.size.limit", Int, "2000", at_least(1),
        "The most partitions that a request with pages answers at once."),
    key("auto.create.topics.enable", Boolean, "true", Any,
        "Whether a topic that does not exist is created when a client asks for it."),
    key("delete.topic.enable", Boolean, "true", Any,
        "Whether topics may be deleted."),
    unset("create.topic.policy.class.name", Class, Any,
        "A Java class that judges new topics; cannot be loaded here.")
        .effect(Effect::Refused { why: NO_JAVA }),
    unset("alter.config.policy.class.name", Class, Any,
        "A Java class that judges changes of configurations; cannot be loaded here.")
        .effect(Effect::Refused { why: NO_JAVA }),
    key("config.providers", List, "", AnyList,
        "Names of providers that values may be taken from.").cluster_wide()
        .effect(Effect::Refused { why: "values are taken as they are written, not from providers" }),
    key("fetch.purgatory.purge.interval.requests", Int, "1000", Any,
        "After how many requests finished fetches are swept from the waiting room.").idle(NO_PURGATORY),
    key("producer.purgatory.purge.interval.requests", Int, "1000", Any,
        "After how many requests finished produces are swept from the waiting room.").idle(NO_PURGATORY),
    key("delete.records.purgatory.purge.interval.requests", Int, "1", Any,
        "After how many requests finished deletions of records are swept from the waiting room.")
        .idle(NO_PURGATORY),
    key("share.fetch.purgatory.purge.interval.requests", Int, "1000", Any,
        "After how many requests finished share fetches are swept from the waiting room.").idle(NO_PURGATORY),
    key("unstable.api.versions.enable", Boolean, "false", Any,
        "Whether API versions are served that are not final.").internal()
        .idle("what is not final is not served"),
    key("unstable.feature.versions.enable", Boolean, "false", Any,
        "Whether feature versions are offered that are not final.").internal()
        .idle("what is not final is not served"),
];
