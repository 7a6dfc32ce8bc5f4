//! `sendfile(2)` on a non-blocking socket: file ranges leave without passing through this process.

use std::io;
use std::os::fd::AsFd;

use nix::sys::sendfile::sendfile64;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// The most that one `sendfile` moves, so that one connection never holds a thread for long: 256 KiB.
pub(super) const SENDFILE_BYTES_MAX: usize = 256 * 1024;

/// Moves bytes of `file` from `position` on to the socket and returns how many went; 0 at the end of the file.
/// `WouldBlock` where the socket takes none now.
pub(super) fn try_send_file(
    socket: &TcpStream,
    file: impl AsFd,
    position: u64,
    length: usize,
) -> io::Result<usize> {
    let mut offset = i64::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
    socket.try_io(Interest::WRITABLE, || {
        sendfile64(socket, &file, Some(&mut offset), length.min(SENDFILE_BYTES_MAX)).map_err(io::Error::from)
    })
}
