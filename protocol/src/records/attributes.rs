//! The 16 attribute bits of a batch.
//!
//! ```text
//!  15                                7      6        5          4             3           2  1  0
//! ┌───────────────────────────────────┬──────────┬─────────┬───────────────┬───────────┬───────────┐
//! │ unused, kept as they came         │ delete   │ control │ transactional │ timestamp │compression│
//! │                                   │ horizon  │         │               │ type      │           │
//! └───────────────────────────────────┴──────────┴─────────┴───────────────┴───────────┴───────────┘
//! ```
//!
//! Invariant: an [`Attributes`] always names a known compression.

use std::fmt;
use std::str::FromStr;

use super::RecordsError;

const COMPRESSION_MASK: i16 = 0x07;
const LOG_APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
const DELETE_HORIZON: i16 = 0x40;

/// How a batch's records are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Who set the timestamps of a batch: the producer, or the leader that appended it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    #[default]
    CreateTime,
    LogAppendTime,
}

/// The attribute bits of a batch.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Attributes(i16);

impl Compression {
    pub const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    /// Kafka's name of it, as in `compression.type`.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }

    fn from_bits(bits: i16) -> Option<Compression> {
        Compression::ALL.get(usize::from((bits & COMPRESSION_MASK).unsigned_abs())).copied()
    }

    fn bits(self) -> i16 {
        match self {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no compression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no compression type: none, gzip, snappy, lz4 and zstd are")]
pub struct UnknownCompressionName(String);

impl FromStr for Compression {
    type Err = UnknownCompressionName;
    fn from_str(name: &str) -> Result<Compression, UnknownCompressionName> {
        let known = Compression::ALL.into_iter().find(|compression| compression.name() == name);
        known.ok_or_else(|| UnknownCompressionName(name.to_owned()))
    }
}

impl fmt::Display for TimestampType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TimestampType::CreateTime => "CreateTime",
            TimestampType::LogAppendTime => "LogAppendTime",
        })
    }
}

impl Attributes {
    /// Takes the bits as they came, unused ones too.
    pub fn from_bits(bits: i16) -> Result<Attributes, RecordsError> {
        match Compression::from_bits(bits) {
            Some(_) => Ok(Attributes(bits)),
            None => Err(RecordsError::UnknownCompression { id: (bits & COMPRESSION_MASK) as u8 }),
        }
    }

    pub fn bits(self) -> i16 {
        self.0
    }

    pub fn compression(self) -> Compression {
        Compression::from_bits(self.0).unwrap_or_default()
    }

    pub fn timestamp_type(self) -> TimestampType {
        if self.has(LOG_APPEND_TIME) { TimestampType::LogAppendTime } else { TimestampType::CreateTime }
    }

    pub fn is_transactional(self) -> bool {
        self.has(TRANSACTIONAL)
    }

    pub fn is_control(self) -> bool {
        self.has(CONTROL)
    }

    /// Whether the base timestamp is the time at which the cleaner may drop the batch's tombstones.
    pub fn has_delete_horizon(self) -> bool {
        self.has(DELETE_HORIZON)
    }

    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Attributes {
        Attributes(self.0 & !COMPRESSION_MASK | compression.bits())
    }

    #[must_use]
    pub fn with_timestamp_type(self, timestamp_type: TimestampType) -> Attributes {
        self.with(LOG_APPEND_TIME, timestamp_type == TimestampType::LogAppendTime)
    }

    #[must_use]
    pub fn with_transactional(self, transactional: bool) -> Attributes {
        self.with(TRANSACTIONAL, transactional)
    }

    #[must_use]
    pub fn with_control(self, control: bool) -> Attributes {
        self.with(CONTROL, control)
    }

    fn has(self, bit: i16) -> bool {
        self.0 & bit != 0
    }

    fn with(self, bit: i16, set: bool) -> Attributes {
        Attributes(if set { self.0 | bit } else { self.0 & !bit })
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attributes({:#06x}: {})", self.0, self.compression())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_compression_survives_its_bits() {
        for compression in Compression::ALL {
            let attributes = Attributes::default().with_compression(compression).with_control(true);
            assert_eq!(
                Attributes::from_bits(attributes.bits()).map(Attributes::compression),
                Ok(compression)
            );
            assert_eq!(compression.name().parse(), Ok(compression));
        }
    }

    #[test]
    fn an_unknown_compression_is_refused() {
        assert_eq!(Attributes::from_bits(5), Err(RecordsError::UnknownCompression { id: 5 }));
    }

    #[test]
    fn flags_are_set_and_cleared_alone() {
        let both = Attributes::default().with_transactional(true).with_control(true);
        assert_eq!(both.with_control(false), Attributes::default().with_transactional(true));
        assert_eq!(both.bits(), 0x30);
    }
}
