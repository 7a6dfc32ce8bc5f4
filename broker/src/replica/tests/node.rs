//! One replica: a partition on a log of its own, which may be killed and opened again.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use protocol::records::{BatchBuilder, Compression, batches};
use protocol::types::{BrokerId, LeaderEpoch, Offset};
use storage::log::{Log, LogConfig, Opening};
use storage::{FileCache, TopicPartition};
use tempfile::TempDir;

use crate::replica::isr::Proposal;
use crate::replica::log_dirs::ReplicaDir;
use crate::replica::partition::Partition;
use crate::replica::role::Role;

/// One record: its leader epoch and its value.
pub type Record = (LeaderEpoch, u64);

/// The records of a log, from where it starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    pub start: Offset,
    pub all: Vec<Record>,
}

impl Records {
    pub fn end(&self) -> Offset {
        self.start + self.all.len() as i64
    }

    pub fn get(&self, offset: Offset) -> Option<&Record> {
        self.all.get(usize::try_from(offset - self.start).ok()?)
    }

    /// Those from `start` to below `end`.
    pub fn within(&self, start: Offset, end: Offset) -> &[Record] {
        let place = |offset: Offset| (offset.clamp(self.start, self.end()) - self.start) as usize;
        &self.all[place(start)..place(end).max(place(start))]
    }
}

pub struct Node {
    pub id: BrokerId,
    /// The epoch of its registration; another one after each start.
    pub broker_epoch: i64,
    /// `None` while it is dead.
    pub partition: Option<Arc<Partition>>,
    /// A proposal that the controller has not answered.
    pub open: Option<Proposal>,
    /// The high watermark that a restart finds.
    pub checkpointed: Offset,
    pub highest: Offset,
    dir: Arc<ReplicaDir>,
    folder: TempDir,
}

/// What a leader takes itself for.
pub struct Led {
    pub epoch: LeaderEpoch,
    pub is_under_min_isr: bool,
}

impl Node {
    pub fn new(id: i32) -> Node {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = Arc::new(ReplicaDir::open(folder.path(), BrokerId(id)).expect("a log directory"));
        let (checkpointed, highest) = (Offset(0), Offset(0));
        Node {
            id: BrokerId(id),
            broker_epoch: 0,
            partition: None,
            open: None,
            checkpointed,
            highest,
            dir,
            folder,
        }
    }

    /// Opens the log as the last process left it.
    pub fn start(&mut self, broker_epoch: i64) {
        let (at, config) = (TopicPartition::new("t", 0), small_segments());
        let opening = Opening {
            recovery_point: Offset(0),
            log_start_offset: Offset(0),
            clean: false,
            now_ms: 0,
            files: Arc::new(FileCache::new(FileCache::DEFAULT_CAPACITY)),
        };
        let path = self.folder.path().join("t-0");
        let (log, _) = Log::open(&path, config.clone(), opening).expect("the log opens");
        let (returning, stood_down) = Default::default();
        let config = Arc::new(config);
        let partition = Partition::opening(at, self.dir.clone(), self.id, config, returning, stood_down);
        partition.opened(log, self.checkpointed);
        self.highest = Offset(0);
        self.broker_epoch = broker_epoch;
        self.partition = Some(partition);
    }

    /// Where its log directory lies.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// SIGKILL: what was written is written, and nothing else is left.
    pub fn kill(&mut self) {
        (self.partition, self.open) = (None, None);
    }

    pub fn is_alive(&self) -> bool {
        self.partition.is_some()
    }

    /// As what it leads, if it does.
    pub fn leads(&self) -> Option<Led> {
        match &self.partition.as_ref()?.lock().role {
            Role::Leader(leader) => {
                Some(Led { epoch: leader.epoch, is_under_min_isr: leader.isr.len() < leader.min_isr })
            }
            Role::Follower(_) | Role::Unassigned => None,
        }
    }

    /// The epoch in which it leads or follows.
    pub fn epoch(&self) -> Option<LeaderEpoch> {
        match self.partition.as_ref()?.lock().role.epoch() {
            LeaderEpoch::UNKNOWN => None,
            epoch => Some(epoch),
        }
    }

    /// Whom it follows, and in which epoch.
    pub fn follows(&self) -> Option<(BrokerId, LeaderEpoch)> {
        match &self.partition.as_ref()?.lock().role {
            Role::Follower(follower) => Some((follower.leader.known()?, follower.epoch)),
            Role::Leader(_) | Role::Unassigned => None,
        }
    }

    /// The high watermark, once it is sure that the offsets are in order (safety rule 8).
    pub fn high_watermark(&self) -> Option<Offset> {
        let mut state = self.partition.as_ref()?.lock();
        let (stable, high_watermark) = (state.last_stable_offset(), state.high_watermark);
        let log = state.open_log().expect("the log is open");
        let (start, end) = (log.log_start_offset(), log.log_end_offset());
        assert!(start <= stable && stable <= high_watermark && high_watermark <= end, "{}", self.id);
        Some(high_watermark)
    }

    /// All that may be read.
    pub fn records(&self) -> Records {
        let Some(partition) = &self.partition else { return Records::default() };
        let mut state = partition.lock();
        let log = state.open_log().expect("the log is open");
        let mut records = Records { start: log.log_start_offset(), all: Vec::new() };
        loop {
            let slice = log.read(records.end(), usize::MAX, log.log_end_offset(), true).expect("is read");
            let Some(range) = slice.range else { return records };
            for batch in batches(&bytes_of(&range)) {
                let batch = batch.expect("a whole batch");
                batch.verify_crc().expect("is sound");
                for record in batch.records(usize::MAX).expect("is read") {
                    let record = record.expect("is read");
                    if record.offset < records.start {
                        continue;
                    }
                    assert_eq!(record.offset, records.end());
                    let value = record.value.expect("a value")[..].try_into().expect("eight bytes");
                    records.all.push((batch.header.partition_leader_epoch, u64::from_be_bytes(value)));
                }
            }
        }
    }
}

fn small_segments() -> LogConfig {
    LogConfig { segment_bytes: 700, ..LogConfig::default() }
}

/// One batch of records with these values.
pub fn batch(values: &[u64]) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None);
    for value in values {
        builder.append(0, None, Some(&value.to_be_bytes()), &[]);
    }
    builder.build().expect("a batch")
}

pub fn bytes_of(range: &storage::log::FileRange) -> Bytes {
    let mut bytes = vec![0; range.length as usize];
    let file = range.file.descriptor().expect("is open");
    file.read_exact_at(&mut bytes, range.position).expect("is read");
    bytes.into()
}
