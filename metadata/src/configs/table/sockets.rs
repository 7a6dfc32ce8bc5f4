//! Listeners, connections and the buffers of both.

use crate::configs::allowed::Allowed::{Any, AnyList, SomeList};
use crate::configs::allowed::{at_least, one_of};
use crate::configs::effect::Effect;
use crate::configs::key::{ConfigKey, key, unset};
use crate::configs::kind::Kind::{Int, List, Long, Text};
use crate::configs::reasons::{KERNEL_TUNES, NO_SASL};

const PEERS_ARE_DIALED: &str = "a peer is dialed for two seconds at most, and then again";

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &[
    key("listeners", List, "PLAINTEXT://:9092", SomeList,
        "Where the broker listens: NAME://host:port, one or more; an empty host is every address.")
        .per_broker().effect(Effect::Fixed { why: "listeners open when the broker starts" }),
    unset("advertised.listeners", List, SomeList,
        "Where clients are told to connect, listener by listener; what listeners says where it is not set."),
    key("listener.security.protocol.map", Text, "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT", Any,
        "Which security protocol each listener speaks: NAME:PROTOCOL, one or more.").per_broker()
        .effect(Effect::Fixed { why: "listeners open when the broker starts" }),
    unset("early.start.listeners", List, AnyList,
        "Listeners that open before the broker can authorize.").idle("all listeners open at the same time"),
    unset("inter.broker.listener.name", Text, Any,
        "The listener by which brokers reach each other."),
    key("security.inter.broker.protocol", Text, "PLAINTEXT", one_of(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]),
        "The security protocol between brokers, where inter.broker.listener.name is not set."),
    key("socket.send.buffer.bytes", Int, "102400", Any,
        "The size of a socket's send buffer; -1 leaves it to the operating system.").idle(KERNEL_TUNES),
    key("socket.receive.buffer.bytes", Int, "102400", Any,
        "The size of a socket's receive buffer; -1 leaves it to the operating system.").idle(KERNEL_TUNES),
    key("socket.request.max.bytes", Int, "104857600", at_least(1),
        "The largest request that is read; a larger one closes the connection."),
    key("socket.listen.backlog.size", Int, "4096", at_least(1),
        "How many connections may wait to be accepted."),
    key("socket.connection.setup.timeout.ms", Long, "10000", Any,
        "How long the first attempt to connect may take; later ones may take longer.").idle(PEERS_ARE_DIALED),
    key("socket.connection.setup.timeout.max.ms", Long, "30000", Any,
        "How long an attempt to connect may take at most.").idle(PEERS_ARE_DIALED),
    key("max.connections", Int, "2147483647", at_least(0),
        "The most connections of the broker, or of one listener where the key carries its prefix.")
        .cluster_wide(),
    key("max.connections.per.ip", Int, "2147483647", at_least(0),
        "The most connections from one address.").cluster_wide(),
    key("max.connections.per.ip.overrides", Text, "", Any,
        "Other limits for named addresses: address:limit, one or more.").cluster_wide(),
    key("max.connection.creation.rate", Int, "2147483647", at_least(0),
        "The most connections accepted in a second.").cluster_wide(),
    key("connections.max.idle.ms", Long, "600000", Any,
        "A connection that is idle for longer is closed."),
    key("connections.max.reauth.ms", Long, "0", Any,
        "How long a SASL session lasts before the client must authenticate again; 0: for ever.").idle(NO_SASL),
    key("connection.failed.authentication.delay.ms", Int, "100", at_least(0),
        "How long the answer to a failed authentication is held back.").idle(NO_SASL),
    key("queued.max.requests", Int, "500", at_least(1),
        "The most requests that wait to be carried out."),
    key("queued.max.request.bytes", Long, "-1", Any,
        "The most bytes of requests that wait to be carried out; -1: no limit."),
];
