//! What a partition's directory holds when its log is opened, and the tidying up after whoever had it before.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use protocol::types::Offset;

use crate::failure::{Described, IoFailure};
use crate::files::{FileKind, FileName, LogHome, Marker, SegmentFile, remove_if_there};
use crate::segment::{BatchScan, SegmentError};

/// How much of a replacement segment is read at once to find its end.
const READ_BYTES: usize = 64 << 10;

/// The files of a log, tidied up.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Base offsets that have a `.log`.
    pub segments: BTreeSet<Offset>,
    pub snapshots: BTreeSet<Offset>,
}

impl Listing {
    /// Lists the directory, removes what was deleted or half written, and carries through what the cleaner had begun to
    /// swap in.
    pub(super) fn read(home: &Arc<LogHome>) -> Result<Listing, SegmentError> {
        let directory = home.directory();
        let found = file_names(&directory)?;
        let remove = |name: &FileName| remove_if_there(&home.path_of(*name));
        let cleaned_from = offsets(&found, Marker::Cleaned).min().unwrap_or(Offset(i64::MAX));
        let (mut kept, mut swaps) = (Vec::new(), Vec::new());
        for name in found {
            match name.marker {
                Marker::Deleted | Marker::Cleaned => remove(&name)?,
                Marker::Swap if name.offset >= cleaned_from => remove(&name)?,
                Marker::Swap => swaps.push(name),
                Marker::None => kept.push(name),
            }
        }
        if !swaps.is_empty() {
            swap_in(home, &mut kept, &swaps)?;
        }
        let mut listing = Listing::default();
        for name in &kept {
            match name.kind {
                FileKind::Log => listing.segments.insert(name.offset),
                FileKind::Snapshot => listing.snapshots.insert(name.offset),
                FileKind::OffsetIndex | FileKind::TimeIndex | FileKind::TransactionIndex => true,
            };
        }
        listing.remove_orphans(&kept, remove)?;
        Ok(listing)
    }

    /// Removes the indexes of segments that are not there.
    fn remove_orphans(
        &self,
        names: &[FileName],
        remove: impl Fn(&FileName) -> Result<(), IoFailure>,
    ) -> Result<(), IoFailure> {
        let is_index = |name: &&FileName| !matches!(name.kind, FileKind::Log | FileKind::Snapshot);
        names
            .iter()
            .filter(is_index)
            .filter(|name| !self.segments.contains(&name.offset))
            .try_for_each(remove)
    }
}

/// Puts replacement segments in the place of those that they were made from.
fn swap_in(home: &Arc<LogHome>, kept: &mut Vec<FileName>, swaps: &[FileName]) -> Result<(), SegmentError> {
    let first = swaps.iter().map(|name| name.offset).min().unwrap_or(Offset(i64::MAX));
    let mut end = first;
    for name in swaps.iter().filter(|name| name.kind == FileKind::Log) {
        end = end.max(end_of(home, *name)?);
    }
    let replaced = |name: &FileName| (first..end).contains(&name.offset);
    kept.iter().filter(|name| replaced(name)).try_for_each(|name| remove_if_there(&home.path_of(*name)))?;
    kept.retain(|name| !replaced(name));
    for name in swaps {
        let (from, plain) = (home.path_of(*name), name.with_marker(Marker::None));
        fs::rename(&from, home.path_of(plain)).describe("rename", &from)?;
        kept.push(plain);
    }
    Ok(())
}

fn end_of(home: &Arc<LogHome>, name: FileName) -> Result<Offset, SegmentError> {
    let file = SegmentFile::new(home, name);
    let length = file.length()?.unwrap_or(0);
    let mut scan = BatchScan::new(&file, 0, length, READ_BYTES);
    let mut end = name.offset + 1;
    while let Some(batch) = scan.next()? {
        end = batch.header.next_offset();
    }
    Ok(end)
}

fn file_names(directory: &Path) -> Result<Vec<FileName>, IoFailure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).describe("list", directory)? {
        let name = entry.describe("list", directory)?.file_name();
        names.extend(name.to_str().and_then(FileName::parse));
    }
    Ok(names)
}

fn offsets(names: &[FileName], marker: Marker) -> impl Iterator<Item = Offset> {
    names.iter().filter(move |name| name.marker == marker).map(|name| name.offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::FileCache;

    fn list(files: &[&str]) -> (Listing, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(directory.path().join(file), "").unwrap();
        }
        let home = LogHome::new(directory.path().to_owned(), Arc::new(FileCache::default()));
        let listing = Listing::read(&home).unwrap();
        let left = fs::read_dir(directory.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        (listing, left)
    }

    #[test]
    fn leftovers_are_removed_and_orphaned_indexes_too() {
        let (listing, left) = list(&[
            "00000000000000000000.log",
            "00000000000000000000.index",
            "00000000000000000005.timeindex",
            "00000000000000000007.snapshot",
            "00000000000000000000.log.deleted",
            "00000000000000000003.index.cleaned",
            "partition.metadata",
        ]);
        let expected = [
            "00000000000000000000.index",
            "00000000000000000000.log",
            "00000000000000000007.snapshot",
            "partition.metadata",
        ];
        assert_eq!(left, expected);
        assert_eq!(listing.segments, BTreeSet::from([Offset(0)]));
        assert_eq!(listing.snapshots, BTreeSet::from([Offset(7)]));
    }

    #[test]
    fn a_swap_is_carried_through_unless_it_may_be_incomplete() {
        let swap =
            ["00000000000000000000.log", "00000000000000000000.log.swap", "00000000000000000000.index.swap"];
        let (_, left) = list(&swap);
        assert_eq!(left, ["00000000000000000000.index", "00000000000000000000.log"]);
        let (_, left) = list(&[swap[0], swap[1], swap[2], "00000000000000000000.log.cleaned"]);
        assert_eq!(left, ["00000000000000000000.log"]);
    }
}
