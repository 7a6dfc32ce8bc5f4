//! The HTTP listener beside every daemon: `/metrics`, `/healthz`, `/readyz`.
//!
//! It owns sockets, limits and time-outs; what is answered is in `routes`. Nothing here may harm the daemon: connections,
//! requests in work, header sizes and every wait are bounded.

mod routes;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt};

use crate::shutdown::Shutdown;
use routes::Answer;

/// Connections held at once; more wait in the kernel's backlog.
const CONNECTIONS_MAX: usize = 64;
/// Requests answered at once; a scrape of many partitions is work.
const REQUESTS_IN_WORK_MAX: usize = 4;
/// How long one request may take, the wait for its turn included.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a client may take to send a header, and how long an idle connection is kept.
const HEADER_TIME_MAX: Duration = Duration::from_secs(30);
/// Bytes of a request's header.
const HEADER_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// The pause after an accept that failed, most likely for want of descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Says whether the daemon is ready, or why not in one line. Called at each `/readyz`; it must not block.
pub type Ready = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// A bound listener that does not serve yet.
#[derive(Debug)]
pub struct MetricsListener {
    socket: TcpListener,
    address: SocketAddr,
}

/// `metrics.listener` cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on metrics.listener {address}: {source}")]
pub struct ListenError {
    address: String,
    source: std::io::Error,
}

type Handler = BoxCloneSyncService<Request<()>, Answer, tower::BoxError>;

impl MetricsListener {
    /// Binds `host:port`; port 0 takes a free one.
    pub async fn bind(address: &str) -> Result<MetricsListener, ListenError> {
        let refuse = |source| ListenError { address: address.to_owned(), source };
        let socket = TcpListener::bind(address).await.map_err(refuse)?;
        let address = socket.local_addr().map_err(refuse)?;
        Ok(MetricsListener { socket, address })
    }

    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `registry` until the shutdown is requested, then drops every connection.
    pub async fn serve(self, registry: Registry, ready: Ready, shutdown: Shutdown) {
        let handler = bounded(registry, ready);
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.requested() => return,
                accepted = next_connection(&self.socket, &places) => accepted,
            };
            while connections.try_join_next().is_some() {}
            if let Some((stream, place)) = accepted {
                let handler = handler.clone();
                connections.spawn(async move {
                    serve_connection(stream, handler).await;
                    drop(place);
                });
            }
        }
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// A connection and its place among the bounded number; `None` after a failed accept and a pause.
async fn next_connection(socket: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match socket.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "the metrics listener cannot accept a connection");
            tokio::time::sleep(ACCEPT_BACKOFF).await;
            None
        }
    }
}

/// The routes behind one limit for all connections and a time-out over the wait and the work.
fn bounded(registry: Registry, ready: Ready) -> Handler {
    let answer = tower::service_fn(move |request| {
        let (registry, ready) = (registry.clone(), Arc::clone(&ready));
        // Gathering many series takes long, so it stays off the network threads.
        tokio::task::spawn_blocking(move || routes::answer(&request, &registry, &ready))
    });
    let limited =
        ServiceBuilder::new().layer(GlobalConcurrencyLimitLayer::new(REQUESTS_IN_WORK_MAX)).service(answer);
    let wait_and_work = tower::service_fn(move |request| limited.clone().oneshot(request));
    let in_time = ServiceBuilder::new().timeout(REQUEST_TIME_MAX).service(wait_and_work);
    BoxCloneSyncService::new(in_time)
}

async fn serve_connection(stream: TcpStream, handler: Handler) {
    let service = service_fn(move |request: Request<Incoming>| {
        let handler = handler.clone();
        async move {
            // Bodies are never read: hyper refuses to reuse a connection whose request has one.
            let answer = handler.oneshot(request.map(|_| ())).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|error| routes::overloaded(&error)))
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME_MAX)
        .max_header_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(2 * HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the metrics listener ended early");
    }
}

#[cfg(test)]
mod tests;
