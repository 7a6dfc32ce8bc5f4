//! Packing and unpacking of a batch's records by Kafka's four codecs, as Kafka's Java client frames them.
//!
//! Invariant: unpacking allocates at most about twice the caller's limit and some megabytes of a codec's window, whatever the
//! bytes say of themselves.

use std::io::{self, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::{Compression, RecordsError, snappy};

const GZIP_LEVEL_MAX: u32 = 9;

/// A window of 8 MiB, which every zstd decoder must serve; larger limits allow as large a window.
const ZSTD_WINDOW_LOG_MIN: u32 = 23;
/// The largest window that zstd itself takes unasked.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Packs records. `Compression::None` gives them back as they are.
pub fn compress(compression: Compression, records: &[u8]) -> Result<Vec<u8>, RecordsError> {
    compress_at(compression, None, records)
}

/// Packs records at a level of the codec's own: gzip has 1 to 9, zstd −131072 to 22, the others have none.
pub fn compress_at(
    compression: Compression,
    level: Option<i32>,
    records: &[u8],
) -> Result<Vec<u8>, RecordsError> {
    let packed = match compression {
        Compression::None => Ok(records.to_vec()),
        Compression::Gzip => gzip(level, records),
        Compression::Snappy => snappy::compress(records),
        Compression::Lz4 => lz4(records),
        Compression::Zstd => zstd::bulk::compress(records, level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL)),
    };
    packed.map_err(|error| RecordsError::Compress { compression, reason: error.to_string() })
}

/// Unpacks records to `limit` bytes at most; more is [`RecordsError::DecompressedTooLarge`].
pub fn decompress(compression: Compression, packed: &[u8], limit: usize) -> Result<Vec<u8>, RecordsError> {
    let unpacked = match compression {
        Compression::None => read_bounded(packed, limit),
        Compression::Gzip => read_bounded(MultiGzDecoder::new(packed), limit),
        Compression::Snappy => snappy::decompress(packed, limit),
        Compression::Lz4 => read_bounded(FrameDecoder::new(packed), limit),
        Compression::Zstd => zstd_decoder(packed, limit).and_then(|decoder| read_bounded(decoder, limit)),
    };
    unpacked.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => RecordsError::DecompressedTooLarge { compression, limit },
        _ => RecordsError::Decompress { compression, reason: error.to_string() },
    })
}

/// What unpacking ends with when it meets the limit.
pub(super) fn too_large() -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}

fn gzip(level: Option<i32>, records: &[u8]) -> io::Result<Vec<u8>> {
    let level = level.and_then(|level| u32::try_from(level).ok()).map(|level| level.min(GZIP_LEVEL_MAX));
    let level = level.map_or_else(flate2::Compression::default, flate2::Compression::new);
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(records)?;
    encoder.finish()
}

/// Java's reader asks for blocks that stand alone; 64 KiB is what its writer makes.
fn lz4(records: &[u8]) -> io::Result<Vec<u8>> {
    let frame = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(frame, Vec::new());
    encoder.write_all(records)?;
    encoder.finish().map_err(io::Error::from)
}

fn zstd_decoder(packed: &[u8], limit: usize) -> io::Result<zstd::Decoder<'static, &[u8]>> {
    let mut decoder = zstd::Decoder::with_buffer(packed)?;
    let window_log = limit.max(1).ilog2() + 1;
    decoder.window_log_max(window_log.clamp(ZSTD_WINDOW_LOG_MIN, ZSTD_WINDOW_LOG_MAX))?;
    Ok(decoder)
}

fn read_bounded(reader: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    reader.take((limit as u64).saturating_add(1)).read_to_end(&mut unpacked)?;
    if unpacked.len() > limit { Err(too_large()) } else { Ok(unpacked) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    #[test]
    fn every_codec_gives_back_what_it_packed() {
        let long: Vec<u8> = (0..200_000).map(|i| (i % 251) as u8 ^ (i / 1000) as u8).collect();
        for compression in Compression::ALL {
            for records in [&b""[..], b"k", &long] {
                let packed = compress(compression, records).expect("it packs");
                assert_eq!(decompress(compression, &packed, LIMIT), Ok(records.to_vec()), "{compression}");
            }
        }
    }

    #[test]
    fn a_higher_level_packs_more_tightly() {
        // Words of a small dictionary, in no order.
        let word = |i: u64| (i.wrapping_mul(i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54).to_string();
        let records: Vec<u8> = (0..100_000).flat_map(|i| word(i).into_bytes()).collect();
        for (compression, low, high) in [(Compression::Gzip, 1, 9), (Compression::Zstd, 1, 19)] {
            let packed = |level| compress_at(compression, Some(level), &records).expect("it packs");
            assert!(packed(high).len() < packed(low).len(), "{compression}");
            assert_eq!(decompress(compression, &packed(high), LIMIT), Ok(records.clone()));
        }
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = vec![0; LIMIT + 1];
        for compression in Compression::ALL {
            let packed = compress(compression, &bomb).expect("it packs");
            let refused = RecordsError::DecompressedTooLarge { compression, limit: LIMIT };
            assert_eq!(decompress(compression, &packed, LIMIT), Err(refused));
        }
    }

    #[test]
    fn bytes_that_were_never_packed_are_refused() {
        for compression in &Compression::ALL[1..] {
            let unpacked = decompress(*compression, b"\xffnot packed at all", LIMIT);
            assert!(matches!(unpacked, Err(RecordsError::Decompress { .. })), "{compression}: {unpacked:?}");
        }
    }
}
