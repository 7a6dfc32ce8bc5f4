//! What a field may hold, and how each lies on the wire: numbers, uuids, strings, bytes, records, arrays, null.
//!
//! Structs are in `structure`.

use bytes::Bytes;

use super::error::{DecodeError, DecodeProblem, EncodeError};
use super::reader::{LengthWidth, Reader};
use super::writer::Writer;
use super::{Format, RecordSet, Str};
use crate::types::Uuid;

/// A value that a field or an element of an array may hold.
pub trait Field: Sized {
    /// The fewest bytes that one takes, in any version.
    const LEAST_SIZE: usize;

    fn read(reader: &mut Reader, format: Format) -> Result<Self, DecodeError>;

    fn write(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError>;
}

/// A value in whose place null may stand.
pub trait Nullable: Field {
    fn read_nullable(reader: &mut Reader, format: Format) -> Result<Option<Self>, DecodeError>;

    fn write_null(writer: &mut Writer, format: Format);

    /// Writes the value where null could stand as well.
    fn write_present(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        self.write(writer, format)
    }
}

impl<T: Nullable> Field for Option<T> {
    const LEAST_SIZE: usize = 1;

    fn read(reader: &mut Reader, format: Format) -> Result<Self, DecodeError> {
        T::read_nullable(reader, format)
    }

    fn write(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        match self {
            Some(value) => value.write_present(writer, format),
            None => {
                T::write_null(writer, format);
                Ok(())
            }
        }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Field for $number {
            const LEAST_SIZE: usize = size_of::<$number>();

            fn read(reader: &mut Reader, _: Format) -> Result<Self, DecodeError> {
                reader.array().map(<$number>::from_be_bytes)
            }

            fn write(&self, writer: &mut Writer, _: Format) -> Result<(), EncodeError> {
                writer.bytes.extend_from_slice(&self.to_be_bytes());
                Ok(())
            }
        }
    )*};
}
numbers!(i8, i16, u16, i32, u32, i64, f64);

impl Field for bool {
    const LEAST_SIZE: usize = 1;

    fn read(reader: &mut Reader, format: Format) -> Result<Self, DecodeError> {
        i8::read(reader, format).map(|byte| byte != 0)
    }

    fn write(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        i8::from(*self).write(writer, format)
    }
}

impl Field for Uuid {
    const LEAST_SIZE: usize = 16;

    fn read(reader: &mut Reader, _: Format) -> Result<Self, DecodeError> {
        reader.array().map(Uuid)
    }

    fn write(&self, writer: &mut Writer, _: Format) -> Result<(), EncodeError> {
        writer.bytes.extend_from_slice(&self.0);
        Ok(())
    }
}

/// Reads what has a length and could be null, and refuses null.
fn present<T: Nullable>(reader: &mut Reader, format: Format) -> Result<T, DecodeError> {
    T::read_nullable(reader, format)?.ok_or_else(|| reader.error(DecodeProblem::Null))
}

impl Field for Str {
    const LEAST_SIZE: usize = 1;

    fn read(reader: &mut Reader, format: Format) -> Result<Self, DecodeError> {
        present(reader, format)
    }

    fn write(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        writer.length(self.len(), LengthWidth::Short, format)?;
        writer.bytes.extend_from_slice(self.as_bytes());
        Ok(())
    }
}

impl Nullable for Str {
    fn read_nullable(reader: &mut Reader, format: Format) -> Result<Option<Self>, DecodeError> {
        let Some(length) = reader.length(LengthWidth::Short, format)? else { return Ok(None) };
        if length > i16::MAX as usize {
            return Err(reader.error(DecodeProblem::StringTooLong(length)));
        }
        let bytes = reader.take(length)?;
        Str::from_utf8(bytes).map(Some).map_err(|_| reader.error(DecodeProblem::NotUtf8))
    }

    fn write_null(writer: &mut Writer, format: Format) {
        writer.null_length(LengthWidth::Short, format);
    }
}

impl Field for Bytes {
    const LEAST_SIZE: usize = 1;

    fn read(reader: &mut Reader, format: Format) -> Result<Self, DecodeError> {
        present(reader, format)
    }

    fn write(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        writer.length(self.len(), LengthWidth::Int, format)?;
        writer.bytes.extend_from_slice(self);
        Ok(())
    }
}

impl Nullable for Bytes {
    fn read_nullable(reader: &mut Reader, format: Format) -> Result<Option<Self>, DecodeError> {
        let Some(length) = reader.length(LengthWidth::Int, format)? else { return Ok(None) };
        reader.take(length).map(Some)
    }

    fn write_null(writer: &mut Writer, format: Format) {
        writer.null_length(LengthWidth::Int, format);
    }
}

impl Field for RecordSet {
    const LEAST_SIZE: usize = 1;

    fn read(reader: &mut Reader, format: Format) -> Result<Self, DecodeError> {
        Bytes::read(reader, format).map(RecordSet::Bytes)
    }

    fn write(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        match self {
            RecordSet::Bytes(bytes) => bytes.write(writer, format),
            RecordSet::Elsewhere { length, token } => {
                writer.length(*length as usize, LengthWidth::Int, format)?;
                writer.gap(*length, *token);
                Ok(())
            }
        }
    }
}

impl Nullable for RecordSet {
    fn read_nullable(reader: &mut Reader, format: Format) -> Result<Option<Self>, DecodeError> {
        Ok(Bytes::read_nullable(reader, format)?.map(RecordSet::Bytes))
    }

    fn write_null(writer: &mut Writer, format: Format) {
        Bytes::write_null(writer, format);
    }
}

impl<T: Field> Field for Vec<T> {
    const LEAST_SIZE: usize = 1;

    fn read(reader: &mut Reader, format: Format) -> Result<Self, DecodeError> {
        present(reader, format)
    }

    fn write(&self, writer: &mut Writer, format: Format) -> Result<(), EncodeError> {
        writer.length(self.len(), LengthWidth::Int, format)?;
        for (index, element) in self.iter().enumerate() {
            element.write(writer, format).map_err(|error| error.in_element(index))?;
        }
        Ok(())
    }
}

impl<T: Field> Nullable for Vec<T> {
    fn read_nullable(reader: &mut Reader, format: Format) -> Result<Option<Self>, DecodeError> {
        let Some(count) = reader.length(LengthWidth::Int, format)? else { return Ok(None) };
        let mut elements = reader.vector(count)?;
        for index in 0..count {
            elements.push(T::read(reader, format).map_err(|error| error.in_element(index))?);
        }
        Ok(Some(elements))
    }

    fn write_null(writer: &mut Writer, format: Format) {
        writer.null_length(LengthWidth::Int, format);
    }
}
