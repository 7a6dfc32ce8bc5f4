//! Unsigned variable-length integers: seven bits a byte, lowest first, the top bit says that more follow.

/// An unsigned varint never takes more bytes.
pub const MAX_BYTES: usize = 5;

/// Appends `value` in one to five bytes.
pub fn put(into: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// The value that `bytes` begin with and how many bytes it takes; `None` if they do not hold a whole one.
pub fn get(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0u32;
    for (at, byte) in bytes.iter().take(MAX_BYTES).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_reads_back() {
        for (value, length) in
            [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (1 << 28, 5), (u32::MAX, 5)]
        {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert_eq!(bytes.len(), length);
            assert_eq!(get(&bytes), Some((value, length)));
            assert_eq!(get(&bytes[..length - 1]), None);
        }
    }

    #[test]
    fn a_sixth_byte_is_refused() {
        assert_eq!(get(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01]), None);
    }
}
