//! One connection to one broker: requests go out as they come, answers come back in the same order, as Kafka answers
//! each connection in order. Cheap to clone; it closes when its last clone is dropped.
//!
//! A connection never heals: after the first fault every call fails with what broke it, and the owner makes a new one.
//! Invariants: at most `in_flight_max` requests wait for answers; no frame is larger than `frame_bytes_max`.

mod error;
mod frame;
mod link;
mod versions;

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use protocol::wire::Request;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub use error::{ConnectionError, Disconnected};
use frame::Peer;
use link::Link;
use versions::Versions;

/// How often the other end is asked for a sign of life where nothing is to be sent.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// What bounds a connection.
#[derive(Clone, Debug)]
pub struct ConnectionConfig {
    /// Told to the broker with every request, for its logs and quotas.
    pub client_id: String,
    pub connect_timeout: Duration,
    /// How long the other end's kernel may be silent, even where nothing is to be sent, before the connection is given up;
    /// `None`: for as long as it likes.
    pub silence_max: Option<Duration>,
    /// From a request's sending to its answer.
    pub request_timeout: Duration,
    /// The largest answer that is read.
    pub frame_bytes_max: usize,
    /// Further requests wait until an answer comes.
    pub in_flight_max: usize,
}

impl Default for ConnectionConfig {
    fn default() -> ConnectionConfig {
        ConnectionConfig {
            client_id: "milena".to_owned(),
            connect_timeout: Duration::from_secs(10),
            silence_max: None,
            request_timeout: Duration::from_secs(30),
            frame_bytes_max: 128 << 20,
            in_flight_max: 64,
        }
    }
}

/// A connection whose versions are negotiated.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    address: String,
    client_id: String,
    request_timeout: Duration,
    link: Link,
    versions: Versions,
}

impl Connection {
    /// Connects to `address` ("host:port") and asks what the broker speaks.
    pub async fn connect(address: &str, config: &ConnectionConfig) -> Result<Connection, ConnectionError> {
        let limit = config.connect_timeout;
        match timeout(limit, Connection::establish(address, config)).await {
            Ok(connection) => connection,
            Err(_) => Err(ConnectionError::ConnectTimeout { address: address.to_owned(), after: limit }),
        }
    }

    async fn establish(address: &str, config: &ConnectionConfig) -> Result<Connection, ConnectionError> {
        let refused =
            |source| ConnectionError::Connect { address: address.to_owned(), source: Arc::new(source) };
        let stream = TcpStream::connect(address).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        if let Some(silence_max) = config.silence_max {
            end_when_silent(&stream, silence_max).map_err(refused)?;
        }
        let link = Link::start(stream, config.frame_bytes_max, config.in_flight_max);
        let peer = Peer { link: &link, address, client_id: &config.client_id };
        let versions = versions::negotiate(&peer).await?;
        Ok(Connection {
            inner: Arc::new(Inner {
                address: address.to_owned(),
                client_id: config.client_id.clone(),
                request_timeout: config.request_timeout,
                link,
                versions,
            }),
        })
    }

    /// Sends a request at the highest version that both sides speak, and awaits the answer.
    pub async fn send<R: Request>(&self, request: &R) -> Result<R::Response, ConnectionError> {
        self.send_within(request, self.inner.request_timeout).await
    }

    /// As [`Connection::send`], for requests that the broker holds for long, a JoinGroup for one.
    pub async fn send_within<R: Request>(
        &self,
        request: &R,
        limit: Duration,
    ) -> Result<R::Response, ConnectionError> {
        self.send_at(request, self.version_of::<R>()?, limit).await
    }

    /// As [`Connection::send`], in a version of `highest` at most.
    pub async fn send_up_to<R: Request>(
        &self,
        request: &R,
        highest: i16,
    ) -> Result<R::Response, ConnectionError> {
        let version = self.version_of::<R>()?.min(highest);
        self.send_at(request, version, self.inner.request_timeout).await
    }

    async fn send_at<R: Request>(
        &self,
        request: &R,
        version: i16,
        limit: Duration,
    ) -> Result<R::Response, ConnectionError> {
        match timeout(limit, self.peer().call(request, version)).await {
            Ok(response) => response,
            Err(_) => Err(self.timed_out::<R>(limit)),
        }
    }

    /// Sends a request that the broker does not answer: a Produce with acks=0.
    pub async fn send_unanswered<R: Request>(&self, request: &R) -> Result<(), ConnectionError> {
        let version = self.version_of::<R>()?;
        let limit = self.inner.request_timeout;
        match timeout(limit, self.peer().cast(request, version)).await {
            Ok(written) => written,
            Err(_) => Err(self.timed_out::<R>(limit)),
        }
    }

    /// The version at which [`Connection::send`] sends this request.
    pub fn version_of<R: Request>(&self) -> Result<i16, ConnectionError> {
        self.inner.versions.choose::<R>(&self.inner.address)
    }

    /// The keys of the APIs that the broker serves, some of which we may not know, with its versions.
    pub fn api_versions(&self) -> impl Iterator<Item = (i16, RangeInclusive<i16>)> {
        self.inner.versions.iter()
    }

    /// Answers come in order: nothing that was sent since can arrive in time either.
    fn timed_out<R: Request>(&self, after: Duration) -> ConnectionError {
        self.inner.link.end(Disconnected::TimedOut);
        ConnectionError::Timeout { api: R::KEY.name(), address: self.inner.address.clone(), after }
    }

    fn peer(&self) -> Peer<'_> {
        let Inner { link, address, client_id, .. } = &*self.inner;
        Peer { link, address, client_id }
    }

    pub fn address(&self) -> &str {
        &self.inner.address
    }

    /// Whether it is of no more use.
    pub fn is_closed(&self) -> bool {
        self.inner.link.is_closed()
    }
}

/// What was sent must be acknowledged in this time, and so must a probe where nothing is to be sent.
fn end_when_silent(stream: &TcpStream, silence_max: Duration) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new().with_time(PROBE_INTERVAL).with_interval(PROBE_INTERVAL);
    socket.set_tcp_keepalive(&probes)?;
    socket.set_tcp_user_timeout(Some(silence_max))
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.inner.address)
    }
}
