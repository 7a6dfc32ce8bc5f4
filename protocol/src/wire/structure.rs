//! Structs: their fields in order, then, in flexible versions, the section of their tagged fields (KIP-482).
//!
//! A tagged field is written only where it differs from its default. Tags that a version does not know are skipped.

use super::error::{DecodeError, DecodeProblem, EncodeError};
use super::field::{Field, Nullable};
use super::reader::Reader;
use super::writer::Writer;
use super::{Format, varint};

/// What the generator writes for each struct.
pub trait Struct: Default {
    /// The fewest bytes that one takes, in any version.
    const LEAST_SIZE: usize;

    fn read_fields(&mut self, reader: &mut Reader, format: Format) -> Result<(), DecodeError>;

    fn write_fields(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError>;

    /// Reads the field of `tag`, or says that there is none in this version.
    fn read_tag(&mut self, _tag: u32, _reader: &mut Reader, _format: Format) -> Result<bool, DecodeError> {
        Ok(false)
    }

    /// Writes the tagged fields, the lowest tag first.
    fn write_tags(&self, _tags: &mut TagSection<'_>, _format: Format) -> Result<(), EncodeError> {
        Ok(())
    }

    /// Tells every error code in it, that of no error too, for those who count them.
    fn tell_error_codes(&self, _tell: &mut impl FnMut(i16)) {}
}

impl<T: Struct> Field for T {
    const LEAST_SIZE: usize = <T as Struct>::LEAST_SIZE;

    fn read(reader: &mut Reader, format: Format) -> Result<Self, DecodeError> {
        let mut it = T::default();
        it.read_fields(reader, format)?;
        if format.flexible {
            read_tags(&mut it, reader, format)?;
        }
        Ok(it)
    }

    fn write(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        self.write_fields(writer, format)?;
        if format.flexible {
            self.write_tags(&mut TagSection::open(writer), format)?;
        }
        Ok(())
    }
}

/// A byte before the struct says whether it is there.
impl<T: Struct> Nullable for T {
    fn read_nullable(reader: &mut Reader, format: Format) -> Result<Option<Self>, DecodeError> {
        if i8::read(reader, format)? < 0 {
            return Ok(None);
        }
        T::read(reader, format).map(Some)
    }

    fn write_null(writer: &mut Writer, _: Format) {
        writer.bytes.extend_from_slice(&(-1i8).to_be_bytes());
    }

    fn write_present(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        writer.bytes.push(1);
        self.write(writer, format)
    }
}

fn read_tags<T: Struct>(it: &mut T, reader: &mut Reader, format: Format) -> Result<(), DecodeError> {
    for _ in 0..reader.unsigned_varint()? {
        let tag = reader.unsigned_varint()?;
        let said = reader.unsigned_varint()? as usize;
        let left = reader.remaining();
        if said > left {
            return Err(reader.error(DecodeProblem::Truncated { needed: said, left }));
        }
        let start = reader.position();
        if !it.read_tag(tag, reader, format)? {
            reader.take(said)?;
        }
        let taken = reader.position() - start;
        if taken != said {
            return Err(reader.error(DecodeProblem::TagSize { tag, said, taken }));
        }
    }
    Ok(())
}

/// The tagged fields of one struct while they are written.
pub struct TagSection<'a> {
    writer: &'a mut Writer,
    /// Where the count stands; one byte, since no struct has 128 tags.
    count_at: usize,
}

impl<'a> TagSection<'a> {
    fn open(writer: &'a mut Writer) -> TagSection<'a> {
        let count_at = writer.position();
        writer.bytes.push(0);
        TagSection { writer, count_at }
    }

    /// Writes a field unless it has its default.
    pub fn put<T: Field>(
        &mut self,
        tag: u32,
        name: &'static str,
        format: Format,
        value: &T,
        is_default: bool,
    ) -> Result<(), EncodeError> {
        if is_default {
            return Ok(());
        }
        self.sized(tag, |writer| writer.put(name, format, value))
    }

    /// The same for a struct that may be null: here a varint says whether it is.
    pub fn put_option<T: Nullable>(
        &mut self,
        tag: u32,
        name: &'static str,
        format: Format,
        value: &Option<T>,
        is_default: bool,
    ) -> Result<(), EncodeError> {
        if is_default {
            return Ok(());
        }
        self.sized(tag, |writer| {
            writer.unsigned_varint(u32::from(value.is_some()));
            value.iter().try_for_each(|value| writer.put(name, format, value))
        })
    }

    /// Writes the tag and the value, and then puts the value's size between them.
    fn sized(
        &mut self,
        tag: u32,
        write: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.writer.bytes[self.count_at] += 1;
        self.writer.unsigned_varint(tag);
        let start = self.writer.position();
        write(self.writer)?;
        let mut size = Vec::with_capacity(varint::MAX_BYTES);
        varint::put(&mut size, (self.writer.position() - start) as u32);
        self.writer.bytes.splice(start..start, size);
        Ok(())
    }
}

/// Whether a field that may be null has the empty value that is its default.
pub fn is_some_default<T: Default + PartialEq>(value: &Option<T>) -> bool {
    value.as_ref().is_some_and(|value| *value == T::default())
}
