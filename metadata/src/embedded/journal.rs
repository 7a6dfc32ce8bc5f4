//! The store on disk: `metadata.log`, a snapshot followed by every batch since, each appended before it is applied.
//!
//! Grown large, the journal is written anew as a snapshot under another name and then renamed: a crash meets the old one
//! or the new one, whole.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use storage::IoFailure;
use storage::durable::{AppendFile, AppendFileError, remove_durably, sync_dir};

use super::OpenError;
use super::record::{Record, decode, encode_batch, encode_snapshot};
use super::state::{Batch, State};
use crate::store::WatchEvent;

const FILE_NAME: &str = "metadata.log";
const NEXT_FILE_NAME: &str = "metadata.log.next";
const LOCK_FILE_NAME: &str = ".lock";
/// A journal below this size is left as it is.
const COMPACT_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// A journal is written anew once it is so many times as large as its snapshot was.
const COMPACT_GROWTH: u64 = 4;
/// Entries of one snapshot record.
const SNAPSHOT_ENTRIES: usize = 1000;

pub(super) struct Journal {
    directory: PathBuf,
    file: AppendFile,
    compact_at: u64,
    /// Locked until the journal is dropped or the process ends: two writers would destroy it.
    _lock: File,
}

impl Journal {
    /// Opens or creates the journal and reads what it holds. Keys under leases of an earlier process are deleted.
    pub fn open(directory: &Path, events_max: usize) -> Result<(Journal, State), OpenError> {
        std::fs::create_dir_all(directory).map_err(failed("create directory", directory))?;
        let lock = acquire_lock(directory)?;
        remove_durably(&directory.join(NEXT_FILE_NAME))?;
        let (file, records) = AppendFile::open(&directory.join(FILE_NAME))?;
        let mut state = State::new(events_max);
        for (at, record) in records.into_iter().enumerate() {
            let unreadable = || OpenError::Record { path: file.path().to_owned(), at };
            replay(decode(record).ok_or_else(unreadable)?, &mut state);
        }
        let directory = directory.to_owned();
        let mut journal = Journal { directory, file, compact_at: COMPACT_BYTES_MIN, _lock: lock };
        journal.delete_leased_keys(&mut state)?;
        state.history.begin_at(state.revision() + 1);
        Ok((journal, state))
    }

    fn delete_leased_keys(&mut self, state: &mut State) -> Result<(), OpenError> {
        let deletion = state.deletion_of_leased_keys();
        if !deletion.events.is_empty() {
            self.append(&deletion)?;
            self.sync()?;
            state.apply(deletion);
        }
        Ok(())
    }

    /// Writes a batch; durable after [`Journal::sync`].
    pub fn append(&mut self, batch: &Batch) -> Result<(), AppendFileError> {
        self.file.append(&encode_batch(batch))
    }

    pub fn sync(&mut self) -> Result<(), AppendFileError> {
        self.file.sync()
    }

    pub fn wants_compaction(&self) -> bool {
        self.file.length() > self.compact_at
    }

    /// Replaces the journal by a snapshot of `state`, which must hold exactly what was appended. Where there is no room
    /// for a second one, the old journal stays.
    pub fn compact(&mut self, state: &State) -> Result<(), OpenError> {
        let next = self.directory.join(NEXT_FILE_NAME);
        let file = match write_snapshot(&next, state) {
            Ok(file) => file,
            Err(failure) => {
                tracing::warn!(%failure, "the metadata journal could not be compacted");
                self.compact_at = COMPACT_GROWTH * self.file.length();
                return Ok(());
            }
        };
        let path = self.directory.join(FILE_NAME);
        std::fs::rename(&next, &path).map_err(failed("rename a new journal to", &path))?;
        sync_dir(&self.directory)?;
        self.compact_at = COMPACT_BYTES_MIN.max(COMPACT_GROWTH * file.length());
        self.file = file;
        Ok(())
    }
}

fn acquire_lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join(LOCK_FILE_NAME);
    let file = File::create(&path).map_err(failed("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
        Err(TryLockError::Error(source)) => Err(failed("lock", &path)(source).into()),
    }
}

fn write_snapshot(path: &Path, state: &State) -> Result<AppendFile, OpenError> {
    remove_durably(path)?;
    let (mut file, _) = AppendFile::open(path)?;
    for record in snapshot_records(state) {
        file.append(&record)?;
    }
    file.sync()?;
    Ok(file)
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> IoFailure {
    let path = path.to_owned();
    move |source| IoFailure { action, path, source }
}

fn replay(record: Record, state: &mut State) {
    match record {
        Record::Batch(batch) => state.apply(batch),
        Record::Snapshot(snapshot) => state.restore(snapshot),
    }
}

/// At least one record, so that the revision is never lost.
fn snapshot_records(state: &State) -> impl Iterator<Item = Vec<u8>> {
    let mut entries = state.entries().cloned().map(WatchEvent::Put);
    let revision = state.revision();
    let mut first = true;
    std::iter::from_fn(move || {
        let events: Vec<WatchEvent> = entries.by_ref().take(SNAPSHOT_ENTRIES).collect();
        let wanted = std::mem::take(&mut first) || !events.is_empty();
        wanted.then(|| encode_snapshot(&Batch { revision, events }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LeaseId, Operation};

    fn put(journal: &mut Journal, state: &mut State, key: &str, value: &str) {
        let (key, value) = (key.as_bytes().to_vec(), value.as_bytes().to_vec());
        let batch = state.decide(&[], vec![Operation::Put { key, value, lease: LeaseId::NONE }]);
        let batch = batch.unwrap().unwrap();
        journal.append(&batch).unwrap();
        state.apply(batch);
    }

    fn entries(state: &State) -> Vec<crate::store::KeyValue> {
        state.entries().cloned().collect()
    }

    #[test]
    fn a_journal_reads_back_before_and_after_compaction() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, mut state) = Journal::open(directory.path(), 10).unwrap();
        for n in 0..2500 {
            put(&mut journal, &mut state, &format!("key-{}", n % 1700), &n.to_string());
        }
        assert!(matches!(Journal::open(directory.path(), 10), Err(OpenError::Locked { .. })));
        drop(journal);
        let (mut journal, read) = Journal::open(directory.path(), 10).unwrap();
        assert_eq!((entries(&read), read.revision()), (entries(&state), state.revision()));
        let before = journal.file.length();
        journal.compact(&state).unwrap();
        assert!(journal.file.length() < before);
        put(&mut journal, &mut state, "after", "compaction");
        drop(journal);
        let (_, read) = Journal::open(directory.path(), 10).unwrap();
        assert_eq!((entries(&read), read.revision()), (entries(&state), state.revision()));
    }

    #[test]
    fn the_revision_of_an_emptied_store_survives_compaction() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, mut state) = Journal::open(directory.path(), 10).unwrap();
        put(&mut journal, &mut state, "key", "value");
        let deletion = state.decide(&[], vec![Operation::Delete { key: b"key".to_vec() }]).unwrap().unwrap();
        state.apply(deletion);
        journal.compact(&state).unwrap();
        drop(journal);
        assert_eq!(Journal::open(directory.path(), 10).unwrap().1.revision(), 3);
    }

    #[test]
    fn a_journal_that_another_wrote_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (mut file, _) = AppendFile::open(&directory.path().join(FILE_NAME)).unwrap();
        file.append(b"\x07 from the future").unwrap();
        file.sync().unwrap();
        assert!(matches!(Journal::open(directory.path(), 10), Err(OpenError::Record { at: 0, .. })));
    }
}
