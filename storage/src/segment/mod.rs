//! One segment of a log: its batches, and the indexes that find them.
//!
//! ```text
//! {base offset}.log        batches, one behind the other
//! {base offset}.index      a sparse index of their offsets
//! {base offset}.timeindex  … of their timestamps
//! {base offset}.txnindex   the aborted transactions, if there are any
//! ```
//!
//! * `scan`: a walk over batch headers. * `recent`: where the newest batches lie, in memory.
//! * `append`: writing. * `lookup`, `timestamps`: finding. * `truncate`, `rescan`: cutting off, and making indexes anew.
//!
//! Invariants: the file has `size` bytes of whole batches (more only for the time of a failed write); offsets grow from
//! batch to batch; every offset fits 31 bits relative to `base_offset`.

mod append;
mod lookup;
mod recent;
mod rescan;
mod scan;
mod timestamps;
mod truncate;

use std::sync::Arc;

use protocol::types::Offset;

use crate::failure::IoFailure;
use crate::files::{FileKind, FileName, LogHome, SegmentFile};
use crate::index::{IndexFile, OffsetEntry, TimeEntry, TransactionIndex};
use crate::log::LogConfig;

pub(crate) use append::WriteFailure;
pub(crate) use lookup::Located;
use recent::RecentBatches;
pub(crate) use rescan::marker_of;
pub use scan::Damage;
pub(crate) use scan::{BatchAt, BatchScan, SegmentError};
use timestamps::MaxTimestamp;

/// The furthest that an offset may lie from its segment's base offset.
pub(crate) const MAX_RELATIVE_OFFSET: i64 = i32::MAX as i64;

/// A clone shares the files, and is for reading alone: it sees the segment as it was.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) base_offset: Offset,
    pub(crate) size: u64,
    pub(crate) log: Arc<SegmentFile>,
    pub(crate) transactions: TransactionIndex,
    offsets: IndexFile<OffsetEntry>,
    times: IndexFile<TimeEntry>,
    recent: RecentBatches,
    /// `None` until it is asked for.
    max_timestamp: Option<MaxTimestamp>,
    /// The largest timestamp of the first batch, by which the segment is rolled; `None` until it is asked for.
    first_timestamp: Option<i64>,
    created_ms: i64,
    bytes_since_index_entry: u64,
}

/// What [`Segment::open`] made of the files.
pub(crate) enum Opened {
    /// They are as they should be, at first sight.
    Sound(Segment),
    /// An index was missing or cut within an entry; both are empty now and must be made anew by [`Segment::rescan`].
    Unindexed(Segment),
}

struct Files {
    log: Arc<SegmentFile>,
    offsets: Arc<SegmentFile>,
    times: Arc<SegmentFile>,
    transactions: Arc<SegmentFile>,
}

impl Files {
    fn of(home: &Arc<LogHome>, base_offset: Offset) -> Files {
        let file = |kind| SegmentFile::new(home, FileName::of(base_offset, kind));
        Files {
            log: file(FileKind::Log),
            offsets: file(FileKind::OffsetIndex),
            times: file(FileKind::TimeIndex),
            transactions: file(FileKind::TransactionIndex),
        }
    }
}

impl Segment {
    /// Makes an empty segment. If that fails no file of it is left.
    pub(crate) fn create(
        home: &Arc<LogHome>,
        base_offset: Offset,
        now_ms: i64,
    ) -> Result<Segment, IoFailure> {
        let files = Files::of(home, base_offset);
        let created = files.log.create().and_then(|()| {
            let indexes =
                (IndexFile::create(files.offsets.clone())?, IndexFile::create(files.times.clone())?);
            files.transactions.remove()?;
            Ok(indexes)
        });
        match created {
            Ok((offsets, times)) => {
                let transactions = TransactionIndex::absent(files.transactions);
                Ok(Segment::assemble(base_offset, 0, files.log, (offsets, times, transactions), now_ms))
            }
            Err(failure) => {
                for file in [&files.log, &files.offsets, &files.times] {
                    let _ = file.remove();
                }
                Err(failure)
            }
        }
    }

    /// Takes up the segment that lies in the directory.
    pub(crate) fn open(home: &Arc<LogHome>, base_offset: Offset, now_ms: i64) -> Result<Opened, IoFailure> {
        let files = Files::of(home, base_offset);
        let size = files.log.length()?.unwrap_or(0);
        let transactions = TransactionIndex::open(files.transactions)?;
        let found = (IndexFile::open(files.offsets.clone())?, IndexFile::open(files.times.clone())?);
        if let (Some(offsets), Some(times)) = found {
            let indexes = (offsets, times, transactions);
            return Ok(Opened::Sound(Segment::assemble(base_offset, size, files.log, indexes, now_ms)));
        }
        let indexes = (IndexFile::create(files.offsets)?, IndexFile::create(files.times)?, transactions);
        Ok(Opened::Unindexed(Segment::assemble(base_offset, size, files.log, indexes, now_ms)))
    }

    fn assemble(
        base_offset: Offset,
        size: u64,
        log: Arc<SegmentFile>,
        (offsets, times, transactions): (IndexFile<OffsetEntry>, IndexFile<TimeEntry>, TransactionIndex),
        now_ms: i64,
    ) -> Segment {
        Segment {
            base_offset,
            size,
            log,
            transactions,
            offsets,
            times,
            recent: RecentBatches::default(),
            max_timestamp: None,
            first_timestamp: None,
            created_ms: now_ms,
            bytes_since_index_entry: 0,
        }
    }

    /// Whether a lookup of `offset`, or of a later one, needs no file.
    pub(crate) fn has_in_memory(&self, offset: Offset) -> bool {
        self.recent.covers(offset)
    }

    /// Whether `offset` can be written relative to the base offset.
    pub(crate) fn can_hold(&self, offset: Offset) -> bool {
        (0..=MAX_RELATIVE_OFFSET).contains(&(offset - self.base_offset))
    }

    /// Whether an index has no room for what the next roll will add.
    pub(crate) fn has_full_index(&self, config: &LogConfig) -> bool {
        let room = config.segment_index_bytes as usize;
        self.offsets.len() >= room / 8 || self.times.len() + 1 >= room / 12
    }

    /// Takes room on the disk for a log of so many bytes.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<(), IoFailure> {
        self.log.reserve(bytes)
    }

    /// Gives back the room behind what was written.
    pub(crate) fn give_back(&self) -> Result<(), IoFailure> {
        self.log.truncate(self.size)
    }

    /// Every file of the segment, those that may not exist included.
    pub(crate) fn files(&self) -> [&Arc<SegmentFile>; 4] {
        [&self.log, self.offsets.file(), self.times.file(), self.transactions.file()]
    }

    fn relative(&self, offset: Offset) -> u32 {
        debug_assert!(self.can_hold(offset), "{offset} is too far from {}", self.base_offset);
        u32::try_from(offset - self.base_offset).unwrap_or(u32::MAX)
    }
}
