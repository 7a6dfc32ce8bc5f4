//! Brings what is not in the page cache into it on a bounded pool, so that no network thread ever waits for the disk.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Weak};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::residency::is_resident;

/// Cold reads under way at once in the whole process: enough to keep a disk's queue full.
const COLD_READS_MAX: usize = 16;

/// What one cold read brings in: 2 MiB, a few milliseconds of a slow disk.
const COLD_READ_BYTES_MAX: u32 = 2 * 1024 * 1024;

/// What one call of a cold read copies and forgets.
const DISCARDED_BYTES: usize = 128 * 1024;

/// So much that was read once is let go at once: 8 MiB…
const FORGOTTEN_BYTES: u64 = 8 << 20;
/// …or so many stretches.
const FORGOTTEN_MAX: usize = 256;

static SLOTS: Semaphore = Semaphore::const_new(COLD_READS_MAX);
static FORGETTABLE: Mutex<Forgettable> = Mutex::new(Forgettable::none());

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

/// Lets a stretch leave the page cache, soon: the kernel may wait for every processor to let go of the pages, which no network
/// thread must. Many are forgotten in one go, when most are held by none any more.
pub(super) fn forget(file: &Arc<File>, stretch: Range<u64>) {
    if let Some(many) = FORGETTABLE.lock().add(file, stretch) {
        // Nobody waits for it.
        drop(spawn_blocking(move || many.iter().for_each(Forgotten::advise)));
    }
}

/// What has been read once, until it is much. A file that is closed meanwhile is left to the kernel.
struct Forgettable {
    stretches: Vec<Forgotten>,
    bytes: u64,
}

struct Forgotten {
    file: Weak<File>,
    stretch: Range<u64>,
}

impl Forgettable {
    const fn none() -> Forgettable {
        Forgettable { stretches: Vec::new(), bytes: 0 }
    }

    /// All there are, once they are much.
    fn add(&mut self, file: &Arc<File>, stretch: Range<u64>) -> Option<Vec<Forgotten>> {
        self.bytes += stretch.end - stretch.start;
        match self.stretches.last_mut() {
            Some(last) if last.is_of(file) && last.stretch.end == stretch.start => {
                last.stretch.end = stretch.end
            }
            _ => self.stretches.push(Forgotten { file: Arc::downgrade(file), stretch }),
        }
        let much = self.bytes >= FORGOTTEN_BYTES || self.stretches.len() >= FORGOTTEN_MAX;
        much.then(|| std::mem::replace(self, Forgettable::none()).stretches)
    }
}

impl Forgotten {
    fn is_of(&self, file: &Arc<File>) -> bool {
        std::ptr::eq(self.file.as_ptr(), Arc::as_ptr(file))
    }

    /// It is advice: where the kernel does not take it nothing is lost.
    fn advise(&self) {
        let Some(file) = self.file.upgrade() else { return };
        let Range { start, end } = self.stretch;
        let (offset, length) = (start.cast_signed(), (end - start).cast_signed());
        let _ = posix_fadvise(&file, offset, length, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_once_is_forgotten_many_stretches_at_once() {
        let file = || Arc::new(tempfile::tempfile().expect("a file"));
        let (one, other, mut forgettable) = (file(), file(), Forgettable::none());
        assert!(forgettable.add(&one, 0..4096).is_none());
        assert!(forgettable.add(&one, 4096..8192).is_none(), "it goes on");
        assert!(forgettable.add(&other, 8192..9000).is_none());
        let many = forgettable.add(&one, 0..FORGOTTEN_BYTES).expect("it is much");
        let stretches: Vec<_> = many.iter().map(|forgotten| forgotten.stretch.clone()).collect();
        assert_eq!(stretches, [0..8192, 8192..9000, 0..FORGOTTEN_BYTES]);
        assert_eq!((forgettable.stretches.len(), forgettable.bytes), (0, 0));
    }

    #[test]
    fn small_stretches_are_not_gathered_without_end_and_keep_no_file_open() {
        let mut forgettable = Forgettable::none();
        let file = Arc::new(tempfile::tempfile().expect("a file"));
        let gathered = (1..).find_map(|index: u64| forgettable.add(&file, index * 2..index * 2 + 1));
        assert_eq!(gathered.map(|many| many.len()), Some(FORGOTTEN_MAX));
        assert_eq!(Arc::strong_count(&file), 1);
    }
}
