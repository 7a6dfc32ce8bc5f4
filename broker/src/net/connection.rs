//! One client connection: one task that takes requests in, lets them be handled, and sends the answers in request order.
//!
//! A request is dispatched the moment it is whole, whatever earlier ones still wait for; its answer queues behind theirs.
//! While responses go out nothing is read, so a slow reader holds at most `queued.max.requests` answers and slows only
//! itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::Either;
use node::shutdown::Shutdown;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::answer::{Answer, Outcome, Refusal};
use super::complaints;
use super::frames::{FrameError, Frames};
use super::gather::{Outbox, SendError};
use super::request_memory::{Held, RequestMemory};
use crate::Broker;
use crate::api::{self, Listener, Peer};
use crate::in_order::InOrder;
use crate::metrics::connections::{self, OpenConnection};
use crate::metrics::requests;

/// Responses that are gathered before they are sent together.
const GATHERED_MAX: usize = 32;

/// A connection that has handled requests for so long lets others have the thread: a buffer may hold hundreds of requests,
/// and a hundred peers may fill theirs.
const TURN: Duration = Duration::from_millis(1);

/// After so long without a request an idle connection gives its buffer back.
const BUFFER_KEPT_FOR: Duration = Duration::from_secs(5);

/// At shutdown a peer has so long to close its side, once it has all its responses.
const FAREWELL_TIME_MAX: Duration = Duration::from_millis(500);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("{}", .0.reason)]
    Refused(Refusal),
    #[error("idle for longer than connections.max.idle.ms")]
    Idle,
    #[error("the broker shuts down")]
    Shutdown,
}

/// What every connection of a listener shares.
pub(super) struct Surroundings {
    pub(super) broker: Arc<Broker>,
    pub(super) listener: Arc<Listener>,
    pub(super) memory: RequestMemory,
    pub(super) counted: OpenConnection,
    pub(super) shutdown: Shutdown,
}

type Ready = std::future::Ready<Outcome>;
type Later = std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;

struct Connection {
    socket: TcpStream,
    peer: Peer,
    counted: OpenConnection,
    frames: Frames,
    memory: RequestMemory,
    /// The bytes of the request that is arriving.
    held: Option<Held>,
    outbox: Outbox,
    waiting: InOrder<Either<Ready, Later>>,
    /// `queued.max.requests`: how many may wait for their answers; further ones stay in the socket.
    waiting_max: usize,
    last_active: Instant,
}

/// Serves a connection to its end.
pub(super) async fn serve(socket: TcpStream, address: SocketAddr, surroundings: Surroundings) {
    let Surroundings { broker, listener, memory, counted, shutdown } = surroundings;
    let settings = &broker.config.sockets;
    let mut connection = Connection {
        socket,
        peer: Peer::new(address, listener),
        counted,
        frames: Frames::new(settings.request_bytes_max),
        memory,
        held: None,
        outbox: Outbox::default(),
        waiting: InOrder::default(),
        waiting_max: settings.queued_max_requests,
        last_active: Instant::now(),
    };
    match connection.run(&broker, shutdown, settings.connections_max_idle).await {
        End::Frame(FrameError::Closed) | End::Shutdown => {}
        End::Idle => {
            connections::closed_as_idle();
            tracing::debug!(peer = %address, "closed: {}", End::Idle);
        }
        End::Send(SendError::Socket(error)) => {
            tracing::debug!(peer = %address, "closed: sending failed: {error}")
        }
        End::Send(SendError::Log(failure)) => {
            complain(&connection.peer, &failure);
            broker.replicas.note_unreadable(&failure);
        }
        End::Refused(Refusal { request: Some(request), reason }) => {
            let span = request.span(&connection.peer.listener.name, address);
            span.in_scope(|| complain(&connection.peer, &reason));
        }
        end => complain(&connection.peer, &end),
    }
}

fn complain(peer: &Peer, why: &dyn std::fmt::Display) {
    if let Some(left_out) = complaints::admit() {
        let (listener, peer) = (peer.listener.name.as_str(), peer.address);
        tracing::warn!(listener, %peer, left_out, "connection closed: {why}");
    }
}

impl Connection {
    async fn run(&mut self, broker: &Arc<Broker>, shutdown: Shutdown, idle_max: Duration) -> End {
        let idle = tokio::time::sleep(BUFFER_KEPT_FOR.min(idle_max));
        tokio::pin!(idle);
        loop {
            if shutdown.is_requested() {
                return self.drain().await;
            }
            match tokio::time::timeout(idle_max, self.step(broker)).await {
                Ok(Ok(())) => {}
                Ok(Err(end)) => return end,
                Err(_) => return End::Idle,
            }
            tokio::select! {
                biased;
                Some(outcome) = self.waiting.next(), if !self.waiting.is_empty() => match outcome {
                    Ok(response) => self.outbox.push(response),
                    Err(reason) => return End::Refused(reason),
                },
                received = receive(&mut self.frames, &self.socket, &self.memory, &mut self.held),
                    if self.waiting.len() < self.waiting_max => match received
                {
                    Ok(bytes) => {
                        self.last_active = Instant::now();
                        self.counted.received(bytes);
                    }
                    Err(error) => return error.into(),
                },
                () = &mut idle => {
                    if self.waiting.is_empty() && self.last_active.elapsed() >= idle_max {
                        return End::Idle;
                    }
                    if self.last_active.elapsed() >= BUFFER_KEPT_FOR {
                        self.frames.shrink();
                    }
                    idle.as_mut().reset(self.next_idle_check(idle_max));
                }
                () = shutdown.requested() => {}
            }
        }
    }

    /// Sends what is owed and takes nothing in any more. What the peer has sent meanwhile is read and forgotten, or the
    /// kernel would throw away with it what the peer has not read yet.
    async fn drain(&mut self) -> End {
        while let Some(outcome) = self.waiting.next().await {
            match outcome {
                Ok(response) => self.outbox.push(response),
                Err(reason) => return End::Refused(reason),
            }
            if let Err(error) = self.send().await {
                return error.into();
            }
        }
        if self.socket.shutdown().await.is_ok() {
            // It is over either way.
            let _ = tokio::time::timeout(FAREWELL_TIME_MAX, hang_up(&self.socket)).await;
        }
        End::Shutdown
    }

    /// Handles every request that has arrived whole, and sends what is ready to leave, a [`TURN`] at a time.
    async fn step(&mut self, broker: &Arc<Broker>) -> Result<(), End> {
        let mut began = Instant::now();
        loop {
            let more = self.handle_some(broker, began)?;
            self.send().await?;
            if began.elapsed() >= TURN {
                tokio::task::yield_now().await;
                began = Instant::now();
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Sends what is ready to leave.
    async fn send(&mut self) -> Result<(), SendError> {
        let bytes = self.outbox.flush(&self.socket).await?;
        self.counted.sent(bytes);
        Ok(())
    }

    /// Handles some of the requests that are here, and says whether there may be more: as many as leave together, and none
    /// beyond the turn that began then.
    fn handle_some(&mut self, broker: &Arc<Broker>, began: Instant) -> Result<bool, End> {
        let mut handled = 0;
        while self.waiting.len() < self.waiting_max {
            let Some(frame) = self.frames.buffered()? else { return Ok(false) };
            let answer = api::dispatch(broker, &mut self.peer, frame, self.last_active.into_std());
            self.held = None;
            self.queue(answer);
            handled += 1;
            if handled == GATHERED_MAX || began.elapsed() >= TURN {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts an answer behind those before it.
    fn queue(&mut self, answer: Answer) {
        let ready = |outcome| Either::Left(std::future::ready(outcome));
        match answer {
            Answer::Ready(response) if self.waiting.is_empty() => self.outbox.push(response),
            Answer::Ready(response) => self.waiting.push_back(ready(Ok(response))),
            Answer::Later(outcome) => self.waiting.push_back(Either::Right(outcome)),
            Answer::Silent(request) => requests::observe_silent(&request),
            Answer::Close(reason) => self.waiting.push_back(ready(Err(reason))),
        }
    }

    fn next_idle_check(&self, idle_max: Duration) -> Instant {
        let buffer_due = self.last_active + BUFFER_KEPT_FOR;
        let now = Instant::now();
        let idle_due = (self.last_active + idle_max).max(now + Duration::from_millis(1));
        if buffer_due > now { buffer_due.min(idle_due) } else { idle_due }
    }
}

/// Reads and forgets until the peer has closed its side.
async fn hang_up(socket: &TcpStream) {
    let mut forgotten = [0; 4096];
    while socket.readable().await.is_ok() {
        match socket.try_read(&mut forgotten) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Takes in what arrives; the rest of a request that has begun must first find room in the memory of all requests.
async fn receive(
    frames: &mut Frames,
    socket: &TcpStream,
    memory: &RequestMemory,
    held: &mut Option<Held>,
) -> Result<usize, FrameError> {
    if let (Some(bytes), None) = (frames.begun(), &held) {
        *held = Some(memory.hold(bytes).await);
    }
    frames.receive(socket).await
}
