//! Cuts the stream of a connection into request frames: a 4-byte big-endian length, then that many bytes.
//!
//! The buffer grows with what has arrived, never with what a peer merely announces. Frames are slices of it: once they are
//! dropped, its memory serves the next frame, so that a steady stream of requests allocates nothing.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::net::TcpStream;

/// What is asked of the kernel at least, and what an idle connection keeps.
const BUFFER_BYTES_MIN: usize = 16 * 1024;

/// The most that the buffer grows ahead of what has arrived.
const BUFFER_GROWTH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The receiving half of one connection.
pub(super) struct Frames {
    buffer: BytesMut,
    frame_bytes_max: usize,
}

/// Why no frame came.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the peer closed the connection")]
    Closed,
    #[error("the peer closed the connection within a request: {received} of its bytes had come")]
    Torn { received: usize },
    #[error("a request of {length} bytes was announced; socket.request.max.bytes allows 0 to {max}")]
    Length { length: i32, max: usize },
    #[error("receiving failed: {0}")]
    Receive(io::Error),
}

impl Frames {
    pub(super) fn new(frame_bytes_max: usize) -> Frames {
        Frames { buffer: BytesMut::new(), frame_bytes_max }
    }

    /// The next frame without its length, if it has arrived whole.
    pub(super) fn buffered(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(length) = self.announced()? else { return Ok(None) };
        if self.buffer.len() < 4 + length {
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    /// The length of a frame that has begun to arrive and is not whole yet.
    pub(super) fn begun(&self) -> Option<usize> {
        let length = self.announced().ok().flatten()?;
        (self.buffer.len() < 4 + length).then_some(length)
    }

    /// Takes in what has arrived, waiting for it, and says how many bytes it was. Cancel safe: nothing received is lost.
    pub(super) async fn receive(&mut self, socket: &TcpStream) -> Result<usize, FrameError> {
        loop {
            socket.readable().await.map_err(FrameError::Receive)?;
            self.make_room()?;
            match socket.try_read_buf(&mut self.buffer) {
                Ok(0) if self.buffer.is_empty() => return Err(FrameError::Closed),
                Ok(0) => return Err(FrameError::Torn { received: self.buffer.len() }),
                Ok(received) => return Ok(received),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(FrameError::Receive(error)),
            }
        }
    }

    /// Gives back the memory of an idle connection.
    pub(super) fn shrink(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// The length of the frame that the buffer begins with, once its four bytes are there.
    fn announced(&self) -> Result<Option<usize>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = i32::from_be_bytes(*prefix);
        match usize::try_from(length) {
            Ok(bytes) if bytes <= self.frame_bytes_max => Ok(Some(bytes)),
            _ => Err(FrameError::Length { length, max: self.frame_bytes_max }),
        }
    }

    /// Room for the rest of the frame, but at most as much again as has arrived of it.
    fn make_room(&mut self) -> Result<(), FrameError> {
        let arrived = self.buffer.len();
        let missing =
            self.announced()?.map_or(BUFFER_BYTES_MIN, |length| (4 + length).saturating_sub(arrived));
        let ahead = arrived.clamp(BUFFER_BYTES_MIN, BUFFER_GROWTH_BYTES_MAX);
        let wanted = missing.clamp(BUFFER_BYTES_MIN, ahead.max(BUFFER_BYTES_MIN));
        if self.buffer.capacity() - arrived < wanted {
            self.buffer.reserve(wanted);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames_with(bytes: &[u8]) -> Frames {
        let mut frames = Frames::new(100);
        frames.buffer.extend_from_slice(bytes);
        frames
    }

    #[test]
    fn a_frame_is_given_once_it_is_whole() {
        let mut frames = frames_with(&[0, 0, 0, 2, b'a']);
        assert!(frames.buffered().expect("the length is allowed").is_none());
        frames.buffer.extend_from_slice(b"bc");
        assert_eq!(frames.buffered().expect("allowed").as_deref(), Some(&b"ab"[..]));
        assert_eq!(&frames.buffer[..], b"c");
    }

    #[test]
    fn a_length_over_the_limit_or_below_zero_is_refused_before_anything_is_allocated() {
        for prefix in [[0, 0, 0, 101], [0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff]] {
            let mut frames = frames_with(&prefix);
            let error = frames.buffered().expect_err("it is refused");
            assert!(matches!(error, FrameError::Length { max: 100, .. }));
        }
    }

    #[test]
    fn an_announced_length_alone_reserves_no_more_than_the_minimum() {
        let mut frames = Frames::new(100 << 20);
        frames.buffer.extend_from_slice(&(90_i32 << 20).to_be_bytes());
        frames.make_room().expect("allowed");
        assert!(frames.buffer.capacity() <= 2 * BUFFER_BYTES_MIN);
    }
}
