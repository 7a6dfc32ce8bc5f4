//! Reading and writing inside records: variable-length numbers (zigzag, least significant group first) and byte
//! strings that say their length. A cursor hands out ranges, so that the caller can slice without copying.

use std::ops::Range;

use bytes::BufMut;

use super::RecordFault;

/// A place in a slice of records.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8], position: usize) -> Cursor<'a> {
        Cursor { bytes, position }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// A cursor over the next `length` bytes, which this one steps over.
    pub fn split(&mut self, length: usize) -> Result<Cursor<'a>, RecordFault> {
        let range = self.skip(length)?;
        Ok(Cursor { bytes: &self.bytes[..range.end], position: range.start })
    }

    pub fn byte(&mut self) -> Result<u8, RecordFault> {
        let byte = *self.bytes.get(self.position).ok_or(RecordFault::Truncated)?;
        self.position += 1;
        Ok(byte)
    }

    pub fn varint(&mut self) -> Result<i32, RecordFault> {
        let value = self.unsigned(5)? as u32;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    pub fn varlong(&mut self) -> Result<i64, RecordFault> {
        let value = self.unsigned(10)?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The range of a byte string with its length in front; none where the length is negative.
    pub fn nullable_bytes(&mut self) -> Result<Option<Range<usize>>, RecordFault> {
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) => self.skip(length).map(Some),
            Err(_) => Ok(None),
        }
    }

    fn skip(&mut self, length: usize) -> Result<Range<usize>, RecordFault> {
        if length > self.remaining() {
            return Err(RecordFault::Truncated);
        }
        let start = self.position;
        self.position += length;
        Ok(start..self.position)
    }

    /// Bits past the type's width fall away, as they do in Kafka.
    fn unsigned(&mut self, bytes_max: u32) -> Result<u64, RecordFault> {
        let mut value = 0;
        for group in 0..bytes_max {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(RecordFault::Varint)
    }
}

pub fn put_varint(out: &mut impl BufMut, value: i32) {
    put_unsigned(out, zigzag(value.into()));
}

pub fn put_varlong(out: &mut impl BufMut, value: i64) {
    put_unsigned(out, zigzag(value));
}

/// Bytes that `value` takes as a variable-length number.
pub fn varlong_size(value: i64) -> usize {
    let bits = 64 - zigzag(value).leading_zeros();
    bits.div_ceil(7).max(1) as usize
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn put_unsigned(out: &mut impl BufMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_what_they_wrote_and_take_the_size_they_said() {
        let edges = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, i64::from(i32::MIN), i64::MAX, i64::MIN];
        for value in edges {
            let mut out = Vec::new();
            put_varlong(&mut out, value);
            assert_eq!(out.len(), varlong_size(value), "{value}");
            assert_eq!(Cursor::new(&out, 0).varlong(), Ok(value));
        }
        for value in [0, -1, i32::MAX, i32::MIN] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(Cursor::new(&out, 0).varint(), Ok(value));
        }
    }

    #[test]
    fn a_number_without_end_is_refused() {
        assert_eq!(Cursor::new(&[0xff; 11], 0).varint(), Err(RecordFault::Varint));
        assert_eq!(Cursor::new(&[0xff; 11], 0).varlong(), Err(RecordFault::Varint));
        assert_eq!(Cursor::new(&[0xff], 0).varint(), Err(RecordFault::Truncated));
    }
}
