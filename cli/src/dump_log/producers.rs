//! `.snapshot`: the producers of a log as of the offset in the file's name; `.txnindex`: its aborted transactions.
//! Big-endian.
//!
//! ```text
//! .snapshot  version i16 (1) | crc32c u32 of what follows | count i32 | count times, 46 bytes:
//!              producer id i64 | epoch i16 | last sequence i32 | last offset i64 | offset delta i32 | timestamp i64
//!              | coordinator epoch i32 | first offset of the open transaction i64
//! .txnindex  version i16 (0) | producer id i64 | first offset i64 | last offset i64 | last stable offset i64
//! ```

use std::fs;
use std::path::Path;

use anyhow::{bail, ensure};
use bytes::{Buf, Bytes};

use super::Dump;
use super::index::entries;
use super::row::Row;

const HEADER_BYTES: usize = 10;
const CRC_COVERS_FROM: usize = 6;
const PRODUCER_BYTES: usize = 46;
/// A snapshot of more than a million producers; nothing larger is read.
const SNAPSHOT_BYTES_MAX: u64 = 64 << 20;

pub fn dump_snapshot(dump: &mut Dump, path: &Path) -> anyhow::Result<()> {
    let length = fs::metadata(path)?.len();
    ensure!(length <= SNAPSHOT_BYTES_MAX, "it has {length} bytes, more than {SNAPSHOT_BYTES_MAX}");
    let mut bytes = Bytes::from(fs::read(path)?);
    if bytes.len() < HEADER_BYTES {
        bail!("it has {} bytes, less than its header of {HEADER_BYTES}", bytes.len());
    }
    let computed = crc32c(&bytes[CRC_COVERS_FROM..]);
    let (version, crc, count) = (bytes.get_i16(), bytes.get_u32(), bytes.get_i32());
    ensure!(version == 1, "its version is {version}, and 1 is known");
    if crc != computed {
        dump.fault(path, format!("its checksum is {crc:#010x}, but its bytes have {computed:#010x}"));
    }
    if usize::try_from(count).ok().and_then(|count| count.checked_mul(PRODUCER_BYTES)) != Some(bytes.len()) {
        dump.fault(path, format!("it counts {count} producers in {} bytes", bytes.len()));
    }
    while bytes.len() >= PRODUCER_BYTES {
        dump.rows.put(producer_row(&mut bytes))?;
    }
    Ok(())
}

fn producer_row(bytes: &mut Bytes) -> Row {
    Row::new()
        .with("producerId", bytes.get_i64())
        .with("producerEpoch", bytes.get_i16())
        .with("lastSequence", bytes.get_i32())
        .with("lastOffset", bytes.get_i64())
        .with("offsetDelta", bytes.get_i32())
        .with("timestamp", bytes.get_i64())
        .with("coordinatorEpoch", bytes.get_i32())
        .with("currentTxnFirstOffset", bytes.get_i64())
}

pub fn dump_transactions(dump: &mut Dump, path: &Path) -> anyhow::Result<()> {
    for entry in entries::<34>(path)? {
        let entry = entry?;
        let mut entry = &entry[..];
        let row = Row::new()
            .with("version", entry.get_i16())
            .with("producerId", entry.get_i64())
            .with("firstOffset", entry.get_i64())
            .with("lastOffset", entry.get_i64())
            .with("lastStableOffset", entry.get_i64());
        dump.rows.put(row)?;
    }
    Ok(())
}

fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}
