//! Whether a stretch of a file is in the page cache, asked without blocking.
//!
//! `cachestat(2)` (kernel 6.5) counts the resident pages exactly; an older kernel is asked by `preadv2(RWF_NOWAIT)` for the
//! first and the last byte.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

const PAGE_BYTES: u64 = 4096;
const SYS_CACHESTAT: libc::c_long = 451;

/// The kernel's `struct cachestat_range`.
#[repr(C)]
struct CachestatRange {
    offset: u64,
    length: u64,
}

/// The kernel's `struct cachestat`: counts of pages.
#[repr(C)]
#[derive(Default)]
struct Cachestat {
    cache: u64,
    dirty: u64,
    writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

static CACHESTAT_MISSING: AtomicBool = AtomicBool::new(false);

/// Whether every page of the stretch is resident. Errors count as "no": the blocking pool will meet and report them.
pub(super) fn is_resident(file: BorrowedFd<'_>, position: u64, length: u64) -> bool {
    if length == 0 {
        return true;
    }
    if !CACHESTAT_MISSING.load(Ordering::Relaxed) {
        match resident_pages(file, position, length) {
            Ok(pages) => return pages >= pages_of(position, length),
            Err(_) => CACHESTAT_MISSING.store(true, Ordering::Relaxed),
        }
    }
    is_byte_resident(file, position) && is_byte_resident(file, position + length - 1)
}

fn pages_of(position: u64, length: u64) -> u64 {
    (position + length - 1) / PAGE_BYTES - position / PAGE_BYTES + 1
}

fn resident_pages(file: BorrowedFd<'_>, offset: u64, length: u64) -> io::Result<u64> {
    let range = CachestatRange { offset, length };
    let mut stat = Cachestat::default();
    // SAFETY: both structs have the kernel's layout and outlive the call; the descriptor is borrowed, hence open.
    let result = unsafe { libc::syscall(SYS_CACHESTAT, file.as_raw_fd(), &range, &mut stat, 0) };
    if result == 0 { Ok(stat.cache) } else { Err(io::Error::last_os_error()) }
}

fn is_byte_resident(file: BorrowedFd<'_>, position: u64) -> bool {
    let mut byte = 0u8;
    let target = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let Ok(offset) = libc::off_t::try_from(position) else { return false };
    // SAFETY: the vector names one byte that outlives the call.
    unsafe { libc::preadv2(file.as_raw_fd(), &target, 1, offset, libc::RWF_NOWAIT) == 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;

    #[test]
    fn what_was_just_written_is_resident_and_what_was_dropped_is_not() {
        let path = std::env::temp_dir().join(format!("milena-residency-{}", std::process::id()));
        let mut file = std::fs::File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .expect("open");
        file.write_all(&vec![7; 1 << 20]).expect("write");
        assert!(is_resident(file.as_fd(), 0, 1 << 20));
        file.sync_all().expect("sync");
        let advice = nix::fcntl::PosixFadviseAdvice::POSIX_FADV_DONTNEED;
        nix::fcntl::posix_fadvise(&file, 0, 0, advice).expect("advise");
        assert!(!is_resident(file.as_fd(), 0, 1 << 20));
        std::fs::remove_file(path).expect("remove");
    }

    #[test]
    fn a_stretch_across_a_page_boundary_counts_both_pages() {
        assert_eq!(pages_of(4095, 2), 2);
        assert_eq!(pages_of(0, 4096), 1);
    }
}
