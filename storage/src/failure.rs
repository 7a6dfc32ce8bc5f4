//! One failed call to the file system: what was tried, on which path, and what the kernel said.

use std::io;
use std::path::{Path, PathBuf};

/// A file operation that failed. After one on a write or an fsync the log directory may not be trusted (safety rule 12),
/// unless [`IoFailure::is_exhaustion`] says that merely something ran out.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct IoFailure {
    /// A verb and, where needed, its object: "write to", "rename".
    pub action: &'static str,
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl IoFailure {
    /// Whether the kernel refused for want of room: the operation may be tried again once there is some.
    pub fn is_disk_full(&self) -> bool {
        matches!(self.source.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
    }

    /// Whether the process or the machine has run out of descriptors, which says nothing about the disk.
    pub fn is_out_of_descriptors(&self) -> bool {
        matches!(self.source.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
    }

    /// Whether something ran out that may come back, so that the disk is not to blame.
    pub fn is_exhaustion(&self) -> bool {
        self.is_disk_full() || self.is_out_of_descriptors()
    }

    /// Whether the file is simply not there.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// For the logs that share one failed call.
impl Clone for IoFailure {
    fn clone(&self) -> IoFailure {
        let source = match self.source.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(self.source.kind(), self.source.to_string()),
        };
        IoFailure { action: self.action, path: self.path.clone(), source }
    }
}

/// Gives an `io::Error` the words that it lacks.
pub(crate) trait Described<T> {
    fn describe(self, action: &'static str, path: &Path) -> Result<T, IoFailure>;
}

impl<T> Described<T> for io::Result<T> {
    fn describe(self, action: &'static str, path: &Path) -> Result<T, IoFailure> {
        self.map_err(|source| IoFailure { action, path: path.to_owned(), source })
    }
}

impl<T> Described<T> for nix::Result<T> {
    fn describe(self, action: &'static str, path: &Path) -> Result<T, IoFailure> {
        self.map_err(|errno| IoFailure { action, path: path.to_owned(), source: errno.into() })
    }
}
