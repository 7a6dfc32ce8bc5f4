//! Handing what was appended to the disk bit by bit, by one who appends much at once and reads none of it: the page cache
//! neither fills with what waits to be written nor keeps it.
//!
//! That makes nothing durable: see `flush`.

use std::ops::Range;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::{fs::File, io};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use protocol::types::Offset;

use super::Log;
use crate::failure::IoFailure;
use crate::files::SegmentFile;

/// How much gathers before the disk is asked to take it: 8 MiB.
const WRITEBACK_BYTES: u64 = 8 << 20;

/// How far the active segment was handed to the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenBack {
    /// Its base offset.
    segment: Offset,
    /// Bytes before this are on the disk, and those up to `begun` on their way.
    done: u64,
    begun: u64,
}

/// A stretch for the disk to take, and the one before, whose end is waited for.
#[derive(Debug)]
pub struct Writeback {
    file: Arc<SegmentFile>,
    begin: Range<u64>,
    end: Range<u64>,
}

impl Log {
    /// What was appended since this was last asked, once it is much.
    pub fn begin_writeback(&mut self) -> Option<Writeback> {
        let active = self.segments.active();
        let (segment, size) = (active.base_offset, active.size);
        let anew = WrittenBack { segment, done: size, begun: size };
        let known = self.written_back.filter(|known| known.segment == segment && known.begun <= size);
        let before = self.written_back.insert(known.unwrap_or(anew));
        if size - before.begun < WRITEBACK_BYTES {
            return None;
        }
        let (end, begin) = (before.done..before.begun, before.begun..size);
        (before.done, before.begun) = (before.begun, size);
        Some(Writeback { file: active.log.clone(), begin, end })
    }
}

impl Writeback {
    /// Lets the disk begin with one stretch and waits until it has the one before, which leaves the page cache. A failure
    /// is one of the directory: the kernel tells it only once.
    pub fn run(self) -> Result<(), IoFailure> {
        let file = self.file.descriptor()?;
        let begun = sync_range(&file, &self.begin, libc::SYNC_FILE_RANGE_WRITE);
        begun
            .and_then(|()| finish(&file, &self.end))
            .map_err(|source| self.file.failure("write back", source))
    }
}

fn finish(file: &File, range: &Range<u64>) -> io::Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    let wait =
        libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    sync_range(file, range, wait)?;
    let (from, length) = (range.start.cast_signed(), (range.end - range.start).cast_signed());
    Ok(posix_fadvise(file, from, length, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?)
}

fn sync_range(file: &File, range: &Range<u64>, flags: libc::c_uint) -> io::Result<()> {
    let (from, length) = (range.start.cast_signed(), (range.end - range.start).cast_signed());
    // SAFETY: the descriptor is borrowed, hence open; the call touches no memory of this process.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), from, length, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
