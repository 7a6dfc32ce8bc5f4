//! Replaces a whole file so that a reader, or a crash, meets either the old content or the new, never a mixture.
//!
//! Write `{path}.tmp`, fsync it, rename it over `path`, fsync the directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::failure::{Described, IoFailure};

/// New content for a file, written beside it and not yet in its place.
#[derive(Debug)]
pub(crate) struct Staged {
    temporary: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Writes the content, which need not be on the disk yet.
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<Staged, IoFailure> {
        let temporary = temporary_beside(path);
        fs::write(&temporary, bytes).describe("write to", &temporary)?;
        Ok(Staged { temporary, path: path.to_owned() })
    }

    pub(crate) fn sync(&self) -> Result<(), IoFailure> {
        let file = File::open(&self.temporary).describe("open", &self.temporary)?;
        file.sync_all().describe("sync", &self.temporary)
    }

    /// Puts the content in its place. It must be on the disk by now, or a crash may leave an empty file there.
    pub(crate) fn publish(self) -> Result<(), IoFailure> {
        fs::rename(&self.temporary, &self.path).describe("rename a new file to", &self.path)
    }
}

/// Puts `bytes` at `path` durably and in one step.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), IoFailure> {
    let staged = Staged::write(path, bytes)?;
    staged.sync()?;
    staged.publish()?;
    sync_parent(path)
}

/// Removes the file at `path`, if it is there, so that it stays away after a crash.
pub fn remove_durably(path: &Path) -> Result<(), IoFailure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => {
            outcome.describe("remove", path)?;
            sync_parent(path)
        }
    }
}

/// Makes creations, renames and removals of directory entries durable.
pub fn sync_dir(directory: &Path) -> Result<(), IoFailure> {
    let handle = File::open(directory).describe("open directory", directory)?;
    handle.sync_all().describe("sync directory", directory)
}

/// Makes everything durable that was written to the file system of `directory`: one call where many files are due.
pub fn sync_file_system(directory: &Path) -> Result<(), IoFailure> {
    let handle = File::open(directory).describe("open directory", directory)?;
    nix::unistd::syncfs(&handle).describe("sync the file system of", directory)
}

fn sync_parent(path: &Path) -> Result<(), IoFailure> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoint");
        write_atomically(&path, b"first, and longer").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        remove_durably(&path).unwrap();
        remove_durably(&path).unwrap();
        assert!(!path.exists());
    }
}
