//! The least that a fetch can cost: ranges of a cached file, straight from the page cache to a socket.

use std::fs::File;
use std::io::Read;
use std::net::TcpStream;
use std::thread;

use anyhow::{Result, anyhow, ensure};
use nix::sys::sendfile::sendfile;

use super::loopback;

/// What the receiving client reads at once.
const CLIENT_BUFFER: usize = 1 << 20;

/// Sends the first `bytes` of `file` in calls of at most `range` bytes.
pub fn send(file: &File, bytes: usize, range: usize) -> Result<()> {
    let (client, server) = loopback::pair()?;
    let receiver = thread::spawn(move || receive(client));
    let mut position = 0;
    let mut left = bytes;
    while left > 0 {
        let sent = sendfile(&server, file, Some(&mut position), left.min(range))?;
        ensure!(sent > 0, "the file is shorter than {bytes} bytes");
        left -= sent;
    }
    drop(server);
    let received = receiver.join().map_err(|_| anyhow!("the receiver panicked"))??;
    ensure!(received == bytes, "{received} of {bytes} bytes arrived");
    Ok(())
}

fn receive(mut client: TcpStream) -> std::io::Result<usize> {
    let mut buffer = vec![0; CLIENT_BUFFER];
    let mut received = 0;
    loop {
        match client.read(&mut buffer)? {
            0 => return Ok(received),
            count => received += count,
        }
    }
}
