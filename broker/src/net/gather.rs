//! The sending half of one connection: responses as gather lists of bytes and file ranges, in order.
//!
//! Neighbouring bytes leave in one `sendmsg(2)`, file ranges by `sendfile(2)`; `MSG_MORE` joins a header to the range that
//! follows it. A range too small to gain from `sendfile` is read and joins the bytes. A file that turns out shorter than its
//! range ends the connection, since the frame's length is already promised.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use bytes::{Buf, Bytes};
use nix::sys::socket::{MsgFlags, sendmsg};
use storage::IoFailure;
use storage::log::FileRange;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::answer::{Piece, Response};
use super::cold;
use super::sendfile::try_send_file;
use crate::metrics::requests;
use crate::metrics::requests::stations::Stations;

/// Ranges shorter than this are copied: `sendfile` gains nothing there (measured: no gain at 4 KiB, half the CPU at 64 KiB).
const COPIED_RANGE_BYTES_MAX: u32 = 16 * 1024;

/// Pieces that one `sendmsg` takes.
const PIECES_PER_CALL_MAX: usize = 32;

/// After so many bytes of a range others have the thread: a socket may take them as fast as they
/// come, and a range be megabytes long.
const TURN_BYTES: u64 = 1024 * 1024;

/// The kernel may wait for what follows before it fills a segment.
const MSG_MORE: MsgFlags = MsgFlags::from_bits_retain(libc::MSG_MORE);

/// Why a response could not be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("sending failed: {0}")]
    Socket(io::Error),
    #[error("reading the log for a response failed: {0}")]
    Log(#[from] IoFailure),
    #[error("a log file ended {missing} bytes before a range that was promised to the client")]
    Short { missing: u32 },
}

/// Responses on their way out.
#[derive(Default)]
pub(super) struct Outbox {
    pieces: VecDeque<Piece>,
    /// Of the responses in here; they leave together.
    leaving: Vec<Stations>,
}

impl Outbox {
    /// Queues a response behind those before it.
    pub(super) fn push(&mut self, response: Response) {
        let Response { pieces, mut stations } = response;
        stations.response_bytes = pieces.iter().map(Piece::length).sum();
        self.leaving.push(stations);
        self.pieces.extend(pieces);
    }

    /// Sends all that is queued, and says how many bytes that was.
    pub(super) async fn flush(&mut self, socket: &TcpStream) -> Result<usize, SendError> {
        if self.leaving.is_empty() {
            return Ok(0);
        }
        let begun = Instant::now();
        self.send(socket).await?;
        requests::observe_left(&self.leaving, begun, Instant::now());
        let bytes = self.leaving.iter().map(|response| response.response_bytes).sum();
        self.leaving.clear();
        Ok(bytes)
    }

    async fn send(&mut self, socket: &TcpStream) -> Result<(), SendError> {
        self.copy_small_ranges().await?;
        while let Some(first) = self.pieces.front_mut() {
            match first {
                Piece::Bytes(_) => self.send_bytes(socket).await?,
                Piece::File(range) => {
                    send_range(socket, range).await?;
                    self.pieces.pop_front();
                }
            }
        }
        Ok(())
    }

    /// Turns each small range into bytes.
    async fn copy_small_ranges(&mut self) -> Result<(), SendError> {
        for piece in &mut self.pieces {
            if let Piece::File(range) = piece
                && range.length < COPIED_RANGE_BYTES_MAX
            {
                *piece = Piece::Bytes(read_range(range).await?);
            }
        }
        Ok(())
    }

    /// Sends the bytes at the front, as far as the socket takes them.
    async fn send_bytes(&mut self, socket: &TcpStream) -> Result<(), SendError> {
        let sent = match self.try_send_bytes(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return socket.writable().await.map_err(SendError::Socket);
            }
            result => result.map_err(SendError::Socket)?,
        };
        self.drop_sent(sent);
        Ok(())
    }

    fn try_send_bytes(&self, socket: &TcpStream) -> io::Result<usize> {
        let leading: Vec<IoSlice<'_>> = self.leading_bytes().map(|bytes| IoSlice::new(bytes)).collect();
        let more = if leading.len() < self.pieces.len() { MSG_MORE } else { MsgFlags::empty() };
        let flags = more | MsgFlags::MSG_NOSIGNAL;
        socket.try_io(Interest::WRITABLE, || {
            sendmsg::<()>(socket.as_raw_fd(), &leading, &[], flags, None).map_err(io::Error::from)
        })
    }

    fn leading_bytes(&self) -> impl Iterator<Item = &Bytes> {
        let bytes = self.pieces.iter().map_while(|piece| match piece {
            Piece::Bytes(bytes) => Some(bytes),
            Piece::File(_) => None,
        });
        bytes.take(PIECES_PER_CALL_MAX)
    }

    fn drop_sent(&mut self, mut sent: usize) {
        while let Some(Piece::Bytes(bytes)) = self.pieces.front_mut() {
            if bytes.len() > sent {
                bytes.advance(sent);
                return;
            }
            sent -= bytes.len();
            self.pieces.pop_front();
        }
    }
}

/// Sends a range, waiting for the disk on the cold pool and for the socket here.
async fn send_range(socket: &TcpStream, range: &mut FileRange) -> Result<(), SendError> {
    let file = range.file.descriptor()?;
    while range.length > 0 {
        let resident = cold::resident_prefix(&file, range.position, range.length).await;
        let resident = resident.map_err(|error| unread(range, error))?;
        let begun = range.position;
        let (mut left, mut turn_ends) = (resident.length, begun + TURN_BYTES);
        while left > 0 {
            left -= send_some(socket, &file, range, left).await?;
            if range.position >= turn_ends {
                tokio::task::yield_now().await;
                turn_ends = range.position + TURN_BYTES;
            }
        }
        if resident.was_cold && range.read_once {
            cold::forget(&file, begun..range.position);
        }
    }
    Ok(())
}

/// One `sendfile` of the range's beginning, once the socket takes any of it.
async fn send_some(
    socket: &TcpStream,
    file: &File,
    range: &mut FileRange,
    resident: u32,
) -> Result<u32, SendError> {
    loop {
        match try_send_file(socket, file, range.position, resident as usize) {
            Ok(0) => return Err(SendError::Short { missing: range.length }),
            Ok(sent) => {
                let sent = u32::try_from(sent).map_err(|error| unread(range, io::Error::other(error)))?;
                range.position += u64::from(sent);
                range.length -= sent;
                return Ok(sent);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.writable().await.map_err(SendError::Socket)?;
            }
            // Of the two only the disk fails like this.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => return Err(unread(range, error)),
            Err(error) => return Err(SendError::Socket(error)),
        }
    }
}

async fn read_range(range: &FileRange) -> Result<Bytes, SendError> {
    let file = range.file.descriptor()?;
    let resident = cold::resident_prefix(&file, range.position, range.length).await;
    resident.map_err(|error| unread(range, error))?;
    let mut bytes = vec![0; range.length as usize];
    file.read_exact_at(&mut bytes, range.position).map_err(|error| unread(range, error))?;
    Ok(bytes.into())
}

fn unread(range: &FileRange, source: io::Error) -> SendError {
    SendError::Log(IoFailure { action: "read", path: range.file.path(), source })
}
