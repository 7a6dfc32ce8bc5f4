//! One index: the newest entries in memory, all but the very newest on the disk.
//!
//! ```text
//!  0            first_recent      on_file              len
//!  ├── on the disk ──┼── in both ────┼── not yet written ─┤
//! ```
//!
//! Those who follow the end of the log are answered from memory; who reads further back costs a few `pread`s. Nothing
//! is mapped: a bad sector under a map would kill the process, under a `pread` it is an error of one log directory.
//! The owner writes what is pending before it counts the segment as flushed; recovery makes the rest anew.
//!
//! Invariant: `first_recent ≤ on_file ≤ first_recent + recent.len()`.

use std::sync::Arc;

use super::entries::{IndexEntry, sound_prefix};
use crate::failure::IoFailure;
use crate::files::SegmentFile;

/// How many entries stay in memory when older ones are let go; twice as many may gather before that.
const RECENT_MAX: usize = 256;

/// How many bytes of the file a search reads at once when it has narrowed down to them.
const SEARCH_WINDOW_BYTES: usize = 4096;

#[derive(Clone, Debug)]
pub(crate) struct IndexFile<E> {
    file: Arc<SegmentFile>,
    on_file: usize,
    first_recent: usize,
    recent: Vec<E>,
}

impl<E: IndexEntry> IndexFile<E> {
    /// Creates an empty index.
    pub(crate) fn create(file: Arc<SegmentFile>) -> Result<IndexFile<E>, IoFailure> {
        file.create()?;
        Ok(IndexFile { file, on_file: 0, first_recent: 0, recent: Vec::new() })
    }

    /// Takes the file as it is; `None` if it is missing or no whole number of entries.
    pub(crate) fn open(file: Arc<SegmentFile>) -> Result<Option<IndexFile<E>>, IoFailure> {
        let whole = |length: &u64| length.is_multiple_of(E::BYTES as u64);
        let Some(length) = file.length()?.filter(whole) else { return Ok(None) };
        let on_file = length as usize / E::BYTES;
        Ok(Some(IndexFile { file, on_file, first_recent: on_file, recent: Vec::new() }))
    }

    pub(crate) fn file(&self) -> &Arc<SegmentFile> {
        &self.file
    }

    pub(crate) fn len(&self) -> usize {
        self.first_recent + self.recent.len()
    }

    pub(crate) fn last(&self) -> Result<Option<E>, IoFailure> {
        self.len().checked_sub(1).map(|last| self.get(last)).transpose()
    }

    pub(crate) fn get(&self, index: usize) -> Result<E, IoFailure> {
        match index.checked_sub(self.first_recent) {
            Some(recent) => Ok(self.recent[recent]),
            None => Ok(E::decode(&self.read(index, 1)?)),
        }
    }

    /// Whether the last entry is one that may stand behind the first.
    pub(crate) fn grows(&self) -> Result<bool, IoFailure> {
        match self.last()? {
            Some(last) if self.len() > 1 => Ok(last.follows(self.get(0)?)),
            _ => Ok(true),
        }
    }

    /// Reads the last entry into memory, so that neither [`IndexFile::last`] nor what follows a write can fail.
    pub(crate) fn warm(&mut self) -> Result<(), IoFailure> {
        if self.recent.is_empty()
            && let Some(last) = self.last()?
        {
            self.recent.push(last);
            self.first_recent -= 1;
        }
        Ok(())
    }

    /// The last entry of a [`warm`](IndexFile::warm) index.
    pub(crate) fn last_in_memory(&self) -> Option<E> {
        debug_assert!(!self.recent.is_empty() || self.len() == 0, "the index is cold");
        self.recent.last().copied()
    }

    /// Adds an entry in memory. [`IndexFile::make_room`] should follow now and then.
    pub(crate) fn push(&mut self, entry: E) {
        debug_assert!(self.recent.last().is_none_or(|&last| entry.follows(last)), "{entry:?} does not grow");
        self.recent.push(entry);
    }

    /// Keeps the memory bounded: writes out and lets go of older entries once many have gathered.
    pub(crate) fn make_room(&mut self) -> Result<(), IoFailure> {
        if self.recent.len() >= 2 * RECENT_MAX {
            self.write_pending()?;
            let older = self.recent.len() - RECENT_MAX;
            self.recent.drain(..older);
            self.first_recent += older;
        }
        Ok(())
    }

    /// Writes the entries that are only in memory.
    pub(crate) fn write_pending(&mut self) -> Result<(), IoFailure> {
        let pending = &self.recent[self.on_file - self.first_recent..];
        if pending.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(pending.len() * E::BYTES);
        pending.iter().for_each(|entry| entry.encode(&mut bytes));
        self.file.write_at(&bytes, (self.on_file * E::BYTES) as u64)?;
        self.on_file = self.len();
        Ok(())
    }

    /// Lets go of all entries that are on the disk.
    pub(crate) fn release(&mut self) {
        let written = self.on_file - self.first_recent;
        self.recent.drain(..written);
        self.recent.shrink_to_fit();
        self.first_recent = self.on_file;
    }

    /// Keeps the first `len` entries.
    pub(crate) fn truncate(&mut self, len: usize) -> Result<(), IoFailure> {
        if self.on_file > len {
            self.file.truncate((len * E::BYTES) as u64)?;
            self.on_file = len;
        }
        self.first_recent = self.first_recent.min(len);
        self.recent.truncate(len - self.first_recent);
        Ok(())
    }

    /// Keeps the first entries as far as they grow and are `sound`.
    pub(crate) fn keep_sound_prefix(&mut self, sound: impl Fn(E) -> bool) -> Result<(), IoFailure> {
        let (mut kept, mut earlier) = (0, None);
        while kept < self.on_file {
            let count = (self.on_file - kept).min(SEARCH_WINDOW_BYTES);
            let bytes = self.read(kept, count)?;
            let found = sound_prefix(&bytes, earlier, &sound);
            kept += found;
            if found < count {
                break;
            }
            earlier = Some(E::decode(&bytes[bytes.len() - E::BYTES..]));
        }
        self.truncate(kept)
    }

    /// How many entries, from the first on, satisfy `before`; all others must not.
    pub(crate) fn partition_point(&self, before: impl Fn(E) -> bool) -> Result<usize, IoFailure> {
        if self.recent.first().is_some_and(|&first| before(first)) {
            return Ok(self.first_recent + self.recent.partition_point(|&entry| before(entry)));
        }
        let (mut low, mut high) = (0, self.first_recent);
        while (high - low) * E::BYTES > SEARCH_WINDOW_BYTES {
            let middle = low + (high - low) / 2;
            if before(self.get(middle)?) { low = middle + 1 } else { high = middle }
        }
        let bytes = self.read(low, high - low)?;
        Ok(low + bytes.chunks_exact(E::BYTES).take_while(|entry| before(E::decode(entry))).count())
    }

    fn read(&self, first: usize, count: usize) -> Result<Vec<u8>, IoFailure> {
        let mut bytes = vec![0; count * E::BYTES];
        if count > 0 {
            self.file.read_exact_at(&mut bytes, (first * E::BYTES) as u64)?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{FileCache, FileKind, FileName, LogHome};
    use crate::index::OffsetEntry;
    use protocol::types::Offset;

    fn index(directory: &std::path::Path) -> IndexFile<OffsetEntry> {
        let home = LogHome::new(directory.to_owned(), Arc::new(FileCache::default()));
        IndexFile::create(SegmentFile::new(&home, FileName::of(Offset(0), FileKind::OffsetIndex))).unwrap()
    }

    fn entry(n: usize) -> OffsetEntry {
        OffsetEntry { relative_offset: n as u32 * 10, position: n as u32 * 4096 + 1 }
    }

    fn check(index: &IndexFile<OffsetEntry>, len: usize) {
        assert_eq!(index.len(), len);
        for n in 0..len {
            let found = index.partition_point(|e| e.relative_offset <= entry(n).relative_offset + 3).unwrap();
            assert_eq!(found, n + 1);
        }
        assert_eq!(index.last().unwrap(), len.checked_sub(1).map(entry));
    }

    #[test]
    fn entries_are_found_wherever_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let mut index = index(directory.path());
        for n in 0..3000 {
            index.push(entry(n));
            index.make_room().unwrap();
            assert!(index.recent.len() < 2 * RECENT_MAX);
        }
        check(&index, 3000);
        for len in [2900, 2600, 100, 0] {
            index.truncate(len).unwrap();
            check(&index, len);
        }
    }

    #[test]
    fn what_was_written_is_there_after_opening_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut written = index(directory.path());
        (0..700).for_each(|n| written.push(entry(n)));
        written.write_pending().unwrap();
        written.release();
        check(&written, 700);
        written.push(entry(700));
        check(&written, 701);
        let reopened = IndexFile::open(written.file.clone()).unwrap().unwrap();
        check(&reopened, 700);
    }

    #[test]
    fn only_the_sound_prefix_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let mut written = index(directory.path());
        (0..5000).for_each(|n| written.push(entry(n)));
        written.write_pending().unwrap();
        written.file.truncate(10 << 20).unwrap();
        let mut preallocated = IndexFile::open(written.file.clone()).unwrap().unwrap();
        preallocated.keep_sound_prefix(|_| true).unwrap();
        check(&preallocated, 5000);
        preallocated.keep_sound_prefix(|e| e.relative_offset < 100).unwrap();
        check(&preallocated, 10);
        written.file.truncate(17).unwrap();
        assert!(IndexFile::<OffsetEntry>::open(written.file.clone()).unwrap().is_none());
    }
}
