//! The replicas of a stopped broker, read from its log directory: its checkpoints, and the batches of its segments.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use protocol::records::{BatchHeader, RecordBatch};
use protocol::types::Offset;

use super::Replica;

const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
const LOG_STARTS: &str = "log-start-offset-checkpoint";
/// Before the entries: the version and how many there are.
const CHECKPOINT_HEADER_LINES: usize = 2;

/// Every replica in a log directory, by partition (`topic-0`).
pub fn read(broker: &str, directory: &Path) -> Result<BTreeMap<String, Replica>> {
    let high_watermarks = checkpoint(&directory.join(HIGH_WATERMARKS))?;
    let log_starts = checkpoint(&directory.join(LOG_STARTS))?;
    let mut replicas = BTreeMap::new();
    for (partition, high_watermark) in high_watermarks {
        let batches =
            batches(&directory.join(&partition)).with_context(|| format!("{broker}: {partition}"))?;
        let log_start_offset = log_starts.get(&partition).copied().unwrap_or(Offset(0));
        let broker = broker.to_owned();
        replicas.insert(partition, Replica { broker, log_start_offset, high_watermark, batches });
    }
    Ok(replicas)
}

/// Lines of `topic partition offset`; a file that is not there holds none.
fn checkpoint(path: &Path) -> Result<BTreeMap<String, Offset>> {
    let text = if path.exists() { fs::read_to_string(path)? } else { String::new() };
    let entries = text.lines().skip(CHECKPOINT_HEADER_LINES).map(entry);
    entries.collect::<Result<_>>().with_context(|| path.display().to_string())
}

fn entry(line: &str) -> Result<(String, Offset)> {
    let mut words = line.split(' ');
    let mut next = || words.next().with_context(|| format!("'{line}' is no entry"));
    Ok((format!("{}-{}", next()?, next()?), Offset(next()?.parse()?)))
}

fn batches(folder: &Path) -> Result<Vec<BatchHeader>> {
    let mut found = Vec::new();
    for segment in segments(folder)? {
        let mut rest = Bytes::from(fs::read(&segment)?);
        while !rest.is_empty() {
            let batch = RecordBatch::parse(&rest).with_context(|| segment.display().to_string())?;
            batch.verify_crc().with_context(|| format!("{} at {:?}", segment.display(), batch.header))?;
            rest = rest.slice(batch.size_in_bytes()..);
            found.push(batch.header);
        }
    }
    Ok(found)
}

fn segments(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_log = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "log");
    let mut segments: Vec<_> = entries.into_iter().filter(is_log).collect();
    ensure!(!segments.is_empty(), "no segments");
    segments.sort();
    Ok(segments)
}
