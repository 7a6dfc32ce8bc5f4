//! Free ports on loopback, below those from which the kernel picks for outgoing connections.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};

const FIRST: u32 = 15_000;
const COUNT: u32 = 15_000;
/// How far apart two processes begin to look.
const STRIDE: u32 = 97;

/// How many ports this process has been given or refused.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// The first of `count` ports in a row that are free now. No port is given twice by one process until all were.
pub fn free(count: u32) -> Result<u16> {
    let start = std::process::id().wrapping_mul(STRIDE);
    for _ in 0..COUNT / count {
        let offset = start.wrapping_add(TAKEN.fetch_add(count, Ordering::Relaxed)) % COUNT;
        let mut ports = (FIRST + offset) as u16..(FIRST + offset + count) as u16;
        if offset + count <= COUNT && ports.clone().all(is_free) {
            return ports.next().context("at least one is asked for");
        }
    }
    bail!("no {count} ports in a row are free")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
