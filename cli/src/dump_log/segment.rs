//! `.log` files: the header of every batch and, on request, the records.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use protocol::records::{
    BATCH_HEADER_LENGTH, BatchHeader, ControlRecordType, DECOMPRESSED_BYTES_MAX, EndTransactionMarker,
    Record, RecordBatch, RecordsError, TimestampType,
};

use super::row::Row;
use super::{Dump, base_offset};

const BUFFER_BYTES: usize = 256 << 10;

/// Reads a segment batch by batch.
pub struct Segment {
    file: BufReader<File>,
    position: u64,
    length: u64,
}

impl Segment {
    pub fn open(path: &Path) -> anyhow::Result<Segment> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Segment { file: BufReader::with_capacity(BUFFER_BYTES, file), position: 0, length })
    }

    pub fn bytes_left(&self) -> u64 {
        self.length - self.position
    }

    /// Where the next batch begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn seek(&mut self, position: u64) -> anyhow::Result<()> {
        self.file.seek(SeekFrom::Start(position))?;
        self.position = position.min(self.length);
        Ok(())
    }

    /// The next batch; an error within where the rest is no batch. A length is believed only as far as the file goes.
    pub fn next(&mut self) -> anyhow::Result<Result<RecordBatch, RecordsError>> {
        let left = usize::try_from(self.bytes_left())?;
        let mut bytes = vec![0; BATCH_HEADER_LENGTH.min(left)];
        self.file.read_exact(&mut bytes).context("cannot read the file")?;
        let needed = match BatchHeader::parse(&bytes) {
            Ok(header) => header.batch_size(),
            Err(error) => return Ok(Err(error)),
        };
        if needed > left {
            return Ok(Err(RecordsError::Truncated { needed, available: left }));
        }
        bytes.resize(needed, 0);
        self.file.read_exact(&mut bytes[BATCH_HEADER_LENGTH..]).context("cannot read the file")?;
        self.position += needed as u64;
        Ok(RecordBatch::parse(&Bytes::from(bytes)))
    }
}

pub fn dump(dump: &mut Dump, path: &Path) -> anyhow::Result<()> {
    dump.rows.remark(&format!("Log starting offset: {}", base_offset(path)?))?;
    let mut segment = Segment::open(path)?;
    while segment.bytes_left() > 0 {
        let position = segment.position();
        match segment.next()? {
            Ok(batch) => dump_batch(dump, path, position, &batch)?,
            Err(error) => {
                let bytes = segment.bytes_left();
                dump.fault(
                    path,
                    format!("the last {bytes} bytes, from position {position} on, are no batch: {error}"),
                );
                return Ok(());
            }
        }
    }
    Ok(())
}

fn dump_batch(dump: &mut Dump, path: &Path, position: u64, batch: &RecordBatch) -> anyhow::Result<()> {
    dump.progress.add(batch.size_in_bytes());
    let verified = batch.verify_crc();
    dump.rows.put(batch_row(position, batch, verified.is_ok()))?;
    if let Err(error) = verified {
        dump.fault(path, format!("the batch at position {position}: {error}"));
        return Ok(());
    }
    if dump.deep
        && let Err(error) = dump_records(dump, batch)?
    {
        dump.fault(path, format!("the batch at position {position}: {error}"));
    }
    Ok(())
}

fn dump_records(dump: &mut Dump, batch: &RecordBatch) -> anyhow::Result<Result<(), RecordsError>> {
    let records = match batch.records(DECOMPRESSED_BYTES_MAX) {
        Ok(records) => records,
        Err(error) => return Ok(Err(error)),
    };
    for record in records {
        match record {
            Ok(record) => dump.rows.put(record_row(&batch.header, &record, dump.print_data))?,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

fn batch_row(position: u64, batch: &RecordBatch, valid: bool) -> Row {
    let header = &batch.header;
    Row::new()
        .with("baseOffset", header.base_offset.0)
        .with("lastOffset", header.last_offset().0)
        .with("count", header.records_count)
        .with("baseSequence", header.base_sequence)
        .with("lastSequence", header.last_sequence())
        .with("producerId", header.producer_id)
        .with("producerEpoch", header.producer_epoch)
        .with("partitionLeaderEpoch", header.partition_leader_epoch.0)
        .with("isTransactional", header.is_transactional())
        .with("isControl", header.is_control())
        .with("deleteHorizonMs", header.delete_horizon())
        .with("position", position)
        .with(timestamp_name(header), header.max_timestamp)
        .with("size", batch.size_in_bytes())
        .with("magic", protocol::records::MAGIC)
        .with("compresscodec", header.compression().name())
        .with("crc", header.crc)
        .with("isvalid", valid)
}

fn record_row(header: &BatchHeader, record: &Record, print_data: bool) -> Row {
    let size = |bytes: &Option<Bytes>| bytes.as_ref().map_or(-1, |bytes| bytes.len() as i64);
    let row = Row::of_record()
        .with("offset", record.offset.0)
        .with(timestamp_name(header), record.timestamp)
        .with("keySize", size(&record.key))
        .with("valueSize", size(&record.value))
        .with("sequence", sequence(header, record))
        .with(
            "headerKeys",
            record.headers.iter().map(|header| header.name().into_owned()).collect::<Vec<_>>(),
        );
    if header.is_control() {
        control_facts(row, record)
    } else if print_data {
        let key = record.key.iter().fold(row, |row, key| row.with("key", text(key)));
        record.value.iter().fold(key, |row, value| row.with("payload", text(value)))
    } else {
        row
    }
}

fn control_facts(row: Row, record: &Record) -> Row {
    match EndTransactionMarker::parse(record) {
        Ok(Some(EndTransactionMarker { committed, coordinator_epoch })) => row
            .with("endTxnMarker", if committed { "COMMIT" } else { "ABORT" })
            .with("coordinatorEpoch", coordinator_epoch),
        Ok(None) => match ControlRecordType::parse(record.key.as_deref().unwrap_or_default()) {
            Ok(ControlRecordType::Other(id)) => row.with("controlType", id),
            _ => row,
        },
        Err(error) => row.with("controlFault", error.to_string()),
    }
}

fn sequence(header: &BatchHeader, record: &Record) -> i32 {
    let delta = record.offset.0.saturating_sub(header.base_offset.0) as i32;
    BatchHeader { last_offset_delta: delta, ..*header }.last_sequence()
}

fn timestamp_name(header: &BatchHeader) -> &'static str {
    match header.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
