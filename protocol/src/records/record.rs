//! The records inside one batch.
//!
//! ```text
//! length          varint   bytes that follow
//! attributes      i8       unused
//! timestamp_delta varlong  from the batch's base timestamp
//! offset_delta    varint   from the batch's base offset
//! key             varint length (−1: null), bytes
//! value           varint length (−1: null), bytes
//! headers         varint count; each: key (varint length, bytes), value (varint length or −1, bytes)
//! ```
//!
//! Two views of the same bytes: [`RawRecord`] holds ranges and is what checks walk over; [`Record`] holds slices of
//! the batch. Neither copies. Every length is checked against what is left of its record before it is used.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use crate::types::Offset;

use super::cursor::Cursor;
use super::{BatchHeader, RecordFault, RecordsError, TimestampType};

/// The smallest header: an empty key and a null value.
const HEADER_LENGTH_MIN: usize = 2;

/// One record, its bytes shared with the batch that it came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub offset: Offset,
    /// Milliseconds since 1970; −1 where the producer gave none.
    pub timestamp: i64,
    pub key: Option<Bytes>,
    /// `None` is a tombstone: it deletes its key from a compacted topic.
    pub value: Option<Bytes>,
    pub headers: Vec<Header>,
}

/// A record's header. Its key is text by convention; Kafka checks that nowhere, so it stays bytes here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub key: Bytes,
    pub value: Option<Bytes>,
}

impl Header {
    /// The key as text, with marks where it is none.
    pub fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.key)
    }
}

/// The records of one batch, in order. It ends after the first error.
pub struct Records {
    raw: RawRecords,
    payload: Bytes,
}

impl Records {
    pub(super) fn new(header: BatchHeader, payload: Bytes) -> Records {
        Records { raw: RawRecords::new(header), payload }
    }
}

impl Iterator for Records {
    type Item = Result<Record, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let raw = self.raw.next(&self.payload)?;
        Some(raw.and_then(|raw| {
            let record = raw.to_record(&self.raw.header, &self.payload);
            record.map_err(|fault| fault.at(raw.index))
        }))
    }
}

/// Where a record's parts lie in the batch's payload.
pub(super) struct RawRecord {
    pub index: i32,
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    pub key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: usize,
    headers_count: usize,
}

impl RawRecord {
    fn read(cursor: &mut Cursor<'_>, index: i32) -> Result<RawRecord, RecordFault> {
        let length = usize::try_from(cursor.varint()?).map_err(|_| RecordFault::NegativeLength)?;
        let mut body = cursor.split(length)?;
        body.byte()?;
        let (timestamp_delta, offset_delta) = (body.varlong()?, body.varint()?);
        let (key, value) = (body.nullable_bytes()?, body.nullable_bytes()?);
        let headers_count = usize::try_from(body.varint()?).map_err(|_| RecordFault::HeaderCount)?;
        if headers_count > body.remaining() / HEADER_LENGTH_MIN {
            return Err(RecordFault::HeaderCount);
        }
        let headers = body.position();
        for _ in 0..headers_count {
            read_header(&mut body)?;
        }
        match body.remaining() {
            0 => Ok(RawRecord { index, timestamp_delta, offset_delta, key, value, headers, headers_count }),
            _ => Err(RecordFault::Length),
        }
    }

    /// Milliseconds; a delta that leaves the range of 64 bits wraps, as it does in Kafka.
    pub fn timestamp(&self, batch: &BatchHeader) -> i64 {
        match batch.timestamp_type() {
            TimestampType::LogAppendTime => batch.max_timestamp,
            TimestampType::CreateTime => batch.base_timestamp.wrapping_add(self.timestamp_delta),
        }
    }

    fn to_record(&self, batch: &BatchHeader, payload: &Bytes) -> Result<Record, RecordFault> {
        let slice = |range: &Range<usize>| payload.slice(range.clone());
        Ok(Record {
            offset: Offset(batch.base_offset.0.saturating_add(self.offset_delta.into())),
            timestamp: self.timestamp(batch),
            key: self.key.as_ref().map(slice),
            value: self.value.as_ref().map(slice),
            headers: self.headers_of(payload)?,
        })
    }

    fn headers_of(&self, payload: &Bytes) -> Result<Vec<Header>, RecordFault> {
        let mut cursor = Cursor::new(payload, self.headers);
        let mut headers = Vec::with_capacity(self.headers_count);
        for _ in 0..self.headers_count {
            let (key, value) = read_header(&mut cursor)?;
            headers.push(Header { key: payload.slice(key), value: value.map(|value| payload.slice(value)) });
        }
        Ok(headers)
    }
}

fn read_header(body: &mut Cursor<'_>) -> Result<(Range<usize>, Option<Range<usize>>), RecordFault> {
    let key = body.nullable_bytes()?.ok_or(RecordFault::NullHeaderKey)?;
    Ok((key, body.nullable_bytes()?))
}

/// Walks over a payload that it does not hold: as many records as the batch counts, and not a byte more.
pub(super) struct RawRecords {
    header: BatchHeader,
    position: usize,
    index: i32,
    failed: bool,
}

impl RawRecords {
    pub fn new(header: BatchHeader) -> RawRecords {
        RawRecords { header, position: 0, index: 0, failed: false }
    }

    pub fn next(&mut self, payload: &[u8]) -> Option<Result<RawRecord, RecordsError>> {
        if self.failed {
            return None;
        }
        let step = self.step(payload).transpose();
        self.failed = matches!(step, Some(Err(_)) | None);
        step
    }

    fn step(&mut self, payload: &[u8]) -> Result<Option<RawRecord>, RecordsError> {
        if self.header.records_count < 0 {
            return Err(RecordsError::RecordsCount { records: self.header.records_count });
        }
        let mut cursor = Cursor::new(payload, self.position);
        if self.index == self.header.records_count {
            return self.expect_end(cursor.remaining());
        }
        let record = RawRecord::read(&mut cursor, self.index).map_err(|fault| fault.at(self.index))?;
        self.position = cursor.position();
        self.index += 1;
        Ok(Some(record))
    }

    fn expect_end(&self, bytes: usize) -> Result<Option<RawRecord>, RecordsError> {
        match bytes {
            0 => Ok(None),
            bytes => Err(RecordsError::BytesLeftOver { records: self.header.records_count, bytes }),
        }
    }
}
