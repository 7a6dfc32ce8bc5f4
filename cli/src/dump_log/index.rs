//! `.index` and `.timeindex`: sparse entries of fixed size, big-endian, checked against the log beside them.
//!
//! ```text
//! .index      relative offset i32 | position i32           a batch's last offset, and where the batch begins
//! .timeindex  timestamp i64 | relative offset i32          the largest timestamp so far, its batch's last offset
//! ```
//!
//! A file that is in use, or whose broker was killed, ends in zeros: the first entry that says nothing new is the end.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::row::Row;
use super::segment::Segment;
use super::{Dump, base_offset};

pub fn dump_offsets(dump: &mut Dump, path: &Path) -> anyhow::Result<()> {
    let base = base_offset(path)?;
    let mut log = log_beside(path);
    let mut earlier = None;
    for entry in entries::<8>(path)? {
        let entry = entry?;
        let (relative, position) = (u32_at(&entry, 0), u32_at(&entry, 4));
        if earlier.is_some_and(|earlier| relative <= earlier) {
            break;
        }
        earlier = Some(relative);
        let offset = base + i64::from(relative);
        dump.rows.put(Row::new().with("offset", offset).with("position", position))?;
        if let Some(log) = &mut log
            && let Some(fault) = check_offset(log, offset, position)?
        {
            dump.fault(path, fault);
        }
    }
    end(dump, path, earlier.is_none())
}

/// Whether the batch at `position` of the log is the one that ends with `offset`.
fn check_offset(log: &mut Segment, offset: i64, position: u32) -> anyhow::Result<Option<String>> {
    log.seek(position.into())?;
    Ok(match log.next()? {
        Ok(batch) if batch.header.last_offset().0 == offset => None,
        Ok(batch) => {
            let found = batch.header.last_offset();
            Some(format!("offset {offset} points to position {position}, where a batch ends with {found}"))
        }
        Err(error) => Some(format!("offset {offset} points to position {position}: {error}")),
    })
}

pub fn dump_times(dump: &mut Dump, path: &Path) -> anyhow::Result<()> {
    let base = base_offset(path)?;
    let mut earlier: Option<(i64, u32)> = None;
    for entry in entries::<12>(path)? {
        let entry = entry?;
        let timestamp = i64::from(u32_at(&entry, 0)) << 32 | i64::from(u32_at(&entry, 4));
        let relative = u32_at(&entry, 8);
        if earlier.is_some_and(|(_, earlier)| relative <= earlier) {
            break;
        }
        if earlier.is_some_and(|(earlier, _)| timestamp <= earlier) {
            dump.fault(path, format!("timestamp {timestamp} does not grow"));
        }
        earlier = Some((timestamp, relative));
        dump.rows.put(Row::new().with("timestamp", timestamp).with("offset", base + i64::from(relative)))?;
    }
    end(dump, path, earlier.is_none())
}

fn end(dump: &mut Dump, path: &Path, empty: bool) -> anyhow::Result<()> {
    if empty { dump.rows.remark(&format!("{} is empty.", path.display())) } else { Ok(()) }
}

/// The segment that an index belongs to, if it is there.
fn log_beside(path: &Path) -> Option<Segment> {
    Segment::open(&path.with_extension("log")).ok()
}

/// The whole entries of a file, one after another.
pub fn entries<const N: usize>(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<[u8; N]>>> {
    let file = File::open(path)?;
    let whole = file.metadata()?.len() / N as u64;
    let mut file = BufReader::new(file);
    Ok((0..whole).map(move |_| {
        let mut entry = [0; N];
        file.read_exact(&mut entry)?;
        Ok(entry)
    }))
}

fn u32_at(entry: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(std::array::from_fn(|i| entry[at + i]))
}
