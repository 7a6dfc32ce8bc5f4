//! One file per Kafka API, from the decoded request to the response; `dispatch` is the table.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use protocol::wire::Str;

/// What a handler knows of the surroundings of its request.
#[derive(Clone)]
pub struct RequestContext {
    /// The listener that the client came in by: advertised addresses belong to it.
    pub listener: Arc<Listener>,
    pub principal: Principal,
    pub client_id: Option<Str>,
    pub peer: SocketAddr,
    pub api_version: i16,
    pub correlation_id: i32,
    pub received_at: Instant,
}

/// One entry of `listeners`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// `PLAINTEXT` for one.
    pub name: String,
    /// What `listener.security.protocol.map` says of the name.
    pub security_protocol: SecurityProtocol,
}

/// How a listener's bytes are protected and its clients known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityProtocol {
    Plaintext,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    pub kind: String,
    pub name: String,
}

impl Principal {
    /// Who a client is on a listener that asks for no name.
    pub fn anonymous() -> Principal {
        Principal { kind: "User".into(), name: "ANONYMOUS".into() }
    }
}
