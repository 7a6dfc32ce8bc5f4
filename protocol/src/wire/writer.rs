//! Builds a buffer from front to back. Records that lie in files leave a gap, which the network fills from the file.

use bytes::Bytes;

use super::error::{EncodeError, EncodeProblem};
use super::field::Field;
use super::reader::LengthWidth;
use super::{Format, varint};

/// Writes one frame or record.
#[derive(Debug, Default)]
pub struct Writer {
    pub(crate) bytes: Vec<u8>,
    gaps: Vec<Gap>,
}

/// A place between two written bytes where `length` bytes from elsewhere belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many written bytes stand before it.
    pub position: usize,
    pub length: u32,
    /// What [`super::RecordSet::Elsewhere`] was given to know the bytes by.
    pub token: u32,
}

/// What was written: `bytes`, with the gaps in the order of their positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    pub bytes: Bytes,
    pub gaps: Vec<Gap>,
}

impl Encoded {
    /// How long it is once the gaps are filled.
    pub fn total_length(&self) -> usize {
        self.bytes.len() + self.gaps.iter().map(|gap| gap.length as usize).sum::<usize>()
    }
}

impl Writer {
    pub fn new() -> Writer {
        Writer::default()
    }

    /// How many bytes were written so far, gaps aside.
    pub fn position(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes were written so far, with those that belong in the gaps.
    pub fn total_length(&self) -> usize {
        self.bytes.len() + self.gaps.iter().map(|gap| gap.length as usize).sum::<usize>()
    }

    pub fn finish(self) -> Encoded {
        Encoded { bytes: self.bytes.into(), gaps: self.gaps }
    }

    /// Writes the field `name`.
    pub fn put<T: Field>(
        &mut self,
        name: &'static str,
        format: Format,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.write(self, format).map_err(|error| error.within(name))
    }

    /// Writes a field that may be null, but not in this version.
    pub fn put_some<T: Field>(
        &mut self,
        name: &'static str,
        format: Format,
        value: &Option<T>,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.put(name, format, value),
            None => Err(self.error(EncodeProblem::Null).within(name)),
        }
    }

    /// Leaves out a field that the version lacks, unless a value would be lost.
    pub fn leave_out(&self, name: &'static str, format: Format, is_default: bool) -> Result<(), EncodeError> {
        if is_default {
            Ok(())
        } else {
            Err(self.error(EncodeProblem::NotInVersion(format.version)).within(name))
        }
    }

    pub(crate) fn length(
        &mut self,
        length: usize,
        width: LengthWidth,
        format: Format,
    ) -> Result<(), EncodeError> {
        let too_long = EncodeProblem::TooLong(length);
        match width {
            LengthWidth::Short => {
                let short = i16::try_from(length).map_err(|_| self.error(too_long))?;
                self.compact_or(length, format, &short.to_be_bytes());
            }
            LengthWidth::Int => {
                let int = i32::try_from(length).map_err(|_| self.error(too_long))?;
                self.compact_or(length, format, &int.to_be_bytes());
            }
        }
        Ok(())
    }

    fn compact_or(&mut self, length: usize, format: Format, plain: &[u8]) {
        if format.flexible {
            self.unsigned_varint(length as u32 + 1);
        } else {
            self.bytes.extend_from_slice(plain);
        }
    }

    pub(crate) fn null_length(&mut self, width: LengthWidth, format: Format) {
        match width {
            _ if format.flexible => self.bytes.push(0),
            LengthWidth::Short => self.bytes.extend_from_slice(&(-1i16).to_be_bytes()),
            LengthWidth::Int => self.bytes.extend_from_slice(&(-1i32).to_be_bytes()),
        }
    }

    pub(crate) fn unsigned_varint(&mut self, value: u32) {
        varint::put(&mut self.bytes, value);
    }

    pub(crate) fn gap(&mut self, length: u32, token: u32) {
        self.gaps.push(Gap { position: self.bytes.len(), length, token });
    }

    #[cold]
    pub(crate) fn error(&self, problem: EncodeProblem) -> EncodeError {
        EncodeError::new(problem, self.bytes.len())
    }
}
