//! Keeps a bounded number of files open for all logs of the process: the least recently used one is closed first.
//!
//! Only idle files are here. A log pins the file that it appends to, and whoever holds an `Arc` of an evicted file may
//! finish with it; the descriptor goes when the last one lets go.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Open files by key. Shared by every log of the process.
#[derive(Debug)]
pub struct FileCache {
    capacity: usize,
    next_key: AtomicU64,
    open: Mutex<Open>,
}

/// Invariant: `by_use` maps the `last_use` of every entry of `by_key` back to its key.
#[derive(Debug, Default)]
struct Open {
    by_key: HashMap<u64, Entry>,
    by_use: BTreeMap<u64, u64>,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    file: Arc<File>,
    last_use: u64,
}

impl FileCache {
    /// How many files are kept open where nobody says otherwise.
    pub const DEFAULT_CAPACITY: usize = 1024;

    pub fn new(capacity: usize) -> FileCache {
        FileCache { capacity: capacity.max(1), next_key: AtomicU64::new(0), open: Mutex::default() }
    }

    /// How many descriptors the cache itself holds.
    pub fn open_files(&self) -> usize {
        self.open.lock().by_key.len()
    }

    /// A key that no other file has.
    pub(crate) fn new_key(&self) -> u64 {
        self.next_key.fetch_add(1, Ordering::Relaxed)
    }

    /// The file under `key`, opened if it is not open. When descriptors have run out, half of the cache is closed and
    /// the opening tried once more.
    pub(crate) fn get_or_open(&self, key: u64, open: impl Fn() -> io::Result<File>) -> io::Result<Arc<File>> {
        if let Some(file) = self.open.lock().get(key) {
            return Ok(file);
        }
        let opened = match open() {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                self.shrink_to(self.capacity.min(self.open_files()) / 2);
                open()
            }
            outcome => outcome,
        };
        let file = Arc::new(opened?);
        self.insert(key, file.clone());
        Ok(file)
    }

    pub(crate) fn insert(&self, key: u64, file: Arc<File>) {
        let replaced = self.open.lock().insert(key, file);
        drop(replaced);
        self.shrink_to(self.capacity);
    }

    pub(crate) fn remove(&self, key: u64) {
        let removed = self.open.lock().remove(key);
        drop(removed);
    }

    fn shrink_to(&self, count: usize) {
        loop {
            let evicted = self.open.lock().evict_beyond(count);
            if evicted.is_none() {
                return;
            }
        }
    }
}

impl Default for FileCache {
    fn default() -> FileCache {
        FileCache::new(FileCache::DEFAULT_CAPACITY)
    }
}

impl Open {
    fn get(&mut self, key: u64) -> Option<Arc<File>> {
        let entry = self.by_key.get_mut(&key)?;
        self.uses += 1;
        self.by_use.remove(&entry.last_use);
        self.by_use.insert(self.uses, key);
        entry.last_use = self.uses;
        Some(entry.file.clone())
    }

    fn insert(&mut self, key: u64, file: Arc<File>) -> Option<Arc<File>> {
        let replaced = self.remove(key);
        self.uses += 1;
        self.by_use.insert(self.uses, key);
        self.by_key.insert(key, Entry { file, last_use: self.uses });
        replaced
    }

    fn remove(&mut self, key: u64) -> Option<Arc<File>> {
        let entry = self.by_key.remove(&key)?;
        self.by_use.remove(&entry.last_use);
        Some(entry.file)
    }

    fn evict_beyond(&mut self, count: usize) -> Option<Arc<File>> {
        if self.by_key.len() <= count {
            return None;
        }
        let oldest = *self.by_use.first_key_value()?.1;
        self.remove(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_file_is_closed_first() {
        let cache = FileCache::new(2);
        let opened = Mutex::new(Vec::new());
        let open = |key: u64| {
            let opening = || {
                opened.lock().push(key);
                File::open("/dev/null")
            };
            cache.get_or_open(key, opening).unwrap();
        };
        for key in [1, 2, 1, 3, 1, 2] {
            open(key);
        }
        assert_eq!(*opened.lock(), [1, 2, 3, 2], "2 was closed for 3, then opened again");
        assert_eq!(cache.open_files(), 2);
        cache.remove(1);
        assert_eq!(cache.open_files(), 1);
    }

    #[test]
    fn running_out_of_descriptors_closes_half_and_tries_again() {
        let cache = FileCache::new(10);
        for key in 0..10 {
            cache.get_or_open(key, || File::open("/dev/null")).unwrap();
        }
        let failures = Mutex::new(1);
        let open = || match std::mem::replace(&mut *failures.lock(), 0) {
            0 => File::open("/dev/null"),
            _ => Err(io::Error::from_raw_os_error(libc::EMFILE)),
        };
        cache.get_or_open(99, open).unwrap();
        assert_eq!(cache.open_files(), 6);
    }
}
