//! A file of checksummed records that only grows: the embedded metadata store's write-ahead log.
//!
//! ```text
//! file    "MILENA" 0x00 0x01                                     8 bytes, then records
//! record  length u32 | crc32c u32 | synced_to u64 | payload      big-endian; the crc covers all but itself
//! ```
//!
//! `synced_to` is the length of the file that was known to be on the disk when the record was written. It tells a torn
//! tail from damage: records that no sync had covered may be lost to a crash and are cut; a bad record that a later one
//! saw synced was damaged afterwards, and the file is refused.
//!
//! Invariant: after a failed write or sync nothing more is taken, unless the disk was full and the tail was cut back.

use std::fs::{File, OpenOptions};
use std::io::IoSlice;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use nix::sys::uio::pwritev;

use super::atomic::sync_dir;
use crate::failure::{Described, IoFailure};

/// The largest record that may be appended.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

const MAGIC: &[u8; 8] = b"MILENA\x00\x01";
const FRAME_HEADER_BYTES: usize = 16;

/// Why an [`AppendFile`] could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum AppendFileError {
    #[error(transparent)]
    Io(#[from] IoFailure),
    #[error("{} does not begin as a file of this kind does", path.display())]
    ForeignFile { path: PathBuf },
    #[error("{} is damaged at byte {position}: a record that had been synced does not match its checksum", path.display())]
    Damaged { path: PathBuf, position: u64 },
    #[error("a record of {length} bytes exceeds the limit of {MAX_RECORD_BYTES}")]
    RecordTooLarge { length: usize },
    #[error("{} takes nothing more, for an earlier write or sync failed", path.display())]
    Failed { path: PathBuf },
}

/// An append file, open for writing.
#[derive(Debug)]
pub struct AppendFile {
    path: PathBuf,
    file: File,
    length: u64,
    /// Never more than `length`.
    synced_to: u64,
    failed: bool,
}

impl AppendFile {
    /// Opens or creates the file and returns every intact record in order. A torn tail is cut, with a warning.
    pub fn open(path: &Path) -> Result<(AppendFile, Vec<Bytes>), AppendFileError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .describe("open", path)?;
        let content = Bytes::from(std::fs::read(path).describe("read", path)?);
        let mut opened = AppendFile { path: path.to_owned(), file, length: 0, synced_to: 0, failed: false };
        if content.len() < MAGIC.len() {
            opened.begin()?;
            return Ok((opened, Vec::new()));
        }
        let records = opened.replay(&content)?;
        opened.sync()?;
        Ok((opened, records))
    }

    /// Writes one record. It is durable after the next [`AppendFile::sync`].
    pub fn append(&mut self, payload: &[u8]) -> Result<(), AppendFileError> {
        self.refuse_if_failed()?;
        if payload.len() > MAX_RECORD_BYTES {
            return Err(AppendFileError::RecordTooLarge { length: payload.len() });
        }
        let header = frame_header(payload, self.synced_to);
        if let Err(failure) = self.write_at_end(&header, payload) {
            self.failed = !failure.is_disk_full() || self.file.set_len(self.length).is_err();
            return Err(failure.into());
        }
        self.length += (header.len() + payload.len()) as u64;
        Ok(())
    }

    /// Returns once every record appended so far is on the disk.
    pub fn sync(&mut self) -> Result<(), AppendFileError> {
        self.refuse_if_failed()?;
        if let Err(failure) = self.file.sync_data().describe("sync", &self.path) {
            self.failed = true;
            return Err(failure.into());
        }
        self.synced_to = self.length;
        Ok(())
    }

    /// How many bytes the file holds; its owner decides by it when to start a fresh one.
    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn begin(&mut self) -> Result<(), AppendFileError> {
        self.file.set_len(0).describe("truncate", &self.path)?;
        self.file.write_all_at(MAGIC, 0).describe("write to", &self.path)?;
        self.length = MAGIC.len() as u64;
        self.sync()?;
        let directory = self.path.parent().filter(|parent| *parent != Path::new(""));
        Ok(sync_dir(directory.unwrap_or(Path::new(".")))?)
    }

    fn replay(&mut self, content: &Bytes) -> Result<Vec<Bytes>, AppendFileError> {
        if !content.starts_with(MAGIC) {
            return Err(AppendFileError::ForeignFile { path: self.path.clone() });
        }
        let mut records = Vec::new();
        let mut position = MAGIC.len();
        while let Some(frame) = intact_frame(&content[position..]) {
            let start = position + FRAME_HEADER_BYTES;
            position = start + frame.length;
            records.push(content.slice(start..position));
        }
        self.length = position as u64;
        if position < content.len() {
            self.cut_torn_tail(content, position)?;
        }
        Ok(records)
    }

    fn cut_torn_tail(&mut self, content: &[u8], position: usize) -> Result<(), AppendFileError> {
        if was_synced(content, position) {
            return Err(AppendFileError::Damaged { path: self.path.clone(), position: position as u64 });
        }
        tracing::warn!(
            file = %self.path.display(),
            position,
            cut_bytes = content.len() - position,
            "cut a torn tail: its first record is incomplete or does not match its checksum, and was never synced"
        );
        Ok(self.file.set_len(position as u64).describe("truncate", &self.path)?)
    }

    fn write_at_end(&self, header: &[u8], payload: &[u8]) -> Result<(), IoFailure> {
        let parts = [IoSlice::new(header), IoSlice::new(payload)];
        let written = pwritev(&self.file, &parts, self.length as i64).describe("write to", &self.path)?;
        let rest = written.saturating_sub(header.len());
        let at = self.length + written as u64;
        if written < header.len() {
            let missing = [&header[written..], payload].concat();
            return self.file.write_all_at(&missing, at).describe("write to", &self.path);
        }
        self.file.write_all_at(&payload[rest..], at).describe("write to", &self.path)
    }

    fn refuse_if_failed(&self) -> Result<(), AppendFileError> {
        match self.failed {
            true => Err(AppendFileError::Failed { path: self.path.clone() }),
            false => Ok(()),
        }
    }
}

struct Frame {
    length: usize,
    synced_to: u64,
}

fn frame_header(payload: &[u8], synced_to: u64) -> [u8; FRAME_HEADER_BYTES] {
    let length = (payload.len() as u32).to_be_bytes();
    let synced_to = synced_to.to_be_bytes();
    let mut header = [0; FRAME_HEADER_BYTES];
    header[..4].copy_from_slice(&length);
    header[4..8].copy_from_slice(&frame_crc(length, synced_to, payload).to_be_bytes());
    header[8..].copy_from_slice(&synced_to);
    header
}

/// The frame at the start of `bytes`, if all of it is there and matches its checksum.
fn intact_frame(bytes: &[u8]) -> Option<Frame> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (synced_to, rest) = rest.split_first_chunk::<8>()?;
    let payload_length = u32::from_be_bytes(*length) as usize;
    let payload = rest.get(..payload_length).filter(|_| payload_length <= MAX_RECORD_BYTES)?;
    let intact = frame_crc(*length, *synced_to, payload) == u32::from_be_bytes(*crc);
    intact.then_some(Frame { length: payload_length, synced_to: u64::from_be_bytes(*synced_to) })
}

/// Whether some intact record behind the bad one at `position` was written when a sync had already covered the bad one.
fn was_synced(content: &[u8], position: usize) -> bool {
    (position + 1..content.len())
        .filter_map(|start| intact_frame(&content[start..]))
        .any(|frame| frame.synced_to > position as u64)
}

fn frame_crc(length: [u8; 4], synced_to: [u8; 8], payload: &[u8]) -> u32 {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&length);
    digest.update(&synced_to);
    digest.update(payload);
    digest.finalize() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write_records(path: &Path, sync_each: bool) {
        let (mut file, _) = AppendFile::open(path).unwrap();
        for record in [&b"one"[..], b"two", b"", b"four"] {
            file.append(record).unwrap();
            if sync_each {
                file.sync().unwrap();
            }
        }
    }

    fn reopen(path: &Path) -> Result<Vec<Bytes>, AppendFileError> {
        AppendFile::open(path).map(|(_, records)| records)
    }

    #[test]
    fn records_come_back_in_order_and_new_ones_follow() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        write_records(&path, true);
        let (mut file, records) = AppendFile::open(&path).unwrap();
        assert_eq!(records, [&b"one"[..], b"two", b"", b"four"]);
        file.append(b"five").unwrap();
        assert_eq!(reopen(&path).unwrap().len(), 5);
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_cut_to_the_last_whole_record() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        write_records(&path, true);
        let whole = fs::read(&path).unwrap();
        for length in (0..whole.len()).rev() {
            fs::write(&path, &whole[..length]).unwrap();
            let records = reopen(&path).unwrap();
            assert!(records.len() < 4, "a cut at {length} loses at least the last record");
            assert_eq!(reopen(&path).unwrap(), records, "what was kept stays");
        }
    }

    #[test]
    fn a_damaged_record_is_an_error_once_it_was_synced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        write_records(&path, true);
        let whole = fs::read(&path).unwrap();
        let second_record_ends = MAGIC.len() + 2 * (FRAME_HEADER_BYTES + 3);
        for position in MAGIC.len()..second_record_ends {
            let mut damaged = whole.clone();
            damaged[position] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert!(matches!(reopen(&path), Err(AppendFileError::Damaged { .. })), "byte {position}");
        }
    }

    #[test]
    fn records_that_no_sync_covered_may_be_lost_in_the_middle() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        write_records(&path, false);
        let mut torn = fs::read(&path).unwrap();
        torn[MAGIC.len() + FRAME_HEADER_BYTES] ^= 1;
        fs::write(&path, &torn).unwrap();
        assert_eq!(reopen(&path).unwrap().len(), 0);
    }

    #[test]
    fn a_foreign_file_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        fs::write(&path, "something else entirely").unwrap();
        assert!(matches!(reopen(&path), Err(AppendFileError::ForeignFile { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"something else entirely");
    }
}
