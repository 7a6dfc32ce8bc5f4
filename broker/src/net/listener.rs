//! One accept loop per listener. It bounds the connections of the broker, of the listener and of each address, keeps new ones
//! waiting that come too fast, and backs off when the kernel refuses a descriptor.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::shutdown::Shutdown;
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::complaints;
use super::connection::{self, Surroundings};
use super::quota::{ConnectionQuota, NoPlace};
use super::request_memory::RequestMemory;
use crate::Broker;
use crate::api::Listener;
use crate::metrics::connections::{self, Limit};

/// The wait after a failed accept: out of descriptors, mostly, which only closing connections can mend.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Failed accepts between two log lines.
const ACCEPT_FAILURES_PER_LOG_LINE: u64 = 100;

/// After a shutdown connections have so long to send what they owe.
const DRAIN: Duration = Duration::from_secs(2);

/// Binds a listener. An IPv6 address takes IPv6 alone, so that both families can be listed side by side; the unspecified
/// one takes both. `backlog`: connections that the kernel keeps waiting.
pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() && !address.ip().is_unspecified() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    TcpListener::from_std(socket.into())
}

/// What all listeners of a broker share.
#[derive(Clone)]
pub struct Limits {
    pub quota: Arc<ConnectionQuota>,
    pub memory: RequestMemory,
}

/// Accepts until shutdown, then ends the connections.
pub async fn serve(
    broker: Arc<Broker>,
    listener: Arc<Listener>,
    socket: TcpListener,
    limits: Limits,
    shutdown: Shutdown,
) {
    connections::listening(&listener.name);
    let mut open = JoinSet::new();
    let mut failures = 0u64;
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            Some(_) = open.join_next(), if !open.is_empty() => continue,
            () = shutdown.requested() => break,
        };
        match accepted {
            Ok((socket, peer)) => {
                failures = 0;
                let delay = limits.quota.delay(&listener.name, Instant::now());
                if !delay.is_zero() {
                    tokio::select! {
                        () = tokio::time::sleep(delay) => {}
                        () = shutdown.requested() => break,
                    }
                }
                let Some(place) = admit(&limits.quota, &listener, &socket, peer) else { continue };
                let surroundings = Surroundings {
                    broker: broker.clone(),
                    listener: listener.clone(),
                    memory: limits.memory.clone(),
                    counted: connections::opened(&listener.name),
                    shutdown: shutdown.clone(),
                };
                open.spawn(async move {
                    connection::serve(socket, peer, surroundings).await;
                    drop(place);
                });
            }
            Err(error) => {
                if failures.is_multiple_of(ACCEPT_FAILURES_PER_LOG_LINE) {
                    tracing::error!(
                        listener = listener.name,
                        failures,
                        "accepting a connection failed: {error}"
                    );
                }
                failures += 1;
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    drop(socket);
    let drained = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!(
            listener = listener.name,
            "connections were cut that did not take their responses in {DRAIN:?}"
        );
    }
}

/// Takes a place for the connection, or closes it where there is none.
fn admit(
    quota: &Arc<ConnectionQuota>,
    listener: &Listener,
    socket: &TcpStream,
    peer: SocketAddr,
) -> Option<super::quota::Place> {
    match quota.take(&listener.name, peer.ip()) {
        Ok(place) => {
            if let Err(error) = socket.set_nodelay(true) {
                tracing::debug!(%peer, "TCP_NODELAY: {error}");
            }
            Some(place)
        }
        Err(refused) => {
            connections::refused(
                &listener.name,
                match refused {
                    NoPlace::Total(_) | NoPlace::Listener(_) => Limit::Total,
                    NoPlace::PerIp(_) => Limit::PerIp,
                },
            );
            if let Some(left_out) = complaints::admit() {
                let listener = listener.name.as_str();
                tracing::info!(listener, %peer, left_out, "connection refused: {refused}");
            }
            None
        }
    }
}
