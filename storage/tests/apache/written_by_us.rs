//! A log with everything that a log can hold is accepted by DumpLogSegments, record for record.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protocol::records::{
    BatchBuilder, Compression, EndTransactionMarker, Header, RecordBatch, TimestampType,
};
use protocol::types::{LeaderEpoch, Offset};
use storage::FileCache;
use storage::log::{Log, LogConfig, Opening, prepare_for_append};
use storage::producer::AppendOrigin;

use super::contents::batches_of;
use super::dump::dump;

const CLIENT: AppendOrigin = AppendOrigin::Client { begins_at_zero: false };
const COORDINATOR: AppendOrigin = AppendOrigin::Coordinator { transaction_version: 0 };
const NOW_MS: i64 = 1_790_000_000_000;

fn open(directory: &Path, recovery_point: Offset, clean: bool) -> Log {
    let config = LogConfig {
        segment_bytes: 20_000,
        index_interval_bytes: 1000,
        segment_time: Duration::from_secs(3600),
        ..LogConfig::default()
    };
    let files = Arc::new(FileCache::default());
    let opening = Opening { recovery_point, log_start_offset: Offset(0), clean, now_ms: NOW_MS, files };
    Log::open(directory, config, opening).unwrap().0
}

fn batch(n: i64, change: impl FnOnce(BatchBuilder) -> BatchBuilder) -> RecordBatch {
    let compression = Compression::ALL[n as usize % Compression::ALL.len()];
    let mut builder = change(BatchBuilder::new(compression));
    let header = Header { key: "header".into(), value: None };
    for record in 0..1 + n % 4 {
        let value = format!("value {n} {record} {}", "x".repeat(n as usize * 7 % 300));
        let timestamp = NOW_MS + (n * 13 % 7) * 1000 + n;
        builder.append(timestamp, Some(b"key"), Some(value.as_bytes()), std::slice::from_ref(&header));
    }
    RecordBatch::parse(&builder.build().unwrap()).unwrap()
}

fn append(log: &mut Log, batch: RecordBatch, epoch: i32, origin: AppendOrigin) {
    log.append_as_leader(&[batch], LeaderEpoch(epoch), origin, NOW_MS).unwrap();
}

fn fill(log: &mut Log) {
    let mut sequence = 0;
    for n in 0..300 {
        let epoch = (n / 100) as i32;
        match n % 5 {
            0 => append(log, batch(n, |builder| builder), epoch, CLIENT),
            1 => {
                let batch = batch(n, |builder| builder.producer(7, 0, sequence));
                sequence += batch.header.records_count;
                append(log, batch, epoch, CLIENT);
            }
            2 => append(
                log,
                batch(n, |builder| builder.producer(8, n as i16, 0).transactional()),
                epoch,
                CLIENT,
            ),
            3 => {
                let marker = EndTransactionMarker { committed: n % 2 == 0, coordinator_epoch: 3 };
                let bytes = marker.batch((8, n as i16 - 1), Offset(0), LeaderEpoch(0), NOW_MS).unwrap();
                append(log, RecordBatch::parse(&bytes).unwrap(), epoch, COORDINATOR);
            }
            _ => {
                let config =
                    LogConfig { timestamp_type: TimestampType::LogAppendTime, ..LogConfig::default() };
                let bytes = batch(n, |builder| builder).to_bytes();
                let stamped = prepare_for_append(&bytes, &config, NOW_MS + n * 100).unwrap();
                append(log, stamped.into_iter().next().unwrap(), epoch, CLIENT);
            }
        }
    }
}

fn check(directory: &Path, log: &Log) {
    let records: i32 = batches_of(log).iter().map(|batch| batch.header.records_count).sum();
    let dumped = dump(directory);
    assert_eq!(dumped.len(), records as usize);
    assert!(dumped.iter().any(|line| line.contains("payload: value 299")), "the last batch is there");
}

#[test]
fn dump_log_segments_accepts_our_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders-0");
    let mut log = open(&path, Offset(0), true);
    fill(&mut log);
    assert!(
        log.segments_count() > 3
            && !log.view_from(Offset(0)).aborted_transactions(log.log_end_offset()).unwrap().is_empty()
    );
    log.flush().unwrap();
    check(&path, &log);

    let recovery_point = Offset(log.log_end_offset().0 / 2);
    drop(log);
    let recovered = open(&path, recovery_point, false);
    recovered.close().unwrap();
    let reopened = open(&path, recovery_point, true);
    check(&path, &reopened);
}

#[test]
fn dump_log_segments_accepts_a_truncated_log_that_went_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders-0");
    let mut log = open(&path, Offset(0), true);
    fill(&mut log);
    log.truncate_to(Offset(log.log_end_offset().0 / 2), NOW_MS).unwrap();
    append(&mut log, batch(299, |builder| builder), 3, CLIENT);
    log.close().unwrap();
    check(&path, &open(&path, Offset(0), true));
}
