//! Whole messages: which versions there are, and how one is read and written in each.

use std::fmt;
use std::ops::RangeInclusive;

use bytes::Bytes;

use super::Format;
use super::error::{DecodeError, DecodeProblem, EncodeError, EncodeProblem};
use super::field::Field;
use super::reader::Reader;
use super::structure::Struct;
use super::writer::Writer;
use crate::ApiKey;

/// A request, a response, a header, or a record that Kafka keeps in a topic or file of its own.
pub trait Message: Struct + Clone + fmt::Debug + PartialEq {
    const NAME: &'static str;
    const VERSIONS: RangeInclusive<i16>;
    /// The first version with compact lengths and tag sections; `i16::MAX` if there is none.
    const FLEXIBLE_FROM: i16;

    /// The shape of `version`, which need not exist.
    fn format(version: i16) -> Format {
        Format { version, flexible: version >= Self::FLEXIBLE_FROM }
    }

    /// Reads one message and leaves the reader behind it.
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        if !Self::VERSIONS.contains(&version) {
            return Err(reader.error(DecodeProblem::UnknownVersion(version)).within(Self::NAME));
        }
        Self::read(reader, Self::format(version)).map_err(|error| error.within(Self::NAME))
    }

    /// Writes the message. A field that `version` lacks must have its default, unless it is ignorable.
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if !Self::VERSIONS.contains(&version) {
            return Err(writer.error(EncodeProblem::UnknownVersion(version)).within(Self::NAME));
        }
        self.write(writer, Self::format(version)).map_err(|error| error.within(Self::NAME))
    }

    /// Reads a message that bears its version in front, as coordinator records and consumer protocol messages do.
    fn decode_versioned(bytes: Bytes) -> Result<(Self, i16), DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.array().map(i16::from_be_bytes).map_err(|error| error.within(Self::NAME))?;
        Ok((Self::decode(&mut reader, version)?, version))
    }

    /// Writes the version and then the message.
    fn encode_versioned(&self, version: i16) -> Result<Bytes, EncodeError> {
        prefixed(version, self, version)
    }
}

/// A message that asks for another.
pub trait Request: Message {
    const KEY: ApiKey;
    type Response: Message;
}

/// The key of a coordinator's record, which says the type of the record.
pub trait RecordKey: Message {
    const TYPE: i16;
    type Value: Message;

    /// The key as it stands in the log: its type, then its only version, 0.
    fn encode_typed(&self) -> Result<Bytes, EncodeError> {
        prefixed(Self::TYPE, self, 0)
    }

    /// Reads the key if it is of this type.
    fn decode_typed(bytes: Bytes) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(bytes);
        let found = reader.array().map(i16::from_be_bytes).map_err(|error| error.within(Self::NAME))?;
        if found != Self::TYPE {
            return Ok(None);
        }
        Self::decode(&mut reader, 0).map(Some)
    }
}

fn prefixed<M: Message>(prefix: i16, message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::new();
    writer.bytes.extend_from_slice(&prefix.to_be_bytes());
    message.encode(&mut writer, version)?;
    Ok(writer.finish().bytes)
}
