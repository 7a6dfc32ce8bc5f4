//! `.lock`: keeps a second process, Apache Kafka's too, out of a log directory.
//!
//! An open-file-description lock is used: it excludes the POSIX lock that Java takes, and, unlike that one, a second
//! broker in the same process. The kernel releases it with the process, however that ends.

use std::fs::{File, OpenOptions};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

use super::LogDirError;
use crate::failure::{Described, IoFailure};

const FILE_NAME: &str = ".lock";

#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    pub(super) fn acquire(directory: &Path) -> Result<DirLock, LogDirError> {
        let path = directory.join(FILE_NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .describe("open", &path)?;
        match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole_file_write_lock())) {
            Ok(_) => Ok(DirLock { _file: file }),
            Err(Errno::EAGAIN | Errno::EACCES) => Err(LogDirError::Locked { path: directory.to_owned() }),
            Err(errno) => Err(IoFailure { action: "lock", path, source: errno.into() }.into()),
        }
    }
}

fn whole_file_write_lock() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}
