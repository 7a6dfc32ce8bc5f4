//! The task behind a connection: it writes calls as they come and hands each answer to the call that waits longest.
//!
//! ```text
//! call ──calls──▶ write loop ──expected──▶ read loop ──answer──▶ call
//!                     │ frame                  ▲ frame
//!                     └──────▶ socket ─────────┘
//! ```
//!
//! `expected` is the bound on requests in flight: where it is full, the write loop waits.

use std::io;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use protocol::frame::correlation_id;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::Disconnected;

/// A correlation id in front of every answer.
const CORRELATION_ID_LENGTH: usize = 4;
/// Small answers are read with one system call; what is larger goes past this buffer.
const READ_BUFFER_LENGTH: usize = 16 << 10;

/// A request's frame, its length included, and who waits for what comes of it.
pub struct Call {
    pub correlation_id: i32,
    pub frame: Bytes,
    pub waiter: Waiter,
}

/// What a call waits for.
pub enum Waiter {
    Answer(oneshot::Sender<Bytes>),
    /// There will be no answer: that the kernel has the frame is all there is to know.
    Written(oneshot::Sender<()>),
}

struct Expected {
    correlation_id: i32,
    answer: oneshot::Sender<Bytes>,
}

/// The calls' end of a connection. The task ends, and the socket closes, when it is dropped.
pub struct Link {
    calls: mpsc::Sender<Call>,
    ended: Arc<OnceLock<Disconnected>>,
    task: AbortHandle,
}

impl Link {
    pub fn start(stream: TcpStream, frame_bytes_max: usize, in_flight_max: usize) -> Link {
        let (calls, to_write) = mpsc::channel(in_flight_max);
        let ended = Arc::new(OnceLock::new());
        let task = tokio::spawn(run(stream, to_write, frame_bytes_max, in_flight_max, Arc::clone(&ended)));
        Link { calls, ended, task: task.abort_handle() }
    }

    /// Queues a call; it is written when those before it are.
    pub async fn queue(&self, call: Call) -> Result<(), Disconnected> {
        self.calls.send(call).await.map_err(|_| self.why_ended())
    }

    /// Ends the connection under every call that waits.
    pub fn end(&self, reason: Disconnected) {
        // The first reason stands.
        let _ = self.ended.set(reason);
        self.task.abort();
    }

    pub fn is_closed(&self) -> bool {
        self.ended.get().is_some() || self.calls.is_closed()
    }

    /// What ended the task. It is set before any call learns of the end.
    pub fn why_ended(&self) -> Disconnected {
        self.ended.get().cloned().unwrap_or(Disconnected::Dropped)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.end(Disconnected::Dropped);
    }
}

async fn run(
    stream: TcpStream,
    mut calls: mpsc::Receiver<Call>,
    frame_bytes_max: usize,
    in_flight_max: usize,
    ended: Arc<OnceLock<Disconnected>>,
) {
    let (read, write) = stream.into_split();
    let (expect, mut expected) = mpsc::channel(in_flight_max);
    let end = tokio::select! {
        end = write_calls(write, &mut calls, expect) => end,
        end = read_answers(read, &mut expected, frame_bytes_max) => end,
    };
    // Both queues live until here, so that whoever waits on them finds the reason.
    let _ = ended.set(end.err().unwrap_or(Disconnected::Dropped));
}

async fn write_calls(
    mut socket: OwnedWriteHalf,
    calls: &mut mpsc::Receiver<Call>,
    expect: mpsc::Sender<Expected>,
) -> Result<(), Disconnected> {
    while let Some(Call { correlation_id, frame, waiter }) = calls.recv().await {
        match waiter {
            Waiter::Answer(answer) => {
                let expected = Expected { correlation_id, answer };
                expect.send(expected).await.map_err(|_| Disconnected::Dropped)?;
                socket.write_all(&frame).await.map_err(broken)?;
            }
            Waiter::Written(written) => {
                socket.write_all(&frame).await.map_err(broken)?;
                let _ = written.send(());
            }
        }
    }
    Ok(())
}

async fn read_answers(
    socket: OwnedReadHalf,
    expected: &mut mpsc::Receiver<Expected>,
    frame_bytes_max: usize,
) -> Result<(), Disconnected> {
    let mut socket = BufReader::with_capacity(READ_BUFFER_LENGTH, socket);
    loop {
        let frame = read_frame(&mut socket, frame_bytes_max).await?;
        let received = correlation_id(&frame).map_err(|_| Disconnected::Unasked)?;
        let Expected { correlation_id, answer } = expected.try_recv().map_err(|_| Disconnected::Unasked)?;
        if correlation_id != received {
            return Err(Disconnected::OutOfOrder { expected: correlation_id, received });
        }
        // A caller that gave up has dropped its end; its answer falls to the floor.
        let _ = answer.send(frame);
    }
}

async fn read_frame(socket: &mut (impl AsyncRead + Unpin), max: usize) -> Result<Bytes, Disconnected> {
    let length = socket.read_i32().await.map_err(broken)?;
    let wanted = usize::try_from(length).unwrap_or(0);
    if wanted < CORRELATION_ID_LENGTH || wanted > max {
        return Err(Disconnected::FrameLength { length, max });
    }
    let mut frame = BytesMut::with_capacity(wanted);
    while frame.len() < wanted {
        let mut rest = (&mut *socket).take((wanted - frame.len()) as u64);
        if rest.read_buf(&mut frame).await.map_err(broken)? == 0 {
            return Err(Disconnected::ByPeer);
        }
    }
    Ok(frame.freeze())
}

fn broken(error: io::Error) -> Disconnected {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Disconnected::ByPeer,
        _ => Disconnected::Io(Arc::new(error)),
    }
}
