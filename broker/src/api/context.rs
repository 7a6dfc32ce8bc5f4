//! Who is at the other end of a connection, and what a handler knows of the surroundings of its request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use protocol::ApiKey;
use protocol::frame::RequestFrame;
use protocol::wire::Str;
use tracing::Span;

use super::produce::RefusedBatches;

/// What a handler knows of the surroundings of its request.
#[derive(Clone)]
pub struct RequestContext {
    /// The listener that the client came in by: advertised addresses belong to it.
    pub listener: Arc<Listener>,
    pub principal: Principal,
    pub client_id: Option<Str>,
    pub peer: SocketAddr,
    pub api: ApiKey,
    pub api_version: i16,
    pub correlation_id: i32,
    pub received_at: Instant,
}

impl RequestContext {
    /// What a log line about the request names it by; to be made only where there is something to say.
    pub fn span(&self) -> Span {
        let id = RequestId {
            api: self.api,
            version: self.api_version,
            correlation_id: self.correlation_id,
            client_id: self.client_id.clone(),
        };
        id.span(&self.listener.name, self.peer)
    }
}

/// A request among all others of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    pub api: ApiKey,
    pub version: i16,
    pub correlation_id: i32,
    pub client_id: Option<Str>,
}

impl RequestId {
    pub fn of(frame: &RequestFrame) -> RequestId {
        RequestId {
            api: frame.key,
            version: frame.version,
            correlation_id: frame.header.correlation_id,
            client_id: frame.header.client_id.clone(),
        }
    }

    /// What a log line about it bears, with where it came from.
    pub fn span(&self, listener: &str, peer: SocketAddr) -> Span {
        let RequestId { api, version, correlation_id, client_id } = self;
        let client_id = client_id.as_deref();
        tracing::error_span!("request", api = api.name(), version, correlation_id, client_id, listener, %peer)
    }
}

/// One end of a connection, as known so far.
pub struct Peer {
    pub address: SocketAddr,
    pub listener: Arc<Listener>,
    pub principal: Principal,
    /// What it wrote and is to write again.
    pub refused: RefusedBatches,
}

impl Peer {
    /// A client that has not said who it is.
    pub fn new(address: SocketAddr, listener: Arc<Listener>) -> Peer {
        let refused = RefusedBatches::default();
        Peer { address, listener, principal: Principal::anonymous(), refused }
    }

    /// What a handler is told of a request that came from here, and is begun with now.
    pub fn context(&self, frame: &RequestFrame, now: Instant) -> RequestContext {
        RequestContext {
            listener: self.listener.clone(),
            principal: self.principal.clone(),
            client_id: frame.header.client_id.clone(),
            peer: self.address,
            api: frame.key,
            api_version: frame.version,
            correlation_id: frame.header.correlation_id,
            received_at: now,
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
