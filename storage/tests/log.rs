//! What a log does at its edges: rolling, refusing, letting go, and lasting out a disk that is full or broken.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protocol::records::{BatchBuilder, Compression, RecordBatch};
use protocol::types::{LeaderEpoch, Offset, Uuid};
use storage::log::{AppendError, Appended, Flush, Log, LogConfig, LogError, Opening, Recovered};
use storage::log_dir::{LogDir, PartitionDirState, remove_partition_dir};
use storage::producer::AppendOrigin;
use storage::{FileCache, TopicPartition};

const CLIENT: AppendOrigin = AppendOrigin::Client { begins_at_zero: false };
const NOW_MS: i64 = 1_790_000_000_000;

fn open_with(directory: &Path, config: LogConfig, files: &Arc<FileCache>) -> Log {
    let opening = Opening {
        recovery_point: Offset(0),
        log_start_offset: Offset(0),
        clean: false,
        now_ms: NOW_MS,
        files: files.clone(),
    };
    Log::open(directory, config, opening).unwrap().0
}

fn open(directory: &Path, config: LogConfig) -> Log {
    open_with(directory, config, &Arc::new(FileCache::default()))
}

fn batch(value_bytes: usize, timestamp: i64) -> RecordBatch {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.append(timestamp, None, Some(&vec![b'v'; value_bytes]), &[]);
    RecordBatch::parse(&builder.build().unwrap()).unwrap()
}

fn append(log: &mut Log, batch: RecordBatch) -> Result<Appended, AppendError> {
    log.append_as_leader(&[batch], LeaderEpoch(0), CLIENT, NOW_MS)
}

#[test]
fn a_segment_is_rolled_before_it_outgrows_segment_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let size = batch(100, NOW_MS).size_in_bytes() as u32;
    let config = LogConfig { segment_bytes: 3 * size, ..LogConfig::default() };
    let mut log = open(directory.path(), config);
    for n in 0..7 {
        append(&mut log, batch(100, NOW_MS)).unwrap();
        assert_eq!(log.segments_count(), 1 + n / 3);
    }
    let refused = append(&mut log, batch(1000, NOW_MS));
    assert!(matches!(refused, Err(AppendError::LargerThanSegment { .. })));
}

#[test]
fn a_segment_is_rolled_when_its_records_span_segment_ms() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { segment_time: Duration::from_millis(100), ..LogConfig::default() };
    let mut log = open(directory.path(), config);
    for (timestamp, segments) in [(NOW_MS, 1), (NOW_MS + 100, 1), (NOW_MS + 101, 2), (NOW_MS, 2)] {
        append(&mut log, batch(10, timestamp)).unwrap();
        assert_eq!(log.segments_count(), segments);
    }
}

#[test]
fn a_segment_is_rolled_when_an_index_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { index_interval_bytes: 0, segment_index_bytes: 40, ..LogConfig::default() };
    let mut log = open(directory.path(), config);
    for timestamp in 0..20 {
        append(&mut log, batch(10, timestamp)).unwrap();
    }
    assert!(log.segments_count() > 4, "an index of 40 bytes holds 5 offsets, or 3 times");
}

#[test]
fn a_range_of_a_log_that_began_anew_never_shows_the_new_records() {
    let directory = tempfile::tempdir().unwrap();
    let files = Arc::new(FileCache::new(1));
    let mut log = open_with(directory.path(), LogConfig::default(), &files);
    append(&mut log, batch(100, NOW_MS)).unwrap();
    let range = log.read(Offset(0), 1000, Offset(1), true).unwrap().range.unwrap();
    log.truncate_fully_and_start_at(Offset(0), NOW_MS).unwrap();
    append(&mut log, batch(200, NOW_MS)).unwrap();
    assert!(range.file.descriptor().unwrap_err().is_not_found());
}

#[test]
fn what_retention_removed_can_be_read_until_it_is_purged() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { segment_bytes: 500, retention_bytes: Some(600), ..LogConfig::default() };
    let mut log = open(directory.path(), config);
    for _ in 0..20 {
        append(&mut log, batch(100, NOW_MS)).unwrap();
    }
    let range = log.read(Offset(0), 1000, Offset(20), true).unwrap().range.unwrap();
    let deleted = log.apply_retention(NOW_MS, Offset(20)).unwrap();
    assert!(!deleted.is_empty() && log.log_start_offset() > Offset(0) && log.size_in_bytes() >= 600);
    assert!(range.file.descriptor().is_ok());
    log.purge(NOW_MS + 59_999).unwrap();
    assert!(range.file.path().exists() && range.file.path().extension().unwrap() == "deleted");
    log.purge(NOW_MS + 60_000).unwrap();
    assert!(!range.file.path().exists());
}

#[test]
fn a_log_whose_records_have_all_had_their_time_goes_on_empty() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { retention_time: Some(Duration::from_millis(10)), ..LogConfig::default() };
    let mut log = open(directory.path(), config);
    append(&mut log, batch(100, NOW_MS)).unwrap();
    assert_eq!(log.apply_retention(NOW_MS + 10, Offset(1)).unwrap().len(), 0);
    assert_eq!(log.apply_retention(NOW_MS + 11, Offset(0)).unwrap().len(), 0, "it is not committed");
    assert_eq!(log.apply_retention(NOW_MS + 11, Offset(1)).unwrap().len(), 1);
    assert_eq!(
        (log.log_start_offset(), log.log_end_offset(), log.size_in_bytes()),
        (Offset(1), Offset(1), 0)
    );
    assert_eq!(append(&mut log, batch(100, NOW_MS)).unwrap().base_offset, Offset(1));
}

#[test]
fn a_log_is_stable_up_to_its_start_at_least_though_a_transaction_began_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path(), LogConfig::default());
    let mut builder = BatchBuilder::new(Compression::None).producer(7, 0, 0).transactional();
    (0..5).for_each(|_| builder.append(NOW_MS, None, Some(b"v"), &[]));
    append(&mut log, RecordBatch::parse(&builder.build().unwrap()).unwrap()).unwrap();
    assert_eq!(log.last_stable_offset(Offset(5)), Offset(0));
    log.advance_log_start(Offset(3), Offset(5));
    assert_eq!(log.last_stable_offset(Offset(5)), Offset(3));
}

#[test]
fn a_deleted_log_gives_its_name_free_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let log_dir = LogDir::open(directory.path()).unwrap();
    let at = TopicPartition::new("orders", 3);
    let mut log = open(&log_dir.partition_path(&at), LogConfig::default());
    append(&mut log, batch(100, NOW_MS)).unwrap();
    let range = log.read(Offset(0), 1000, Offset(1), true).unwrap().range.unwrap();
    let deleted = log.delete(&at, Uuid::random().unwrap()).unwrap();
    assert!(range.file.descriptor().is_ok() && !log_dir.partition_path(&at).exists());
    assert_eq!(log_dir.partitions().unwrap()[0].state, PartitionDirState::Deleted);
    remove_partition_dir(&deleted).unwrap();
    assert_eq!(log_dir.partitions().unwrap(), []);
}

#[test]
fn a_flush_counts_only_if_nothing_was_truncated_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path(), LogConfig::default());
    for _ in 0..4 {
        append(&mut log, batch(100, NOW_MS)).unwrap();
    }
    let flush = log.begin_flush().unwrap().unwrap();
    assert!(log.begin_flush().unwrap().is_none(), "one is under way");
    append(&mut log, batch(100, NOW_MS)).unwrap();
    log.finish_flush(flush.sync()).unwrap();
    assert_eq!(log.recovery_point(), Offset(4));
    let flush = log.begin_flush().unwrap().unwrap();
    log.truncate_to(Offset(2), NOW_MS).unwrap();
    append(&mut log, batch(100, NOW_MS)).unwrap();
    log.finish_flush(flush.sync()).unwrap();
    assert_eq!(log.recovery_point(), Offset(2));
}

#[test]
fn a_flush_is_due_after_so_many_records_or_so_long() {
    let directory = tempfile::tempdir().unwrap();
    let flush_time = Some(Duration::from_millis(50));
    let mut log = open(directory.path(), LogConfig { flush_messages: 2, flush_time, ..LogConfig::default() });
    assert!(!log.is_flush_due_by(NOW_MS + 1000), "there is nothing to flush");
    append(&mut log, batch(100, NOW_MS)).unwrap();
    assert!(!log.is_flush_due() && !log.is_flush_due_by(NOW_MS + 49) && log.is_flush_due_by(NOW_MS + 50));
    append(&mut log, batch(100, NOW_MS)).unwrap();
    assert!(log.is_flush_due() && log.is_flush_due_by(NOW_MS));
    log.flush().unwrap();
    assert!(!log.is_flush_due_by(NOW_MS + 1000), "the disk has all");
}

#[test]
fn a_preallocated_segment_has_its_room_at_once_and_gives_the_rest_back() {
    use std::os::unix::fs::MetadataExt;
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { segment_bytes: 1 << 20, preallocate: true, ..LogConfig::default() };
    let mut log = open(directory.path(), config);
    append(&mut log, batch(100, NOW_MS)).unwrap();
    let path = directory.path().join("00000000000000000000.log");
    let size = log.size_in_bytes();
    let file = || std::fs::metadata(&path).unwrap();
    assert_eq!(file().len(), size, "the file is as long as its records");
    let is_reserved = file().blocks() * 512 >= 1 << 20;
    log.close().unwrap();
    assert_eq!(file().len(), size);
    assert!(!is_reserved || file().blocks() * 512 < 1 << 20, "{} blocks", file().blocks());
}

#[test]
fn many_logs_are_closed_by_one_sync() {
    let directory = tempfile::tempdir().unwrap();
    let files = Arc::new(FileCache::default());
    let path = |n: usize| directory.path().join(format!("t-{n}"));
    let mut logs: Vec<_> = (0..20).map(|n| open_with(&path(n), LogConfig::default(), &files)).collect();
    for log in &mut logs {
        append(log, batch(100, NOW_MS)).unwrap();
    }
    let flushes: Vec<_> = logs.iter_mut().map(|log| log.begin_close().unwrap().unwrap()).collect();
    for (log, outcome) in logs.iter_mut().zip(Flush::sync_all(flushes, directory.path())) {
        log.finish_flush(outcome).unwrap();
        assert_eq!(log.recovery_point(), Offset(1));
    }
    drop(logs);
    for n in 0..20 {
        let (recovery_point, log_start_offset) = (Offset(1), Offset(0));
        let opening =
            Opening { recovery_point, log_start_offset, clean: true, now_ms: NOW_MS, files: files.clone() };
        let (log, recovered) = Log::open(&path(n), LogConfig::default(), opening).unwrap();
        assert_eq!((log.log_end_offset(), log.latest_epoch()), (Offset(1), Some(LeaderEpoch(0))));
        assert_eq!(recovered, Recovered::default());
    }
}

#[test]
fn a_clean_stop_keeps_what_is_known_of_producers_though_their_records_are_gone() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { retention_time: Some(Duration::ZERO), ..LogConfig::default() };
    let mut log = open(directory.path(), config.clone());
    let mut builder = BatchBuilder::new(Compression::None).producer(7, 0, 0);
    builder.append(NOW_MS, None, Some(b"v"), &[]);
    append(&mut log, RecordBatch::parse(&builder.build().unwrap()).unwrap()).unwrap();
    append(&mut log, batch(10, NOW_MS)).unwrap();
    log.apply_retention(NOW_MS + 1, Offset(2)).unwrap();
    let recovery_point = log.close().unwrap();
    let opening = Opening {
        recovery_point,
        log_start_offset: Offset(2),
        clean: true,
        now_ms: NOW_MS,
        files: Arc::new(FileCache::default()),
    };
    let (log, _) = Log::open(directory.path(), config, opening).unwrap();
    assert_eq!(log.producers().producers()[&7].last_sequence(), 0);
}

#[test]
fn idle_logs_hold_no_descriptors_and_busy_ones_one_each() {
    const LOGS: usize = 300;
    let directory = tempfile::tempdir().unwrap();
    let files = Arc::new(FileCache::new(8));
    let open_one = |n: usize| {
        let config = LogConfig { segment_bytes: 400, ..LogConfig::default() };
        open_with(&directory.path().join(format!("t-{n}")), config, &files)
    };
    let under = |directory: &Path| {
        let held = std::fs::read_dir("/proc/self/fd").unwrap();
        held.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
            .filter(|path| path.starts_with(directory))
            .count()
    };
    let mut logs: Vec<_> = (0..LOGS).map(open_one).collect();
    assert!(under(directory.path()) <= 8);
    for log in &mut logs {
        for _ in 0..5 {
            append(log, batch(100, NOW_MS)).unwrap();
        }
        log.read(Offset(0), 1000, Offset(5), true).unwrap();
    }
    assert!(under(directory.path()) <= LOGS + 8);
    assert!(matches!(
        logs[0].read(Offset(9), 1, Offset(9), true),
        Err(storage::log::ReadError::OutOfRange { .. })
    ));
}

/// Runs in a mount namespace of its own, on a disk of 256 KiB.
#[test]
fn a_full_disk_refuses_appends_and_takes_them_again_when_there_is_room() {
    if std::env::var_os("SMALL_DISK").is_none() {
        return in_small_disk("a_full_disk_refuses_appends_and_takes_them_again_when_there_is_room");
    }
    let directory = Path::new("/mnt");
    let config = LogConfig {
        segment_bytes: 64 << 10,
        retention_bytes: Some(64 << 10),
        file_delete_delay: Duration::ZERO,
        ..LogConfig::default()
    };
    let mut log = open(directory, config.clone());
    let (appended, failure) = loop {
        match append(&mut log, batch(5000, NOW_MS)) {
            Ok(appended) => assert!(appended.base_offset < Offset(100), "the disk is small"),
            Err(error) => break (log.log_end_offset(), error),
        }
    };
    assert!(matches!(failure, AppendError::Exhausted(_)), "{failure}");
    assert!(!log.has_failed() && appended > Offset(30));
    assert!(log.read(Offset(0), 1000, appended, true).unwrap().range.is_some(), "fetch goes on");
    log.apply_retention(NOW_MS, appended).unwrap();
    log.purge(NOW_MS).unwrap();
    assert_eq!(append(&mut log, batch(5000, NOW_MS)).unwrap().base_offset, appended, "it resumes by itself");
    let end = log.log_end_offset();
    drop(log);
    let log = open(directory, config);
    assert_eq!(log.log_end_offset(), end, "nothing half written was left");
}

/// As root, as a user who may make namespaces, or by sudo: one of them works on any machine that runs the tests.
const NAMESPACES: [&[&str]; 3] = [&["unshare", "-m"], &["unshare", "-rm"], &["sudo", "-n", "unshare", "-m"]];

fn in_small_disk(test: &str) {
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=256k none /mnt && SMALL_DISK=1 exec {} --exact {test} --nocapture",
        this.display()
    );
    let mut printed = String::new();
    let passed = NAMESPACES.iter().any(|namespace| {
        printed += &in_namespace(namespace, &script);
        printed.contains("1 passed")
    });
    assert!(passed, "{printed}");
}

/// What the script printed, or why it did not run.
fn in_namespace(namespace: &[&str], script: &str) -> String {
    let run =
        std::process::Command::new(namespace[0]).args(&namespace[1..]).args(["sh", "-ec", script]).output();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    run.map_or_else(|error| error.to_string(), |output| text(&output.stdout) + &text(&output.stderr))
}

/// Runs in a process of its own, whose files may not grow beyond 40 blocks: a write error that is no full disk.
#[test]
fn after_a_failed_write_a_log_takes_nothing_more() {
    if std::env::var_os("SMALL_FILES").is_none() {
        return with_small_files("after_a_failed_write_a_log_takes_nothing_more");
    }
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path(), LogConfig::default());
    let failure = loop {
        match append(&mut log, batch(5000, NOW_MS)) {
            Ok(appended) => assert!(appended.base_offset < Offset(9), "files are small"),
            Err(error) => break error,
        }
    };
    let end = log.log_end_offset();
    assert!(matches!(failure, AppendError::Log(LogError::Io(_))), "{failure}");
    assert!(log.has_failed());
    assert!(matches!(append(&mut log, batch(1, NOW_MS)), Err(AppendError::Log(LogError::Failed))));
    assert!(matches!(log.flush(), Err(LogError::Failed)));
    assert_eq!(log.log_end_offset(), end);
    assert!(log.read(Offset(0), 1000, end, true).unwrap().range.is_some(), "it can still be read");
}

fn with_small_files(test: &str) {
    let this = std::env::current_exe().unwrap();
    let script = format!("trap '' XFSZ; ulimit -f 40; exec {} --exact {test} --nocapture", this.display());
    let run = std::process::Command::new("sh").args(["-ec", &script]).env("SMALL_FILES", "1").output();
    let output = run.expect("sh runs");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "{printed}"
    );
}

/// One batch of so many records, as a leader has it at `base`.
fn stored_batch(base: i64, records: usize) -> bytes::Bytes {
    let mut builder = BatchBuilder::new(Compression::None);
    for _ in 0..records {
        builder.append(NOW_MS, None, Some(b"value"), &[]);
    }
    let built = builder.build().unwrap();
    let mut header = RecordBatch::parse(&built).unwrap().header;
    (header.base_offset, header.partition_leader_epoch) = (Offset(base), LeaderEpoch(3));
    let rest = &built[header.to_bytes().len()..];
    [header.to_bytes().as_slice(), rest].concat().into()
}

#[test]
fn an_empty_log_that_starts_inside_of_a_batch_begins_with_that_batch() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path(), LogConfig::default());
    log.truncate_fully_and_start_at(Offset(25), NOW_MS).unwrap();
    let elsewhere = log.append_as_follower(&stored_batch(10, 10), LeaderEpoch(3), NOW_MS);
    assert!(matches!(elsewhere, Err(AppendError::UnexpectedOffset { .. })), "25 is not in it");
    log.append_as_follower(&stored_batch(20, 10), LeaderEpoch(3), NOW_MS).unwrap();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(25), Offset(30)));
    let slice = log.read(Offset(25), 1000, Offset(30), true).unwrap();
    assert_eq!((slice.first_offset, slice.length() > 0), (Offset(20), true));
    let inside = log.append_as_follower(&stored_batch(28, 10), LeaderEpoch(3), NOW_MS);
    assert!(matches!(inside, Err(AppendError::UnexpectedOffset { .. })), "the log is not empty any more");
}

#[test]
fn a_view_goes_on_through_appends_and_ends_with_a_truncation_or_a_deletion() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { segment_bytes: 600, file_delete_delay: Duration::ZERO, ..LogConfig::default() };
    let mut log = open(directory.path(), config);
    for _ in 0..12 {
        append(&mut log, batch(100, NOW_MS)).unwrap();
    }
    assert!(log.reads_from_memory(Offset(11), true) && !log.reads_from_memory(Offset(0), true));
    let view = log.view_from(Offset(0));
    append(&mut log, batch(100, NOW_MS)).unwrap();
    assert!(log.is_as_viewed(&view));
    let (seen, read) = (view.read(10_000, Offset(12), true), log.read(Offset(0), 10_000, Offset(12), true));
    assert_eq!(seen.unwrap().length(), read.unwrap().length());
    log.truncate_to(Offset(11), NOW_MS).unwrap();
    assert!(!log.is_as_viewed(&view), "truncated");
    let view = log.view_from(Offset(0));
    log.advance_log_start(Offset(11), Offset(11));
    log.apply_retention(NOW_MS, Offset(11)).unwrap();
    log.purge(NOW_MS).unwrap();
    assert!(view.read(10_000, Offset(11), true).is_err() && !log.is_as_viewed(&view), "its files are gone");
}

#[test]
fn much_that_was_appended_is_handed_to_the_disk_piece_by_piece() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path(), LogConfig::default());
    assert!(log.begin_writeback().is_none(), "it begins to count");
    let mut pieces = 0;
    for _ in 0..30 {
        append(&mut log, batch(1 << 20, NOW_MS)).unwrap();
        if let Some(writeback) = log.begin_writeback() {
            writeback.run().unwrap();
            pieces += 1;
        }
    }
    assert_eq!(pieces, 3, "every 8 MiB");
    log.truncate_to(Offset(2), NOW_MS).unwrap();
    assert!(log.begin_writeback().is_none(), "what was cut off is not waited for");
}

#[test]
fn after_a_restart_any_of_the_five_batches_in_flight_is_recognised() {
    for (clean, batches) in [(true, 9), (true, 400), (false, 9)] {
        let directory = tempfile::tempdir().unwrap();
        let config = LogConfig { segment_bytes: 20_000, ..LogConfig::default() };
        let mut log = open(directory.path(), config.clone());
        for n in 0..batches {
            assert!(!append(&mut log, numbered(n)).unwrap().duplicate);
        }
        match clean {
            true => assert_eq!(log.close().unwrap(), Offset(batches.into())),
            false => drop(log),
        }
        let opening = Opening {
            recovery_point: Offset(i64::from(batches)),
            log_start_offset: Offset(0),
            clean,
            now_ms: NOW_MS,
            files: Arc::new(FileCache::default()),
        };
        let mut log = Log::open(directory.path(), config, opening).unwrap().0;
        for n in batches - 5..batches {
            let again = append(&mut log, numbered(n)).unwrap();
            assert!(again.duplicate && again.base_offset == Offset(n.into()), "{n} of {batches}");
        }
        assert!(append(&mut log, numbered(batches - 6)).is_err(), "older ones are forgotten");
        assert!(!append(&mut log, numbered(batches)).unwrap().duplicate);
    }
}

/// An idempotent producer's batch of one record.
fn numbered(sequence: i32) -> RecordBatch {
    let mut builder = BatchBuilder::new(Compression::None).producer(1, 0, sequence);
    builder.append(NOW_MS, None, Some(&[b'v'; 100]), &[]);
    RecordBatch::parse(&builder.build().unwrap()).unwrap()
}
