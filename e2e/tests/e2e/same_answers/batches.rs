//! Record batches as trees. A script writes them right or wrong:
//!
//! ```text
//! {records: [{key: "k", value: "v", timestamp: 5, offset_delta: 0, headers: [{key: "h", value: null}]}],
//!  codec: "gzip", attributes: 0, base_timestamp: 5, producer_id: 1, …, cut: 3}
//! ```
//!
//! Every field of the header may be given, and is computed otherwise; `cut` takes bytes from the end.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use protocol::records::{BATCH_HEADER_LENGTH, Compression, RecordBatch, TimestampType, compress};

use super::encode::put_unsigned;
use super::value::{Fields, Value, find};

/// Where records have no time of their own: 14 November 2023.
const TIMESTAMP: i64 = 1_700_000_000_000;
const CRC_COVERS_FROM: usize = 21;
const LOG_OVERHEAD: usize = 12;
const UNPACKED_MAX: usize = 64 << 20;

/// Fields of the header: name, position, bytes.
const HEADER: [(&str, usize, usize); 13] = [
    ("base_offset", 0, 8),
    ("length", 8, 4),
    ("leader_epoch", 12, 4),
    ("magic", 16, 1),
    ("crc", 17, 4),
    ("attributes", 21, 2),
    ("last_offset_delta", 23, 4),
    ("base_timestamp", 27, 8),
    ("max_timestamp", 35, 8),
    ("producer_id", 43, 8),
    ("producer_epoch", 51, 2),
    ("base_sequence", 53, 4),
    ("count", 57, 4),
];

/// The bytes of one batch.
pub fn write(batch: &Value) -> Result<Vec<u8>> {
    let Value::Struct(fields) = batch else { bail!("{batch} is no batch") };
    let known = |name: &str| HEADER.iter().any(|(known, ..)| *known == name);
    for (name, _) in fields {
        ensure!(known(name) || ["records", "codec", "cut"].contains(&name.as_str()), "a batch has no {name}");
    }
    let records = match find(fields, "records") {
        Some(Value::List(records)) => records.as_slice(),
        _ => &[],
    };
    let codec = codec(fields)?;
    let base_timestamp = int(fields, "base_timestamp", first_timestamp(records));
    let mut payload = Vec::new();
    for (at, record) in records.iter().enumerate() {
        payload.extend(self::record(at, record, base_timestamp)?);
    }
    let payload = if codec == Compression::None { payload } else { compress(codec, &payload)? };
    let mut bytes = vec![0; BATCH_HEADER_LENGTH];
    bytes.extend(payload);
    header(&mut bytes, fields, codec, records.len() as i64, base_timestamp, last_timestamp(records));
    bytes.truncate(bytes.len().saturating_sub(int(fields, "cut", 0) as usize));
    Ok(bytes)
}

fn header(bytes: &mut [u8], fields: &Fields, codec: Compression, count: i64, base: i64, max: i64) {
    let codec = Compression::ALL.iter().position(|one| *one == codec).unwrap_or_default() as i64;
    let length = (bytes.len() - LOG_OVERHEAD) as i64;
    for (name, position, size) in HEADER {
        let computed = match name {
            "length" => length,
            "magic" => 2,
            "attributes" => codec,
            "last_offset_delta" => (count - 1).max(0),
            "base_timestamp" => base,
            "max_timestamp" => max,
            "count" => count,
            "base_offset" | "crc" => 0,
            _ => -1,
        };
        put(bytes, position, size, int(fields, name, computed));
    }
    let crc = crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, &bytes[CRC_COVERS_FROM..]) as i64;
    put(bytes, 17, 4, int(fields, "crc", crc));
}

fn put(bytes: &mut [u8], position: usize, size: usize, value: i64) {
    bytes[position..position + size].copy_from_slice(&value.to_be_bytes()[8 - size..]);
}

fn codec(fields: &Fields) -> Result<Compression> {
    let Some(Value::Text(name)) = find(fields, "codec") else { return Ok(Compression::None) };
    let codec = Compression::ALL.into_iter().find(|codec| codec.name() == name);
    codec.with_context(|| format!("no codec is named {name}"))
}

fn int(fields: &Fields, name: &str, default: i64) -> i64 {
    match find(fields, name) {
        Some(Value::Int(value)) => *value,
        _ => default,
    }
}

fn timestamp(record: &Value) -> i64 {
    match record.at("timestamp") {
        Some(Value::Int(timestamp)) => *timestamp,
        _ => TIMESTAMP,
    }
}

fn first_timestamp(records: &[Value]) -> i64 {
    records.first().map_or(TIMESTAMP, timestamp)
}

fn last_timestamp(records: &[Value]) -> i64 {
    records.iter().map(timestamp).max().unwrap_or(TIMESTAMP)
}

fn record(at: usize, record: &Value, base_timestamp: i64) -> Result<Vec<u8>> {
    let Value::Struct(fields) = record else { bail!("{record} is no record") };
    let mut body = vec![0];
    put_signed(&mut body, timestamp(record).wrapping_sub(base_timestamp));
    put_signed(&mut body, int(fields, "offset_delta", at as i64));
    put_bytes(&mut body, find(fields, "key"))?;
    put_bytes(&mut body, find(fields, "value"))?;
    let headers = match find(fields, "headers") {
        Some(Value::List(headers)) => headers.as_slice(),
        _ => &[],
    };
    put_signed(&mut body, int(fields, "headers_count", headers.len() as i64));
    for header in headers {
        put_bytes(&mut body, header.at("key"))?;
        put_bytes(&mut body, header.at("value"))?;
    }
    let mut bytes = Vec::new();
    put_signed(&mut bytes, int(fields, "length", body.len() as i64));
    bytes.extend(body);
    Ok(bytes)
}

fn put_bytes(out: &mut Vec<u8>, value: Option<&Value>) -> Result<()> {
    let bytes: &[u8] = match value {
        None | Some(Value::Null) => {
            put_signed(out, -1);
            return Ok(());
        }
        Some(Value::Text(text)) => text.as_bytes(),
        Some(Value::Bytes(bytes)) => bytes,
        Some(other) => bail!("{other} is no key and no value"),
    };
    put_signed(out, bytes.len() as i64);
    out.extend(bytes);
    Ok(())
}

fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, (value << 1 ^ value >> 63) as u64);
}

/// The trees of all whole batches in `bytes`. Kafka cuts the last one where the fetch's limit falls; that rest says
/// nothing.
pub fn read(bytes: &Bytes) -> Value {
    Value::List(protocol::records::batches(bytes).map_while(Result::ok).map(|batch| tree(&batch)).collect())
}

fn tree(batch: &RecordBatch) -> Value {
    let header = &batch.header;
    let records = match batch.records(UNPACKED_MAX).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(records) => Value::List(records.into_iter().map(record_tree).collect()),
        Err(error) => Value::Text(error.to_string()),
    };
    let int = |name: &str, value: i64| (name.to_owned(), Value::Int(value));
    Value::Struct(vec![
        int("base_offset", header.base_offset.0),
        int("leader_epoch", header.partition_leader_epoch.0.into()),
        ("codec".to_owned(), Value::Text(header.compression().name().to_owned())),
        (
            "is_log_append_time".to_owned(),
            Value::Bool(header.timestamp_type() == TimestampType::LogAppendTime),
        ),
        ("is_transactional".to_owned(), Value::Bool(header.is_transactional())),
        ("is_control".to_owned(), Value::Bool(header.is_control())),
        int("last_offset_delta", header.last_offset_delta.into()),
        int("base_timestamp", header.base_timestamp),
        int("max_timestamp", header.max_timestamp),
        int("producer_id", header.producer_id),
        int("producer_epoch", header.producer_epoch.into()),
        int("base_sequence", header.base_sequence.into()),
        ("records".to_owned(), records),
    ])
}

fn record_tree(record: protocol::records::Record) -> Value {
    let bytes = |bytes: Option<Bytes>| bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.to_vec()));
    let headers = record.headers.into_iter().map(|header| {
        Value::Struct(vec![
            ("key".to_owned(), Value::Bytes(header.key.to_vec())),
            ("value".to_owned(), bytes(header.value)),
        ])
    });
    Value::Struct(vec![
        ("offset".to_owned(), Value::Int(record.offset.0)),
        ("timestamp".to_owned(), Value::Int(record.timestamp)),
        ("key".to_owned(), bytes(record.key)),
        ("value".to_owned(), bytes(record.value)),
        ("headers".to_owned(), Value::List(headers.collect())),
    ])
}
