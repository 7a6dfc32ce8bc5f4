//! Single Kafka requests on plain sockets, for what no client library does: a thousand members in one process, and bad manners.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use protocol::frame::{decode_response, encode_request};
use protocol::wire::Request;

const PATIENCE: Duration = Duration::from_secs(120);
/// No honest answer to what is asked here is larger.
const FRAME_BYTES_MAX: usize = 256 << 20;

/// A connection whose answers are read in the order of their requests.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    sent: i32,
    received: i32,
}

impl Wire {
    pub fn open(bootstrap: &str) -> Result<Wire> {
        let stream =
            TcpStream::connect(bootstrap).with_context(|| format!("cannot connect to {bootstrap}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Wire { stream, sent: 0, received: 0 })
    }

    pub fn send<R: Request>(&mut self, request: &R, version: i16) -> Result<()> {
        let frame = encode_request(version, self.sent, Some("bench".into()), request)?;
        self.sent += 1;
        self.send_raw(&frame.bytes)
    }

    /// Bytes as they are, whole frames or not.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The answer to the earliest request that has none.
    pub fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).with_context(|| format!("no answer to {}", R::NAME))?;
        let length = u32::from_be_bytes(length) as usize;
        ensure!(length <= FRAME_BYTES_MAX, "{}: an answer of {length} bytes", R::NAME);
        let mut frame = vec![0; length];
        self.stream.read_exact(&mut frame)?;
        let (header, response) = decode_response::<R>(Bytes::from(frame), version)?;
        ensure!(header.correlation_id == self.received, "{}: the answer to another request", R::NAME);
        self.received += 1;
        Ok(response)
    }

    pub fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response> {
        self.send(request, version)?;
        self.receive::<R>(version)
    }
}
