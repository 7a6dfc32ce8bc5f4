//! The keys that Apache Kafka does not have.

use crate::configs::allowed::Allowed::{Any, NonEmpty, SomeList};
use crate::configs::allowed::one_of;
use crate::configs::key::{ConfigKey, key, unset};
use crate::configs::kind::Kind::{List, Text};

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    key("metadata.store", Text, "etcd", one_of(&["etcd", "embedded"]),
        "Where the cluster's metadata is kept: etcd, or embedded, which is for one process only."),
    key("metadata.endpoints", List, "http://127.0.0.1:2379", SomeList,
        "Where etcd is reached: http://host:port, one or more."),
    key("metadata.prefix", Text, "/milena", NonEmpty,
        "What the keys of this cluster begin with; clusters with different prefixes may share an etcd."),
    key("controller.listener", Text, "127.0.0.1:9190", NonEmpty,
        "Where a controller listens for brokers and other controllers (gRPC): host:port."),
    unset("controller.advertised.listener", Text, NonEmpty,
        "Where brokers reach a controller: host:port; what controller.listener says where it is not set."),
    key("metrics.listener", Text, "127.0.0.1:9404", NonEmpty,
        "Where /metrics, /healthz and /readyz are served (HTTP): host:port."),
    key("logging.level", Text, "info", Any,
        "What is logged: a level (error, warn, info, debug, trace) or a list of target=level."),
    key("logging.format", Text, "text", one_of(&["text", "json"]),
        "How it is logged on stderr, one line an event."),
];
