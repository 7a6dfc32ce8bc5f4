//! Random operations, each done to the log and to the model.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::records::{BatchBuilder, Compression, EndTransactionMarker, RecordBatch};
use protocol::types::{LeaderEpoch, Offset};
use storage::FileCache;
use storage::log::{AppendError, Log, LogConfig, Opening};
use storage::producer::{AppendOrigin, ProducerError};
use tempfile::TempDir;

use super::checks::check;
use super::damage::{damage_indexes, damage_log, last_segment, remove_indexes};
use super::expected::{Expected, ExpectedBatch};

const CLIENT: AppendOrigin = AppendOrigin::Client { begins_at_zero: false };
const COORDINATOR: AppendOrigin = AppendOrigin::Coordinator { transaction_version: 0 };

/// One log, its model, and the dice.
pub struct Run {
    directory: TempDir,
    files: Arc<FileCache>,
    config: LogConfig,
    /// `None` only while it is being reopened.
    log: Option<Log>,
    expected: Expected,
    rng: fastrand::Rng,
    epoch: LeaderEpoch,
    high_watermark: Offset,
    now_ms: i64,
}

impl Run {
    pub fn new(seed: u64) -> Run {
        let mut rng = fastrand::Rng::with_seed(seed);
        let config = LogConfig {
            segment_bytes: rng.u32(2000..6000),
            segment_time: Duration::from_millis(rng.u64(500..20_000)),
            segment_jitter: Duration::from_millis(rng.u64(0..100)),
            segment_index_bytes: rng.u32(40..400),
            index_interval_bytes: rng.u32(0..1500),
            retention_time: None,
            file_delete_delay: Duration::from_millis(rng.u64(0..500)),
            ..LogConfig::default()
        };
        let mut run = Run {
            directory: in_memory_directory(),
            files: Arc::new(FileCache::new(rng.usize(1..6))),
            config,
            log: None,
            expected: Expected::default(),
            rng,
            epoch: LeaderEpoch(0),
            high_watermark: Offset(0),
            now_ms: 1_000_000,
        };
        run.open(Offset(0), true, false);
        run
    }

    pub fn step(&mut self) {
        self.now_ms += self.rng.i64(0..300);
        let (name, operation) = self.choose();
        println!("{name} at {}, log ends at {}", self.now_ms, self.expected.log_end_offset);
        operation(self);
        let log = self.log.as_mut().expect("it is open");
        check(log, &self.expected, &mut self.rng);
    }

    fn choose(&mut self) -> (&'static str, fn(&mut Run)) {
        match self.rng.u8(0..32) {
            0..=9 => ("append", Run::append_plain),
            10..=14 => ("append idempotently", Run::append_idempotent),
            15..=16 => ("end a transaction", Run::end_transaction),
            17..=19 => ("append what was fetched", Run::append_fetched),
            20 => ("begin a leader epoch", Run::begin_leader_epoch),
            21 => ("truncate", Run::truncate),
            22 => ("restart elsewhere", Run::restart_elsewhere),
            23 => ("delete records", Run::delete_records),
            24 => ("retain", Run::retain),
            25..=26 => ("flush", Run::flush),
            27 => ("stop cleanly", Run::reopen_after_clean_stop),
            28..=29 => ("kill", Run::reopen_after_kill),
            _ => ("lose power", Run::reopen_after_power_loss),
        }
    }

    fn log(&mut self) -> &mut Log {
        self.log.as_mut().expect("it is open")
    }

    /// A batch of some records whose times wander.
    fn batch(&mut self, change: impl FnOnce(BatchBuilder) -> BatchBuilder) -> RecordBatch {
        let compression = if self.rng.u8(0..4) == 0 { Compression::Lz4 } else { Compression::None };
        let mut builder = change(BatchBuilder::new(compression));
        for _ in 0..self.rng.usize(1..5) {
            let value: Vec<u8> = (0..self.rng.usize(0..120)).map(|_| self.rng.u8(..)).collect();
            let timestamp = self.now_ms + self.rng.i64(-400..400);
            builder.append(timestamp, Some(b"key"), Some(&value), &[]);
        }
        RecordBatch::parse(&builder.build().unwrap()).unwrap()
    }

    fn append_plain(&mut self) {
        let batches: Vec<_> = (0..self.rng.usize(1..4)).map(|_| self.batch(|builder| builder)).collect();
        self.append(&batches, CLIENT).unwrap();
    }

    /// The next batch of a producer, a retry of its last, or one out of order.
    fn append_idempotent(&mut self) {
        let id = self.rng.i64(1..5);
        let transactional = id > 2;
        let known = self.expected.producers().get(&id).copied();
        let remembered = self.log().producers().producers().get(&id).map(|entry| entry.last_sequence());
        let known = known.filter(|_| remembered.is_some());
        let epoch = known.map_or(0, |known| known.epoch);
        let next = remembered.map_or(self.rng.i32(0..100), |last_sequence| last_sequence + 1);
        let out_of_order = known.is_some() && self.rng.u8(0..6) == 0;
        let sequence = if out_of_order { next + self.rng.i32(1..9) } else { next };
        let batch = self.batch(|builder| {
            let builder = builder.producer(id, epoch, sequence);
            if transactional { builder.transactional() } else { builder }
        });
        match self.append(std::slice::from_ref(&batch), CLIENT) {
            Ok(()) => assert!(!out_of_order, "a gap in the sequence was taken"),
            Err(AppendError::Producer(ProducerError::OutOfOrderSequence { .. })) => assert!(out_of_order),
            Err(error) => panic!("{error}"),
        }
        if !out_of_order {
            self.retry(&batch);
        }
    }

    fn retry(&mut self, batch: &RecordBatch) {
        let (epoch, now_ms) = (self.epoch, self.now_ms);
        let again = self.log().append_as_leader(std::slice::from_ref(batch), epoch, CLIENT, now_ms).unwrap();
        let original = self.expected.batches.last().expect("it was appended");
        assert!(again.duplicate);
        assert_eq!((again.base_offset, again.last_offset), (original.base_offset(), original.last_offset()));
    }

    fn end_transaction(&mut self) {
        let open =
            self.expected.producers().into_iter().filter(|(_, producer)| producer.open_since.is_some());
        let Some((id, producer)) = self.rng.choice(open.collect::<Vec<_>>()) else { return };
        let marker = EndTransactionMarker { committed: self.rng.bool(), coordinator_epoch: 0 };
        let epoch = producer.epoch + self.rng.i16(0..2);
        let bytes = marker.batch((id, epoch), Offset(0), LeaderEpoch(0), self.now_ms).unwrap();
        self.append(&[RecordBatch::parse(&bytes).unwrap()], COORDINATOR).unwrap();
        self.expected.batches.last_mut().expect("the marker").marker = Some(marker.committed);
    }

    fn append(&mut self, batches: &[RecordBatch], origin: AppendOrigin) -> Result<(), AppendError> {
        let (epoch, now_ms, base_offset) = (self.epoch, self.now_ms, self.expected.log_end_offset);
        let appended = self.log().append_as_leader(batches, epoch, origin, now_ms)?;
        assert!(!appended.duplicate);
        assert_eq!(appended.base_offset, base_offset);
        for batch in batches {
            let mut batch = batch.clone();
            batch.header.base_offset = self.expected.log_end_offset;
            batch.header.partition_leader_epoch = epoch;
            self.expected.push(ExpectedBatch { batch, marker: None });
        }
        assert_eq!(appended.last_offset + 1, self.expected.log_end_offset);
        Ok(())
    }

    /// What a follower gets: given offsets, perhaps with a gap that compaction left, perhaps of an earlier epoch than
    /// what was truncated here, perhaps cut short at the end.
    fn append_fetched(&mut self) {
        let mut bytes = Vec::new();
        let mut offset = self.expected.log_end_offset;
        let earliest =
            self.expected.batches.last().map_or(0, |last| last.batch.header.partition_leader_epoch.0);
        let epoch = LeaderEpoch(self.rng.i32(earliest..=self.epoch.0));
        for _ in 0..self.rng.usize(1..4) {
            let gap = if self.rng.u8(0..3) == 0 { self.rng.i64(1..10) } else { 0 };
            let mut batch = self.batch(|builder| builder);
            batch.header.base_offset = offset + gap;
            batch.header.partition_leader_epoch = epoch;
            offset = batch.header.next_offset();
            bytes.extend_from_slice(&batch.to_bytes());
            self.expected.push(ExpectedBatch { batch, marker: None });
        }
        let cut_short = self.batch(|builder| builder).to_bytes();
        bytes.extend_from_slice(&cut_short[..self.rng.usize(0..cut_short.len())]);
        let (epoch, now_ms) = (self.epoch, self.now_ms);
        let appended = self.log().append_as_follower(&Bytes::from(bytes), epoch, now_ms).unwrap().unwrap();
        assert_eq!(appended.last_offset + 1, offset);
    }

    fn begin_leader_epoch(&mut self) {
        self.epoch.0 += self.rng.i32(1..3);
        let epoch = self.epoch;
        self.log().begin_leader_epoch(epoch);
    }

    fn truncate(&mut self) {
        let end = self.expected.log_end_offset;
        let lowest = self.expected.log_start_offset.max(self.high_watermark).min(end);
        let offset = Offset(self.rng.i64(lowest.0..=end.0 + 3));
        let now_ms = self.now_ms;
        self.log().truncate_to(offset, now_ms).unwrap();
        let segment = last_segment(self.directory.path());
        self.expected.truncate_to(offset, segment);
    }

    fn restart_elsewhere(&mut self) {
        if self.rng.u8(0..4) == 0 {
            let offset = Offset(self.rng.i64(0..2 * self.expected.log_end_offset.0 + 10));
            let now_ms = self.now_ms;
            self.log().truncate_fully_and_start_at(offset, now_ms).unwrap();
            self.expected.restart_at(offset);
            self.high_watermark = offset;
        }
    }

    fn delete_records(&mut self) {
        let (to, high_watermark) =
            (Offset(self.rng.i64(0..=self.expected.log_end_offset.0)), self.deletable_upto());
        let log_start_offset = self.log().advance_log_start(to, high_watermark);
        let moved = to.min(high_watermark).max(self.expected.log_start_offset);
        assert_eq!(log_start_offset, moved);
        self.expected.log_start_offset = moved;
    }

    fn retain(&mut self) {
        let (now_ms, high_watermark) = (self.now_ms, self.deletable_upto());
        let mut config = self.config.clone();
        config.retention_time = self.rng.bool().then(|| Duration::from_millis(self.rng.u64(0..10_000)));
        config.retention_bytes = self.rng.bool().then(|| self.rng.u64(0..10_000));
        let before = self.log().size_in_bytes();
        let log = self.log();
        log.reconfigure(config);
        let deleted: u64 = log.apply_retention(now_ms, high_watermark).unwrap().iter().map(|d| d.bytes).sum();
        assert_eq!(log.size_in_bytes() + deleted, before);
        assert!(log.log_start_offset() <= high_watermark.max(self.expected.log_start_offset));
        self.expected.log_start_offset = self.log().log_start_offset();
        self.log().purge(now_ms).unwrap();
    }

    /// A high watermark that no transaction spans, and that neither truncation nor damage will undercut.
    fn deletable_upto(&mut self) -> Offset {
        self.flush();
        let chosen = self.expected.settled_upto(Offset(self.rng.i64(0..=self.expected.log_end_offset.0)));
        self.high_watermark = self.high_watermark.max(chosen);
        chosen
    }

    fn reopen_after_clean_stop(&mut self) {
        let log = self.log.take().expect("it is open");
        let recovery_point = log.close().unwrap();
        assert_eq!(recovery_point, self.expected.log_end_offset);
        if self.rng.u8(0..3) == 0 {
            remove_indexes(self.directory.path(), &mut self.rng);
        }
        let verified_bytes = self.open(recovery_point, true, false);
        assert_eq!(verified_bytes, 0, "what was closed in order is not gone over");
    }

    fn flush(&mut self) {
        self.log().flush().unwrap();
        assert_eq!(self.log().recovery_point(), self.expected.log_end_offset);
    }

    /// A killed process loses nothing that it had appended.
    fn reopen_after_kill(&mut self) {
        let recovery_point = self.log().recovery_point();
        self.log = None;
        self.open(recovery_point, false, false);
    }

    fn reopen_after_power_loss(&mut self) {
        let recovery_point = self.log().recovery_point();
        self.log = None;
        let flushed = self.expected.clone();
        self.expected = damage_log(self.directory.path(), recovery_point, &flushed, &mut self.rng);
        damage_indexes(self.directory.path(), &mut self.rng);
        self.open(recovery_point, false, true);
    }

    fn open(&mut self, recovery_point: Offset, clean: bool, may_have_gap: bool) -> u64 {
        let opening = Opening {
            recovery_point,
            log_start_offset: self.expected.log_start_offset,
            clean,
            now_ms: self.now_ms,
            files: self.files.clone(),
        };
        let (mut log, recovered) = Log::open(self.directory.path(), self.config.clone(), opening).unwrap();
        if let Some(gap) = recovered.first_gap {
            assert!(may_have_gap, "a gap that no power loss made");
            log.truncate_to(gap, self.now_ms).unwrap();
        }
        self.log = Some(log);
        recovered.verified_bytes
    }
}

/// The model asks what is in the files, not what a disk does with them.
fn in_memory_directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
