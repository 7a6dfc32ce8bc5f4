//! What of a log directory is on the disk, and what is only in the page cache: how long each file was when it was synced
//! last. A power loss cuts what is behind that wherever it pleases, or leaves zeros of some of its sectors: a sector is
//! written as a whole or not at all.
//!
//! Files that are replaced in one step and synced (checkpoints, leader epochs, markers) are always on the disk.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use fastrand::Rng;

/// Lengths that are on the disk; of a file that is not here not even its name is.
#[derive(Default)]
pub struct Disk {
    durable: BTreeMap<PathBuf, u64>,
}

/// What a disk writes as a whole or not at all.
const SECTOR_BYTES: u64 = 512;

/// Files that are appended to, or written without being synced.
const LOSABLE: [&str; 5] = ["log", "index", "timeindex", "txnindex", "snapshot"];

impl Disk {
    /// Every log was flushed. Of producers' snapshots a flush syncs the newest.
    pub fn synced(&mut self, log_dir: &Path) {
        for (path, length) in losable(log_dir) {
            if !is_snapshot(&path) || self.durable.contains_key(&path) || is_newest_snapshot(&path) {
                self.durable.insert(path, length);
            }
        }
        self.shrunk(log_dir);
    }

    /// Files may be shorter than they were, or gone: what is written there from now on is not on the disk.
    pub fn shrunk(&mut self, log_dir: &Path) {
        let lengths: BTreeMap<_, _> = losable(log_dir).collect();
        self.durable.retain(|path, durable| match lengths.get(path) {
            Some(length) => {
                *durable = (*durable).min(*length);
                true
            }
            None => false,
        });
    }

    /// Takes away what is not on the disk, or parts of it. What became of each file.
    pub fn lose_power(&mut self, log_dir: &Path, rng: &mut Rng) -> Vec<String> {
        let mut lost = Vec::new();
        for (path, length) in losable(log_dir) {
            let durable = self.durable.get(&path).copied();
            let what = lose(&path, durable, length, rng).expect("a file in memory");
            if let Some(what) = what {
                lost.push(format!("{}: {what}", path.strip_prefix(log_dir).unwrap_or(&path).display()));
            }
        }
        self.shrunk(log_dir);
        lost
    }
}

fn lose(path: &Path, durable: Option<u64>, length: u64, rng: &mut Rng) -> io::Result<Option<String>> {
    let from = durable.unwrap_or(0);
    if durable.is_some_and(|durable| durable >= length) {
        return Ok(None);
    }
    let at = rng.u64(from..=length);
    let file = || OpenOptions::new().write(true).open(path);
    Ok(match rng.u8(..8) {
        0..2 if durable.is_none() => {
            fs::remove_file(path)?;
            Some("gone".to_owned())
        }
        0..5 => {
            file()?.set_len(at)?;
            Some(format!("cut from {length} to {at}"))
        }
        5..7 => {
            let until = rng.u64(at..=length);
            let (at, until) = sectors(at, until);
            let (at, until) = (at.max(from), until.min(length));
            file()?.write_all_at(&vec![0; (until - at) as usize], at)?;
            Some(format!("zeros from {at} to {until} of {length}"))
        }
        _ => None,
    })
}

/// The sectors that hold these bytes: where they begin and end.
fn sectors(from: u64, until: u64) -> (u64, u64) {
    (from / SECTOR_BYTES * SECTOR_BYTES, until.next_multiple_of(SECTOR_BYTES))
}

/// The files of all partitions, in the order of their paths, with their lengths.
fn losable(log_dir: &Path) -> impl Iterator<Item = (PathBuf, u64)> {
    let folders = entries(log_dir).into_iter().filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| entries(&folder));
    let losable = files.filter(|path| extension(path).is_some_and(|extension| LOSABLE.contains(&extension)));
    losable.filter_map(|path| fs::metadata(&path).ok().map(|found| (path, found.len())))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    paths
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

fn is_snapshot(path: &Path) -> bool {
    extension(path) == Some("snapshot")
}

fn is_newest_snapshot(path: &Path) -> bool {
    let Some(folder) = path.parent() else { return false };
    entries(folder).iter().rfind(|other| is_snapshot(other)).is_some_and(|newest| newest == path)
}
