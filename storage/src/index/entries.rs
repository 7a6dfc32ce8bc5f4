//! The entries of the two indexes, big-endian, without any header around them.
//!
//! ```text
//! .index      relative offset i32 | position i32                  of a batch: its last offset, where it begins
//! .timeindex  timestamp i64 | relative offset i32                 the largest timestamp so far, last offset of its batch
//! ```
//!
//! Relative offsets count from the segment's base offset. Both columns of an index grow strictly from entry to entry.

/// An entry of fixed size that can be searched for.
pub(crate) trait IndexEntry: Copy + std::fmt::Debug {
    const BYTES: usize;

    /// `bytes` has [`IndexEntry::BYTES`].
    fn decode(bytes: &[u8]) -> Self;

    fn encode(self, out: &mut Vec<u8>);

    /// Whether this entry may stand right behind `earlier`.
    fn follows(self, earlier: Self) -> bool;
}

/// Where a batch lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    pub relative_offset: u32,
    pub position: u32,
}

/// Up to which offset no timestamp is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub timestamp: i64,
    pub relative_offset: u32,
}

impl IndexEntry for OffsetEntry {
    const BYTES: usize = 8;

    fn decode(bytes: &[u8]) -> OffsetEntry {
        OffsetEntry { relative_offset: u32_at(bytes, 0), position: u32_at(bytes, 4) }
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    fn follows(self, earlier: OffsetEntry) -> bool {
        self.relative_offset > earlier.relative_offset && self.position > earlier.position
    }
}

impl IndexEntry for TimeEntry {
    const BYTES: usize = 12;

    fn decode(bytes: &[u8]) -> TimeEntry {
        let timestamp = i64::from(u32_at(bytes, 0)) << 32 | i64::from(u32_at(bytes, 4));
        TimeEntry { timestamp, relative_offset: u32_at(bytes, 8) }
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
    }

    fn follows(self, earlier: TimeEntry) -> bool {
        self.relative_offset > earlier.relative_offset && self.timestamp > earlier.timestamp
    }
}

/// How many of the entries in `bytes` are sound, from the first on. A killed Apache Kafka leaves zeros behind the last.
pub(crate) fn sound_prefix<E: IndexEntry>(
    bytes: &[u8],
    mut earlier: Option<E>,
    sound: impl Fn(E) -> bool,
) -> usize {
    let entries = bytes.chunks_exact(E::BYTES).map(E::decode);
    entries
        .take_while(|&entry| {
            let fits = earlier.is_none_or(|earlier| entry.follows(earlier)) && sound(entry);
            earlier = Some(entry);
            fits
        })
        .count()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(std::array::from_fn(|i| bytes[at + i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back() {
        let mut bytes = Vec::new();
        let time = TimeEntry { timestamp: -5, relative_offset: u32::MAX };
        time.encode(&mut bytes);
        assert_eq!((bytes.len(), TimeEntry::decode(&bytes)), (TimeEntry::BYTES, time));
        bytes.clear();
        let offset = OffsetEntry { relative_offset: 9, position: 0x7fff_ffff };
        offset.encode(&mut bytes);
        assert_eq!((bytes.len(), OffsetEntry::decode(&bytes)), (OffsetEntry::BYTES, offset));
    }

    #[test]
    fn the_zeros_behind_the_last_entry_are_not_sound() {
        let mut bytes = Vec::new();
        for (relative_offset, position) in [(0, 0), (7, 100), (9, 250), (0, 0), (0, 0)] {
            OffsetEntry { relative_offset, position }.encode(&mut bytes);
        }
        assert_eq!(sound_prefix::<OffsetEntry>(&bytes, None, |_| true), 3);
        assert_eq!(sound_prefix::<OffsetEntry>(&bytes, None, |entry| entry.position < 200), 2);
        let later = Some(OffsetEntry { relative_offset: 5, position: 5 });
        assert_eq!(sound_prefix::<OffsetEntry>(&bytes, later, |_| true), 0);
    }
}
