//! The log directory of Apache Kafka, after `kill -9` and after a clean stop.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use protocol::records::{BatchBuilder, Compression, RecordBatch};
use protocol::types::{BrokerId, LeaderEpoch, Offset};
use storage::checkpoint::{LOG_START_OFFSETS, RECOVERY_POINTS};
use storage::log::{Log, LogConfig, Opening, Recovered};
use storage::log_dir::{LogDir, PartitionDirState, read_partition_metadata};
use storage::producer::AppendOrigin;
use storage::{FileCache, TopicPartition};

use super::contents::{records_of, value};
use super::dump::dump;
use super::java::{ApacheBroker, package, run};

const RECORDS: usize = 40_000;
const FIRST_TIMESTAMP: i64 = 1_700_000_000_000;

fn open(log_dir: &LogDir, topic: &str, clean: bool) -> (Log, Recovered) {
    let at = TopicPartition::new(topic, 0);
    let checkpoint = |name| log_dir.read_checkpoint(name).unwrap().get(&at).copied().unwrap_or(Offset(0));
    let opening = Opening {
        recovery_point: checkpoint(RECOVERY_POINTS),
        log_start_offset: checkpoint(LOG_START_OFFSETS),
        clean,
        now_ms: FIRST_TIMESTAMP,
        files: Arc::new(FileCache::default()),
    };
    let config = LogConfig { segment_bytes: 1 << 20, ..LogConfig::default() };
    Log::open(&log_dir.partition_path(&at), config, opening).unwrap()
}

fn check_directory(log_dir: &LogDir) {
    let properties = log_dir.read_meta_properties().unwrap().expect("it is formatted");
    assert_eq!((properties.cluster_id.as_str(), properties.node_id), ("8rV0aSFvQ3mrlwf1W1pJZw", BrokerId(1)));
    assert!(properties.directory_id.is_some());
    let partitions = log_dir.partitions().unwrap();
    assert!(partitions.iter().all(|found| found.state == PartitionDirState::Live));
    let names: Vec<_> = partitions.iter().map(|found| found.partition.to_string()).collect();
    assert_eq!(names, ["__transaction_state-0", "plain-0", "transactions-0"]);
    for found in partitions {
        assert!(
            read_partition_metadata(&found.path).unwrap().is_some(),
            "{} has a topic id",
            found.partition
        );
    }
}

fn check_plain(log: &mut Log) {
    let records = records_of(log);
    assert_eq!(records.len(), RECORDS);
    for (n, record) in records.iter().enumerate() {
        assert_eq!((record.offset, record.timestamp), (Offset(n as i64), FIRST_TIMESTAMP + n as i64));
        assert!(value(record).starts_with(&format!("record-{n}-")));
    }
    assert!(log.segments_count() > 1, "it has rolled");
    let end = log.log_end_offset();
    for n in [0, 1, 8_000, 23_456, RECORDS as i64 - 1] {
        let found = log.view().offset_for_timestamp(FIRST_TIMESTAMP + n, end).unwrap().expect("it is there");
        assert_eq!((found.offset, found.timestamp), (Offset(n), FIRST_TIMESTAMP + n));
        let slice = log.read(Offset(n), 1, end, true).unwrap();
        assert!(slice.first_offset <= Offset(n) && slice.length() > 0);
    }
    assert_eq!(log.view().max_timestamp().unwrap().unwrap().offset, end - 1);
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(0)));
    let last = log
        .producers()
        .producers()
        .values()
        .map(|producer| producer.batches.back())
        .max_by_key(|last| last.map(|batch| batch.last_offset));
    assert_eq!(
        last.flatten().map(|batch| batch.last_sequence),
        Some(7999),
        "the last producer's state is known"
    );
}

fn check_transactions(log: &Log) {
    let records = records_of(log);
    let values: Vec<_> = records.iter().map(value).collect();
    let expected = [("committed", 10), ("aborted", 5), ("committed", 3), ("open", 4)];
    assert_eq!(values, expected.iter().flat_map(|(value, count)| vec![*value; *count]).collect::<Vec<_>>());
    let end = log.log_end_offset();
    let aborted = log.view_from(Offset(0)).aborted_transactions(end).unwrap();
    assert_eq!(aborted.len(), 1);
    assert_eq!((aborted[0].first_offset, aborted[0].last_offset), (Offset(11), Offset(16)));
    assert_eq!(log.last_stable_offset(end), records[18].offset, "the open transaction is not stable");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn go_on(mut log: Log) {
    let mut builder = BatchBuilder::new(Compression::Zstd);
    builder.append(FIRST_TIMESTAMP, None, Some(b"ours"), &[]);
    let batch = RecordBatch::parse(&builder.build().unwrap()).unwrap();
    let client = AppendOrigin::Client { begins_at_zero: false };
    log.append_as_leader(&[batch], LeaderEpoch(9), client, FIRST_TIMESTAMP).unwrap();
    let directory = log.directory();
    log.close().unwrap();
    let last = dump(&directory).pop().expect("records");
    assert!(last.contains("payload: ours"), "{last}");
}

#[test]
fn a_log_directory_of_apache_kafka_opens() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let config = ApacheBroker::format(&data);
    let broker = ApacheBroker::start(&config);
    let writer = package().join("tests/apache/Writer.java");
    let written = run(writer.to_str().unwrap(), &[&format!("127.0.0.1:{}", broker.port)]);
    assert_eq!(written.stdout, "written\n");
    broker.kill();
    let killed = directory.path().join("killed");
    copy(&data, &killed);

    let log_dir = LogDir::open(&killed).unwrap();
    check_directory(&log_dir);
    assert_eq!(log_dir.read_clean_shutdown().unwrap(), None);
    let (mut plain, recovered) = open(&log_dir, "plain", false);
    assert!(recovered.verified_bytes > 0 && recovered.cut_bytes == 0 && recovered.first_gap.is_none());
    check_plain(&mut plain);
    check_transactions(&open(&log_dir, "transactions", false).0);
    go_on(plain);

    let restarted = ApacheBroker::start(&config);
    let server = format!("127.0.0.1:{}", restarted.port);
    run("org.apache.kafka.tools.TopicCommand", &["--bootstrap-server", &server, "--list"]);
    restarted.stop();
    let log_dir = LogDir::open(&data).unwrap();
    check_directory(&log_dir);
    assert!(log_dir.read_clean_shutdown().unwrap().is_some_and(|marker| marker.broker_epoch.is_some()));
    let (mut plain, recovered) = open(&log_dir, "plain", true);
    assert_eq!(recovered, Recovered::default());
    check_plain(&mut plain);
    check_transactions(&open(&log_dir, "transactions", true).0);
    go_on(plain);
}
