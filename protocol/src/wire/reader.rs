//! Takes a received buffer apart from front to back, and never beyond a budget of memory.
//!
//! What has bytes of its own (strings, bytes, records) is a slice of the buffer: only arrays allocate, and each is
//! charged in full before it is allocated. Invariant: `position ≤ bytes.len()`.

use bytes::Bytes;

use super::error::{DecodeError, DecodeProblem};
use super::field::{Field, Nullable};
use super::{Format, varint};

/// A message may take this many bytes of memory for each byte of input …
pub const BUDGET_PER_BYTE: usize = 64;
/// … and this many besides.
pub const BUDGET_BASE: usize = 1 << 20;

/// Reads one buffer: a frame, a record, a file's content.
#[derive(Clone, Debug)]
pub struct Reader {
    bytes: Bytes,
    position: usize,
    /// How many bytes of memory may still be allocated.
    budget: usize,
}

impl Reader {
    pub fn new(bytes: Bytes) -> Reader {
        let budget = BUDGET_PER_BYTE.saturating_mul(bytes.len()).saturating_add(BUDGET_BASE);
        Reader { bytes, position: 0, budget }
    }

    /// How many bytes were read so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// All that is left, which is then read.
    pub fn rest(&mut self) -> Bytes {
        let rest = self.bytes.slice(self.position..);
        self.position = self.bytes.len();
        rest
    }

    /// Reads the field `name` into its place.
    pub fn get<T: Field>(
        &mut self,
        name: &'static str,
        format: Format,
        into: &mut T,
    ) -> Result<(), DecodeError> {
        *into = T::read(self, format).map_err(|error| error.within(name))?;
        Ok(())
    }

    /// Reads a field that may be null, but not in this version.
    pub fn get_some<T: Field>(
        &mut self,
        name: &'static str,
        format: Format,
        into: &mut Option<T>,
    ) -> Result<(), DecodeError> {
        *into = Some(T::read(self, format).map_err(|error| error.within(name))?);
        Ok(())
    }

    /// Reads a struct that may be null and bears a tag: there a varint says whether it is.
    pub fn get_tagged_option<T: Nullable>(
        &mut self,
        name: &'static str,
        format: Format,
        into: &mut Option<T>,
    ) -> Result<(), DecodeError> {
        let present = self.unsigned_varint().map_err(|error| error.within(name))? > 0;
        if present {
            return self.get_some(name, format, into);
        }
        *into = None;
        Ok(())
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some(array) = self.bytes[self.position..].first_chunk::<N>() else {
            return Err(self.truncated(N));
        };
        self.position += N;
        Ok(*array)
    }

    /// The next `length` bytes, without a copy.
    pub(crate) fn take(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length > self.remaining() {
            return Err(self.truncated(length));
        }
        let taken = self.bytes.slice(self.position..self.position + length);
        self.position += length;
        Ok(taken)
    }

    pub(crate) fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let Some((value, length)) = varint::get(&self.bytes[self.position..]) else {
            return Err(self.error(DecodeProblem::Varint));
        };
        self.position += length;
        Ok(value)
    }

    /// A length or count; `None` is null. Kafka takes every negative length for null.
    pub(crate) fn length(
        &mut self,
        width: LengthWidth,
        format: Format,
    ) -> Result<Option<usize>, DecodeError> {
        let length = match width {
            _ if format.flexible => i64::from(self.unsigned_varint()?) - 1,
            LengthWidth::Short => i64::from(i16::from_be_bytes(self.array()?)),
            LengthWidth::Int => i64::from(i32::from_be_bytes(self.array()?)),
        };
        Ok(usize::try_from(length).ok())
    }

    /// An empty vector with room for `count` elements, if so many can be left and the budget bears them.
    pub(crate) fn vector<T: Field>(&mut self, count: usize) -> Result<Vec<T>, DecodeError> {
        let left = self.remaining();
        if count.saturating_mul(T::LEAST_SIZE) > left {
            return Err(self.error(DecodeProblem::TooManyElements { count, left }));
        }
        let needed = count.saturating_mul(size_of::<T>());
        let Some(budget) = self.budget.checked_sub(needed) else {
            return Err(self.error(DecodeProblem::OverBudget { needed, left: self.budget }));
        };
        self.budget = budget;
        Ok(Vec::with_capacity(count))
    }

    #[cold]
    pub(crate) fn error(&self, problem: DecodeProblem) -> DecodeError {
        DecodeError::new(problem, self.position)
    }

    #[cold]
    fn truncated(&self, needed: usize) -> DecodeError {
        self.error(DecodeProblem::Truncated { needed, left: self.remaining() })
    }
}

/// How wide a length is where it is not compact.
#[derive(Clone, Copy)]
pub(crate) enum LengthWidth {
    Short,
    Int,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{EncodeError, Writer};

    /// One byte on the wire, many in memory.
    struct Wide(#[expect(dead_code, reason = "only its size matters")] [u8; 1000]);

    impl Field for Wide {
        const LEAST_SIZE: usize = 1;
        fn read(reader: &mut Reader, _: Format) -> Result<Self, DecodeError> {
            reader.array::<1>().map(|[byte]| Wide([byte; 1000]))
        }
        fn write(&self, _: &mut Writer, _: Format) -> Result<(), EncodeError> {
            Ok(())
        }
    }

    const RIGID: Format = Format { version: 0, flexible: false };

    fn wide(count: u32) -> Reader {
        let mut bytes = count.to_be_bytes().to_vec();
        bytes.resize(4 + count as usize, 0);
        Reader::new(bytes.into())
    }

    #[test]
    fn what_exceeds_the_budget_is_refused_before_it_is_allocated() {
        assert!(Vec::<Wide>::read(&mut wide(1_000), RIGID).is_ok());
        let error = Vec::<Wide>::read(&mut wide(2_000), RIGID).err().expect("2 MB of 2 kB are too much");
        let left = 2_004 * BUDGET_PER_BYTE + BUDGET_BASE;
        assert_eq!(error.problem(), &DecodeProblem::OverBudget { needed: 2_000_000, left });
    }

    #[test]
    fn the_budget_is_of_the_whole_buffer() {
        let mut bytes = 1_000u32.to_be_bytes().to_vec();
        bytes.resize(1_004, 0);
        let mut reader = Reader::new([bytes.as_slice(), bytes.as_slice()].concat().into());
        assert!(Vec::<Wide>::read(&mut reader, RIGID).is_ok());
        assert!(Vec::<Wide>::read(&mut reader, RIGID).is_err());
    }

    #[test]
    fn strings_and_bytes_borrow_from_the_buffer() {
        let buffer = Bytes::from(vec![0, 2, b'h', b'i', 0, 0, 0, 1, 9]);
        let mut reader = Reader::new(buffer.clone());
        let text = crate::wire::Str::read(&mut reader, RIGID).expect("two letters");
        let bytes = Bytes::read(&mut reader, RIGID).expect("one byte");
        assert_eq!((text.as_ptr(), bytes.as_ptr()), (buffer[2..].as_ptr(), buffer[8..].as_ptr()));
    }
}
