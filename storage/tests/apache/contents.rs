//! Reading a log from end to end.

use std::os::unix::fs::FileExt;

use bytes::Bytes;
use protocol::records::{DECOMPRESSED_BYTES_MAX, Record, RecordBatch, batches};
use storage::log::Log;

/// Every batch of the log, by reads as a consumer makes them.
pub fn batches_of(log: &Log) -> Vec<RecordBatch> {
    let mut found = Vec::new();
    let mut offset = log.log_start_offset();
    while offset < log.log_end_offset() {
        let slice = log.read(offset, 100_000, log.log_end_offset(), true).unwrap();
        let range = slice.range.expect("the log goes on");
        let mut bytes = vec![0; range.length as usize];
        range.file.descriptor().unwrap().read_exact_at(&mut bytes, range.position).unwrap();
        for batch in batches(&Bytes::from(bytes)).map_while(Result::ok) {
            batch.verify_crc().unwrap();
            offset = batch.header.next_offset();
            found.push(batch);
        }
    }
    found
}

/// The records of every batch but the control batches.
pub fn records_of(log: &Log) -> Vec<Record> {
    let batches = batches_of(log).into_iter().filter(|batch| !batch.header.is_control());
    let records = batches.flat_map(|batch| batch.records(DECOMPRESSED_BYTES_MAX).unwrap());
    records.collect::<Result<_, _>>().unwrap()
}

pub fn value(record: &Record) -> String {
    String::from_utf8(record.value.clone().expect("it has a value").to_vec()).unwrap()
}
