//! Who is at the other end of a connection, and what a handler knows of the surroundings of its request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use protocol::frame::RequestFrame;
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

/// One end of a connection, as known so far.
pub struct Peer {
    pub address: SocketAddr,
    pub listener: Arc<Listener>,
    pub principal: Principal,
}

impl Peer {
    /// A client that has not said who it is.
    pub fn new(address: SocketAddr, listener: Arc<Listener>) -> Peer {
        Peer { address, listener, principal: Principal::anonymous() }
    }

    /// What a handler is told of a request that came from here just now.
    pub fn context(&self, frame: &RequestFrame) -> RequestContext {
        RequestContext {
            listener: self.listener.clone(),
            principal: self.principal.clone(),
            client_id: frame.header.client_id.clone(),
            peer: self.address,
            api_version: frame.version,
            correlation_id: frame.header.correlation_id,
            received_at: Instant::now(),
        }
    }
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
