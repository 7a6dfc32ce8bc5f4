//! Snappy in its two framings: raw, as librdkafka and others write it, and xerial's, as Java does.
//!
//! ```text
//! 0    magic      0x82 "SNAPPY" 0x00
//! 8    version    i32, 1
//! 12   compatible i32, 1
//! 16   blocks     each: i32 length, that many bytes of raw snappy (of 32 KiB of input, the last one of less)
//! ```

use std::io;

use snap::raw::{Decoder, Encoder, decompress_len};

use super::compression::too_large;

const MAGIC: &[u8] = b"\x82SNAPPY\0";
const HEADER: &[u8] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
const BLOCK_LENGTH: usize = 32 << 10;
/// A copy of 64 bytes takes 3: no snappy grows by more.
const EXPANSION_MAX: usize = 22;

/// Packs as Java does.
pub fn compress(records: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = HEADER.to_vec();
    let mut encoder = Encoder::new();
    for block in records.chunks(BLOCK_LENGTH) {
        let block = encoder.compress_vec(block)?;
        let length = i32::try_from(block.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        packed.extend_from_slice(&length.to_be_bytes());
        packed.extend_from_slice(&block);
    }
    Ok(packed)
}

/// Unpacks either framing.
pub fn decompress(packed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    if !packed.starts_with(MAGIC) {
        unpack_block(packed, limit, &mut unpacked)?;
        return Ok(unpacked);
    }
    let mut blocks = packed.get(HEADER.len()..).ok_or(io::ErrorKind::UnexpectedEof)?;
    while !blocks.is_empty() {
        let block = take_block(&mut blocks)?;
        unpack_block(block, limit, &mut unpacked)?;
    }
    Ok(unpacked)
}

fn take_block<'a>(blocks: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    let (length, rest) = blocks.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (block, rest) = rest.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
    *blocks = rest;
    Ok(block)
}

fn unpack_block(block: &[u8], limit: usize, unpacked: &mut Vec<u8>) -> io::Result<()> {
    let length = decompress_len(block)?;
    if length / EXPANSION_MAX > block.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a block claims more than snappy can pack"));
    }
    let start = unpacked.len();
    if length > limit - start {
        return Err(too_large());
    }
    unpacked.resize(start + length, 0);
    Decoder::new().decompress(block, &mut unpacked[start..])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_and_xerial_framing_both_unpack() {
        let records = b"the castle, the castle, the castle".repeat(2000);
        let raw = Encoder::new().compress_vec(&records).expect("it packs");
        let xerial = compress(&records).expect("it packs");
        assert!(xerial.starts_with(HEADER));
        for packed in [raw, xerial] {
            assert_eq!(decompress(&packed, records.len()).expect("it unpacks"), records);
        }
    }

    #[test]
    fn a_block_that_claims_gigabytes_is_refused_before_it_is_allocated() {
        let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        let refused = decompress(&claim, usize::MAX).expect_err("six bytes hold no 4 GiB");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    }
}
