//! Kafka frames on raw sockets: whole ones, broken ones, and none.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;

/// How long a server may take to answer or to hang up.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// A connection that says what it is told to, right or wrong.
#[derive(Debug)]
pub struct RawConnection(TcpStream);

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The body of one frame.
    Frame(Vec<u8>),
    /// The server hung up.
    Closed,
}

impl RawConnection {
    pub fn open(port: u16) -> Result<RawConnection> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
        stream.set_write_timeout(Some(ANSWER_TIME_MAX))?;
        stream.set_nodelay(true)?;
        Ok(RawConnection(stream))
    }

    /// Sends bytes as they are; false if the server has hung up.
    pub fn send(&mut self, bytes: &[u8]) -> Result<bool> {
        match self.0.write_all(bytes) {
            Ok(()) => Ok(true),
            Err(error) if is_hang_up(error.kind()) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a body with its length before it; false if the server has hung up.
    pub fn send_frame(&mut self, body: &[u8]) -> Result<bool> {
        self.send(&framed(body))
    }

    /// The next frame, or the end.
    pub fn receive(&mut self) -> Result<Answer> {
        let mut length = [0; 4];
        if !self.fill(&mut length)? {
            return Ok(Answer::Closed);
        }
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        Ok(if self.fill(&mut body)? { Answer::Frame(body) } else { Answer::Closed })
    }

    /// Says that nothing more will be sent.
    pub fn finish_sending(&self) -> Result<()> {
        match self.0.shutdown(std::net::Shutdown::Write) {
            Err(error) if !is_hang_up(error.kind()) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Reads and forgets until the server hangs up or has nothing to say for `quiet_time`.
    pub fn drain(mut self, quiet_time: Duration) -> Result<()> {
        self.0.set_read_timeout(Some(quiet_time))?;
        let mut forgotten = [0; 16 * 1024];
        loop {
            match self.0.read(&mut forgotten) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if is_hang_up(error.kind()) || is_time_out(error.kind()) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool> {
        match self.0.read_exact(buffer) {
            Ok(()) => Ok(true),
            Err(error) if is_hang_up(error.kind()) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// A body with its length before it.
pub fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

fn is_hang_up(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

fn is_time_out(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
