//! Ports that stay a process's own while it is away: below those from which the kernel picks for outgoing connections.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

const FIRST: u16 = 30_100;
const LAST: u16 = 32_700;

/// A port that nobody listens on now, and that was not given before until all were.
pub fn fixed() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in FIRST..=LAST {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % (LAST - FIRST + 1);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port between {FIRST} and {LAST} is free")
}
