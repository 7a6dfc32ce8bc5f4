//! Brings what is not in the page cache into it on a bounded pool, so that no network thread ever waits for the disk.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use storage::log::FileRange;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::residency::is_resident;

/// Cold reads under way at once in the whole process: enough to keep a disk's queue full.
const COLD_READS_MAX: usize = 16;

/// What one cold read brings in: 2 MiB, a few milliseconds of a slow disk.
const COLD_READ_BYTES_MAX: u32 = 2 * 1024 * 1024;

const PAGE_BYTES: u64 = 4096;

static SLOTS: Semaphore = Semaphore::const_new(COLD_READS_MAX);

/// Waits until the beginning of the range is in the page cache, and says how many bytes of it that is.
pub(super) async fn resident_prefix(range: &FileRange) -> io::Result<u32> {
    let length = range.length.min(COLD_READ_BYTES_MAX);
    if is_resident(range.file.as_fd(), range.position, u64::from(length)) {
        return Ok(length);
    }
    let Ok(_slot) = SLOTS.acquire().await else { return Err(io::ErrorKind::BrokenPipe.into()) };
    let range = range.clone();
    spawn_blocking(move || read_in(&range, length)).await.map_err(io::Error::other)??;
    Ok(length)
}

/// Asks for the whole stretch at once, then touches each page until it is there.
fn read_in(range: &FileRange, length: u32) -> io::Result<()> {
    let (from, to) = (range.position, range.position + u64::from(length));
    let (offset, bytes) = (from.cast_signed(), i64::from(length));
    posix_fadvise(range.file.as_fd(), offset, bytes, PosixFadviseAdvice::POSIX_FADV_WILLNEED)?;
    let mut page = from - from % PAGE_BYTES;
    while page < to {
        if range.file.read_at(&mut [0], page.max(from))? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        page += PAGE_BYTES;
    }
    Ok(())
}
