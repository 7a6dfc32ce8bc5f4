//! Whether a broker serves: one Metadata request, written by hand, so that no client's back-off blurs the start.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(1);

/// Metadata version 1: length, key, version, correlation id, null client id, no topics.
const REQUEST: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0];

/// Length, correlation id, number of brokers: what the answer begins with.
const ANSWER_START: usize = 12;

/// Whether Metadata is answered and names a broker.
pub fn serves_metadata(port: u16) -> bool {
    brokers(port).is_ok_and(|brokers| brokers > 0)
}

/// How many brokers Metadata names.
pub fn brokers(port: u16) -> io::Result<i32> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&REQUEST)?;
    let mut answer = [0; ANSWER_START];
    stream.read_exact(&mut answer)?;
    let [.., a, b, c, d] = answer;
    Ok(i32::from_be_bytes([a, b, c, d]))
}
