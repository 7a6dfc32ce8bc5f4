//! What a crash, a bad disk or a killed Apache Kafka leave behind in the files of a log that was not closed.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use protocol::records::{RecordBatch, batches};
use protocol::types::Offset;

use super::expected::Expected;

/// Bytes of a batch that its checksum does not cover and that nobody could miss: its base offset and epoch.
const UNCOVERED: [std::ops::Range<usize>; 2] = [0..8, 12..16];

/// Tears the log, or flips a bit of it, somewhere past `recovery_point`. Returns what must be left of it.
pub fn damage_log(
    directory: &Path,
    recovery_point: Offset,
    expected: &Expected,
    rng: &mut fastrand::Rng,
) -> Expected {
    let victims = unflushed_batches(directory, recovery_point);
    let Some((path, position, batch)) = rng.choice(victims) else { return expected.clone() };
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let within = rng.usize(0..batch.size_in_bytes());
    if rng.bool() {
        file.set_len(position + within as u64).unwrap();
        let rubbish = rubbish(&batch.to_bytes()[within..], rng);
        file.write_all_at(&rubbish, position + within as u64).unwrap();
    } else if UNCOVERED.iter().any(|range| range.contains(&within)) {
        return expected.clone();
    } else {
        let mut byte = [0];
        file.read_exact_at(&mut byte, position + within as u64).unwrap();
        file.write_all_at(&[byte[0] ^ (1 << rng.u32(0..8))], position + within as u64).unwrap();
    }
    let mut left = expected.clone();
    let base_offset = batch.header.base_offset;
    left.batches.retain(|batch| batch.base_offset() < base_offset);
    let last = left.batches.last().map_or(Offset(0), |batch| batch.last_offset() + 1);
    left.log_end_offset = last.max(base_of(&path));
    if left.log_end_offset < left.log_start_offset {
        left.restart_at(left.log_start_offset);
    }
    left
}

/// What lies behind a tear: nothing, zeros, or old bytes, for blocks that were never written; but not what is `lost`.
fn rubbish(lost: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    let length = rng.usize(0..200);
    let rubbish: Vec<u8> = match rng.u8(0..3) {
        0 => Vec::new(),
        1 => vec![0; length],
        _ => (0..length).map(|_| rng.u8(..)).collect(),
    };
    if rubbish.starts_with(lost) { Vec::new() } else { rubbish }
}

/// Removes indexes, cuts them within an entry, or leaves zeros behind their entries.
pub fn damage_indexes(directory: &Path, rng: &mut fastrand::Rng) {
    for path in files(directory, &["index", "timeindex"]) {
        let length = fs::metadata(&path).unwrap().len();
        match rng.u8(0..8) {
            0 => fs::remove_file(&path).unwrap(),
            1 => OpenOptions::new().write(true).open(&path).unwrap().set_len(length + 24 * 100).unwrap(),
            2 if length > 0 => {
                OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 1).unwrap()
            }
            _ => {}
        }
    }
}

/// Removes indexes, as no crash would.
pub fn remove_indexes(directory: &Path, rng: &mut fastrand::Rng) {
    for path in files(directory, &["index", "timeindex"]) {
        if rng.u8(0..4) == 0 {
            fs::remove_file(&path).unwrap();
        }
    }
}

fn unflushed_batches(directory: &Path, recovery_point: Offset) -> Vec<(PathBuf, u64, RecordBatch)> {
    let mut found = Vec::new();
    for path in files(directory, &["log"]) {
        let mut position = 0;
        for batch in batches(&Bytes::from(fs::read(&path).unwrap())) {
            let batch = batch.unwrap();
            let size = batch.size_in_bytes() as u64;
            if batch.header.base_offset >= recovery_point {
                found.push((path.clone(), position, batch));
            }
            position += size;
        }
    }
    found
}

/// The base offset of the active segment.
pub fn last_segment(directory: &Path) -> Offset {
    files(directory, &["log"]).last().map_or(Offset(0), |path| base_of(path))
}

fn base_of(path: &Path) -> Offset {
    Offset(path.file_stem().unwrap().to_str().unwrap().parse().unwrap())
}

fn files(directory: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let listed = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let wanted =
        |path: &PathBuf| extensions.iter().any(|wanted| path.extension().is_some_and(|e| e == *wanted));
    let mut found: Vec<_> = listed.filter(wanted).collect();
    found.sort();
    found
}
