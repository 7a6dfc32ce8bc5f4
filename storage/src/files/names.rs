//! The names of a log's files, Kafka's own: `00000000000000001042.log`.

use protocol::types::Offset;

/// What a file in a partition's directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileKind {
    /// Record batches.
    Log,
    OffsetIndex,
    TimeIndex,
    /// Aborted transactions.
    TransactionIndex,
    /// The producers' state as of the offset in its name.
    Snapshot,
}

/// A suffix behind the kind's own, while a file is on its way in or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// In use.
    None,
    /// Removed from the log, waiting to be removed from the disk.
    Deleted,
    /// Half written by the cleaner.
    Cleaned,
    /// Wholly written by the cleaner, about to replace what it was made from.
    Swap,
}

/// A file's name taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileName {
    pub offset: Offset,
    pub kind: FileKind,
    pub marker: Marker,
}

const KINDS: [FileKind; 5] = [
    FileKind::Log,
    FileKind::OffsetIndex,
    FileKind::TimeIndex,
    FileKind::TransactionIndex,
    FileKind::Snapshot,
];

impl FileKind {
    fn extension(self) -> &'static str {
        match self {
            FileKind::Log => "log",
            FileKind::OffsetIndex => "index",
            FileKind::TimeIndex => "timeindex",
            FileKind::TransactionIndex => "txnindex",
            FileKind::Snapshot => "snapshot",
        }
    }
}

impl Marker {
    fn suffix(self) -> &'static str {
        match self {
            Marker::None => "",
            Marker::Deleted => ".deleted",
            Marker::Cleaned => ".cleaned",
            Marker::Swap => ".swap",
        }
    }
}

impl FileName {
    pub(crate) fn of(offset: Offset, kind: FileKind) -> FileName {
        FileName { offset, kind, marker: Marker::None }
    }

    pub(crate) fn with_marker(self, marker: Marker) -> FileName {
        FileName { marker, ..self }
    }

    /// What `name` says, if it is the name of one of a log's files.
    pub(crate) fn parse(name: &str) -> Option<FileName> {
        let (stem, marker) = [Marker::Deleted, Marker::Cleaned, Marker::Swap]
            .into_iter()
            .find_map(|marker| Some((name.strip_suffix(marker.suffix())?, marker)))
            .unwrap_or((name, Marker::None));
        let (digits, extension) = stem.split_once('.')?;
        let kind = KINDS.into_iter().find(|kind| kind.extension() == extension)?;
        let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let offset = digits.parse().ok().filter(|_| all_digits)?;
        Some(FileName { offset: Offset(offset), kind, marker })
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:020}.{}{}", self.offset.0, self.kind.extension(), self.marker.suffix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let name = FileName::of(Offset(1042), FileKind::TimeIndex).with_marker(Marker::Deleted);
        assert_eq!(name.to_string(), "00000000000000001042.timeindex.deleted");
        for kind in KINDS {
            for marker in [Marker::None, Marker::Deleted, Marker::Cleaned, Marker::Swap] {
                let name = FileName::of(Offset(7), kind).with_marker(marker);
                assert_eq!(FileName::parse(&name.to_string()), Some(name));
            }
        }
        for name in ["leader-epoch-checkpoint", "partition.metadata", ".log", "-1.log", "12.logs", "x.log"] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
