//! One file of one segment, by name rather than by descriptor: opened when needed, closed when others need it more,
//! followed through the renaming of itself and of its directory.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use parking_lot::{Mutex, RwLock};
use protocol::types::Offset;

use super::{FileCache, FileKind, FileName, Marker};
use crate::failure::{Described, IoFailure};

/// Where the files of one log lie, and the cache that keeps some of them open.
#[derive(Debug)]
pub(crate) struct LogHome {
    directory: RwLock<PathBuf>,
    cache: Arc<FileCache>,
}

impl LogHome {
    pub(crate) fn new(directory: PathBuf, cache: Arc<FileCache>) -> Arc<LogHome> {
        Arc::new(LogHome { directory: RwLock::new(directory), cache })
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.read().clone()
    }

    pub(crate) fn path_of(&self, name: FileName) -> PathBuf {
        self.directory.read().join(name.to_string())
    }

    /// Renames the directory; files opened by name from now on are looked for under the new one.
    pub(crate) fn rename(&self, to: PathBuf) -> Result<(), IoFailure> {
        let mut directory = self.directory.write();
        fs::rename(&*directory, &to).describe("rename directory", &directory)?;
        *directory = to;
        Ok(())
    }
}

/// A file of a segment. A reader of the log holds it by `Arc` and asks for the descriptor when it is about to send.
#[derive(Debug)]
pub struct SegmentFile {
    home: Arc<LogHome>,
    base_offset: Offset,
    kind: FileKind,
    cache_key: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    marker: Marker,
    /// Whoever still holds the file by name must not meet a later one of the same name.
    removed: bool,
    /// Set while the log appends to this file, so that it stays open.
    pinned: Option<Arc<File>>,
}

impl SegmentFile {
    pub(crate) fn new(home: &Arc<LogHome>, name: FileName) -> Arc<SegmentFile> {
        let FileName { offset: base_offset, kind, marker } = name;
        let state = Mutex::new(State { marker, removed: false, pinned: None });
        let cache_key = home.cache.new_key();
        Arc::new(SegmentFile { home: home.clone(), base_offset, kind, cache_key, state })
    }

    /// The open file. It stays valid while the `Arc` is held, even if the segment is deleted meanwhile.
    pub fn descriptor(&self) -> Result<Arc<File>, IoFailure> {
        self.open_with(OpenOptions::new().read(true).write(true))
    }

    pub fn path(&self) -> PathBuf {
        self.path_under(self.state.lock().marker)
    }

    /// Creates the file, empty; an old file of that name is emptied.
    pub(crate) fn create(&self) -> Result<(), IoFailure> {
        self.home.cache.remove(self.cache_key);
        self.state.lock().removed = false;
        self.open_with(OpenOptions::new().read(true).write(true).create(true).truncate(true))?;
        Ok(())
    }

    /// Keeps the file open until [`SegmentFile::unpin`].
    pub(crate) fn pin(&self) -> Result<Arc<File>, IoFailure> {
        if let Some(file) = &self.state.lock().pinned {
            return Ok(file.clone());
        }
        let file = self.descriptor()?;
        self.home.cache.remove(self.cache_key);
        self.state.lock().pinned = Some(file.clone());
        Ok(file)
    }

    pub(crate) fn unpin(&self) {
        if let Some(file) = self.state.lock().pinned.take() {
            self.home.cache.insert(self.cache_key, file);
        }
    }

    /// Bytes of the file; `None` if it does not exist.
    pub(crate) fn length(&self) -> Result<Option<u64>, IoFailure> {
        let path = self.path();
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            outcome => outcome.map(|_| None).describe("inspect", &path),
        }
    }

    /// When the file was last written, in milliseconds since 1970.
    pub(crate) fn modified_ms(&self) -> Result<i64, IoFailure> {
        let path = self.path();
        let modified =
            fs::metadata(&path).and_then(|metadata| metadata.modified()).describe("inspect", &path)?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Fills `buffer` from `position` on as far as the file goes, and says how far that was.
    pub(crate) fn read_at(&self, buffer: &mut [u8], position: u64) -> Result<usize, IoFailure> {
        let file = self.descriptor()?;
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read_at(&mut buffer[filled..], position + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failure("read", source)),
            }
        }
        Ok(filled)
    }

    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], position: u64) -> Result<(), IoFailure> {
        match self.read_at(buffer, position)? == buffer.len() {
            true => Ok(()),
            false => Err(self.failure("read", io::ErrorKind::UnexpectedEof.into())),
        }
    }

    pub(crate) fn write_at(&self, bytes: &[u8], position: u64) -> Result<(), IoFailure> {
        self.descriptor()?.write_all_at(bytes, position).map_err(|source| self.failure("write to", source))
    }

    pub(crate) fn truncate(&self, length: u64) -> Result<(), IoFailure> {
        self.descriptor()?.set_len(length).map_err(|source| self.failure("truncate", source))
    }

    /// Takes room on the disk for a file of so many bytes, and leaves it as long as it is. Not every file system can.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<(), IoFailure> {
        let file = self.descriptor()?;
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        match fallocate(&*file, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, bytes) {
            Ok(()) | Err(Errno::EOPNOTSUPP) => Ok(()),
            Err(errno) => Err(self.failure("reserve room for", errno.into())),
        }
    }

    /// Puts what was written on the disk. A file that was purged meanwhile has nothing left to put there.
    pub(crate) fn sync(&self) -> Result<(), IoFailure> {
        match self.descriptor() {
            Ok(file) => file.sync_data().map_err(|source| self.failure("sync", source)),
            Err(failure) if failure.is_not_found() => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Gives the file its `.deleted` name. Those who read it go on; a missing file is no error.
    pub(crate) fn mark_deleted(&self) -> Result<(), IoFailure> {
        let mut state = self.state.lock();
        let (from, to) = (self.path_under(state.marker), self.path_under(Marker::Deleted));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).describe("rename", &from),
            _ => {
                state.marker = Marker::Deleted;
                state.pinned = None;
                Ok(())
            }
        }
    }

    /// Removes the file from the disk; a missing one is no error.
    pub(crate) fn remove(&self) -> Result<(), IoFailure> {
        let mut state = self.state.lock();
        state.pinned = None;
        state.removed = true;
        self.home.cache.remove(self.cache_key);
        remove_if_there(&self.path_under(state.marker))
    }

    pub(crate) fn failure(&self, action: &'static str, source: io::Error) -> IoFailure {
        IoFailure { action, path: self.path(), source }
    }

    fn open_with(&self, options: &OpenOptions) -> Result<Arc<File>, IoFailure> {
        let state = self.state.lock();
        if let Some(file) = &state.pinned {
            return Ok(file.clone());
        }
        let path = self.path_under(state.marker);
        if state.removed {
            return Err(io::Error::from_raw_os_error(libc::ENOENT)).describe("open", &path);
        }
        self.home.cache.get_or_open(self.cache_key, || options.open(&path)).describe("open", &path)
    }

    fn path_under(&self, marker: Marker) -> PathBuf {
        self.home.path_of(FileName::of(self.base_offset, self.kind).with_marker(marker))
    }
}

impl Drop for SegmentFile {
    fn drop(&mut self) {
        self.home.cache.remove(self.cache_key);
    }
}

/// Removes a file; a missing one is no error.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), IoFailure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome.describe("remove", path),
    }
}
