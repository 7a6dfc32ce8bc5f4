//! A log in memory whose high watermark and leadership are in the test's hands.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::records::{BatchBuilder, Compression, RecordBatch};
use protocol::types::{LeaderEpoch, Offset};
use tokio::sync::watch;

use crate::group::{Appending, BoxFuture, CoordinatorLog};

/// One partition, whichever it is called.
pub struct MemoryLog {
    state: Mutex<State>,
    high_watermark: watch::Sender<Offset>,
}

struct State {
    batches: Vec<RecordBatch>,
    end: Offset,
    epoch: LeaderEpoch,
    /// Whether the high watermark follows the end of the log.
    commits_at_once: bool,
    refuses: Option<ErrorCode>,
}

impl MemoryLog {
    pub fn new() -> Arc<MemoryLog> {
        let state = State {
            batches: Vec::new(),
            end: Offset(0),
            epoch: LeaderEpoch(0),
            commits_at_once: true,
            refuses: None,
        };
        Arc::new(MemoryLog { state: Mutex::new(state), high_watermark: watch::Sender::new(Offset(0)) })
    }

    /// Holds the high watermark where it is, or lets it go to the end.
    pub fn commit_at_once(&self, at_once: bool) {
        let mut state = self.state.lock();
        state.commits_at_once = at_once;
        if at_once {
            self.high_watermark.send_replace(state.end);
        }
    }

    /// From now on only this epoch's leader appends.
    pub fn begin_epoch(&self, epoch: LeaderEpoch) {
        self.state.lock().epoch = epoch;
    }

    pub fn refuse(&self, error: Option<ErrorCode>) {
        self.state.lock().refuses = error;
    }

    pub fn batches_count(&self) -> usize {
        self.state.lock().batches.len()
    }

    /// Puts records there that nobody waits for.
    pub fn fill(&self, records: impl Iterator<Item = (Bytes, Bytes)>, records_per_batch: usize) {
        let records: Vec<_> = records.collect();
        for records in records.chunks(records_per_batch) {
            let mut builder = BatchBuilder::new(Compression::None);
            records.iter().for_each(|(key, value)| builder.append(0, Some(key), Some(value), &[]));
            let batch =
                RecordBatch::parse(&builder.build().expect("it is small")).expect("it was built here");
            self.put(&mut self.state.lock(), batch);
        }
    }

    fn put(&self, state: &mut State, mut batch: RecordBatch) -> Offset {
        let base = state.end;
        batch.header.base_offset = base;
        state.end = batch.header.next_offset();
        state.batches.push(batch);
        if state.commits_at_once {
            self.high_watermark.send_replace(state.end);
        }
        base
    }

    fn check(&self, epoch: LeaderEpoch) -> Result<(), ErrorCode> {
        let state = self.state.lock();
        match state.refuses {
            Some(error) => Err(error),
            None if state.epoch != epoch => Err(ErrorCode::NotLeaderOrFollower),
            None => Ok(()),
        }
    }

    fn committed_from(&self, from: Offset, bytes_max: usize) -> Bytes {
        let (state, high_watermark) = (self.state.lock(), *self.high_watermark.borrow());
        let mut bytes = BytesMut::new();
        let first = state.batches.partition_point(|batch| batch.header.next_offset() <= from);
        let committed = |batch: &&RecordBatch| batch.header.next_offset() <= high_watermark;
        let mut batches = state.batches[first..].iter().take_while(committed).peekable();
        let whole = batches.peek().map_or(0, |batch| batch.size_in_bytes());
        for batch in batches {
            bytes.extend_from_slice(&batch.to_bytes());
            if bytes.len() >= bytes_max {
                break;
            }
        }
        // As a log does it: what is read ends where it ends, and only the first batch is whole in any case.
        bytes.truncate(bytes_max.max(whole));
        bytes.freeze()
    }
}

impl CoordinatorLog for Arc<MemoryLog> {
    fn append(
        &self,
        _partition: i32,
        epoch: LeaderEpoch,
        batch: RecordBatch,
    ) -> Result<Appending, ErrorCode> {
        self.check(epoch)?;
        let base_offset = self.put(&mut self.state.lock(), batch);
        let required = self.state.lock().end;
        let mut high_watermark = self.high_watermark.subscribe();
        let committed = async move {
            let passed = high_watermark.wait_for(|at| *at >= required).await;
            passed.map(|_| ()).map_err(|_| ErrorCode::NotLeaderOrFollower)
        };
        Ok(Appending { base_offset, committed: Box::pin(committed) })
    }

    fn span(&self, _partition: i32, epoch: LeaderEpoch) -> Result<Range<Offset>, ErrorCode> {
        self.check(epoch)?;
        Ok(Offset(0)..self.state.lock().end)
    }

    fn read(
        &self,
        _partition: i32,
        _epoch: LeaderEpoch,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<Result<Bytes, ErrorCode>> {
        let log = self.clone();
        Box::pin(async move {
            let passed = log.high_watermark.subscribe().wait_for(|at| *at > from).await.is_ok();
            if passed { Ok(log.committed_from(from, bytes_max)) } else { Err(ErrorCode::NotLeaderOrFollower) }
        })
    }
}
