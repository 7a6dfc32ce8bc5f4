//! Brings what is not in the page cache into it on a bounded pool, so that no network thread ever waits for the disk.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::residency::is_resident;

/// Cold reads under way at once in the whole process: enough to keep a disk's queue full.
const COLD_READS_MAX: usize = 16;

/// What one cold read brings in: 2 MiB, a few milliseconds of a slow disk.
const COLD_READ_BYTES_MAX: u32 = 2 * 1024 * 1024;

/// What one call of a cold read copies and forgets.
const DISCARDED_BYTES: usize = 128 * 1024;

static SLOTS: Semaphore = Semaphore::const_new(COLD_READS_MAX);

/// The beginning of a stretch that is in the page cache.
pub(super) struct Resident {
    pub length: u32,
    /// It was not before.
    pub was_cold: bool,
}

/// Waits until the beginning of the stretch is in the page cache, and says how much of it that is.
pub(super) async fn resident_prefix(file: &Arc<File>, position: u64, length: u32) -> io::Result<Resident> {
    let length = length.min(COLD_READ_BYTES_MAX);
    if is_resident(file.as_fd(), position, u64::from(length)) {
        return Ok(Resident { length, was_cold: false });
    }
    let _slot = SLOTS.acquire().await.map_err(io::Error::other)?;
    let file = file.clone();
    spawn_blocking(move || read_in(&file, position, length)).await.map_err(io::Error::other)??;
    Ok(Resident { length, was_cold: true })
}

/// Lets a stretch leave the page cache. It is advice: where the kernel does not take it nothing is lost.
pub(super) fn forget(file: &File, from: u64, to: u64) {
    let (offset, length) = (from.cast_signed(), (to - from).cast_signed());
    let _ = posix_fadvise(file, offset, length, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
}

/// Asks for the whole stretch at once, then reads it into the void: what has been copied is in the cache for certain.
fn read_in(file: &File, from: u64, length: u32) -> io::Result<()> {
    let to = from + u64::from(length);
    posix_fadvise(file, from.cast_signed(), i64::from(length), PosixFadviseAdvice::POSIX_FADV_WILLNEED)?;
    let mut discarded = vec![0; DISCARDED_BYTES.min(length as usize)];
    let mut position = from;
    while position < to {
        let wanted = discarded.len().min((to - position) as usize);
        match file.read_at(&mut discarded[..wanted], position)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => position += read as u64,
        }
    }
    Ok(())
}
