//! What is done for the logs while nobody asks: retention, flushes, checkpoints, and the removal of what was deleted.
//!
//! Each duty is a plain call that looks at every replica; the loop below calls them by their own clocks on the blocking
//! pool. The last act of a clean stop is here too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use node::shutdown::Shutdown;
use protocol::types::Offset;
use storage::TopicPartition;
use storage::checkpoint::{HIGH_WATERMARKS, LOG_START_OFFSETS, OffsetCheckpoint, RECOVERY_POINTS};
use storage::log::{Flush, Log};

use super::Replicas;
use super::errors::PartitionError;
use super::partition::{LogState, Partition};
use crate::api::wall_clock_ms;
use crate::config::{LogsConfig, ReplicationConfig};

/// Between two looks for renamed directories and files that may be removed.
const REMOVAL_INTERVAL: Duration = Duration::from_secs(1);

/// Does every duty by its clock until shutdown.
pub async fn run(
    replicas: Arc<Replicas>,
    logs: LogsConfig,
    replication: ReplicationConfig,
    shutdown: Shutdown,
) {
    let every = |interval, duty| repeat(replicas.clone(), interval, duty);
    let flushes = async {
        match logs.flush_scheduler_interval {
            Some(interval) => every(interval, Replicas::flush_due).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = every(logs.retention_check_interval, Replicas::apply_retention) => {}
        () = every(replication.high_watermark_checkpoint_interval, Replicas::checkpoint_high_watermarks) => {}
        () = every(logs.recovery_point_checkpoint_interval, Replicas::checkpoint_recovery_points) => {}
        () = every(logs.log_start_checkpoint_interval, Replicas::checkpoint_log_starts) => {}
        () = every(REMOVAL_INTERVAL, Replicas::remove_deleted) => {}
        () = flushes => {}
        () = shutdown.requested() => {}
    }
}

async fn repeat(replicas: Arc<Replicas>, interval: Duration, duty: fn(&Replicas)) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let replicas = replicas.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || duty(&replicas)).await {
            tracing::error!("housekeeping failed: {error}");
        }
    }
}

impl Replicas {
    /// Deletes segments by time, size and log start.
    pub fn apply_retention(&self) {
        let now_ms = wall_clock_ms();
        self.tend(|partition, log, high_watermark| {
            for deleted in log.apply_retention(now_ms, high_watermark)? {
                let (base, bytes, reason) = (deleted.base_offset, deleted.bytes, deleted.reason);
                tracing::info!(partition = %partition.at, %base, bytes, ?reason, "segment deleted");
            }
            log.remove_expired_producers(now_ms);
            log.forget_settled_transactions(high_watermark);
            Ok(())
        });
    }

    /// Flushes the logs for which `flush.messages` has it due.
    fn flush_due(&self) {
        self.flush_where(Log::is_flush_due);
    }

    /// Flushes what the disk does not have yet, and says so in the checkpoint: a recovery has only the rest to scan.
    pub fn checkpoint_recovery_points(&self) {
        self.flush_where(|_| true);
        self.save_recovery_points();
    }

    /// Says in the checkpoint from where on a recovery must scan.
    pub fn save_recovery_points(&self) {
        self.checkpoint(RECOVERY_POINTS, |log, _| Some(log.recovery_point()));
    }

    /// Flushes, and waits for the disk without any partition's lock, one directory's logs together.
    fn flush_where(&self, due: fn(&Log) -> bool) {
        for dir in self.dirs.iter().filter(|dir| dir.is_online()) {
            let (mut flushing, mut flushes) = (Vec::new(), Vec::new());
            for partition in self.all_in(dir) {
                let begun =
                    partition.with_log(|log, _| if due(log) { Ok(log.begin_flush()?) } else { Ok(None) });
                if let Some(flush) = self.note_outcome(&partition, begun).flatten() {
                    flushing.push(partition);
                    flushes.push(flush);
                }
            }
            for (partition, outcome) in flushing.iter().zip(Flush::sync_all(flushes, dir.path())) {
                let finished = partition.with_log(|log, _| Ok(log.finish_flush(outcome).map(Some)?));
                self.note_outcome(partition, finished);
            }
        }
    }

    /// Removes the files of deleted segments and partitions from the disk.
    fn remove_deleted(&self) {
        let now_ms = wall_clock_ms();
        self.tend(|_, log, _| Ok(log.purge(now_ms)?));
        self.remove_renamed();
    }

    /// Says in the checkpoint up to where everything is committed.
    pub fn checkpoint_high_watermarks(&self) {
        self.checkpoint(HIGH_WATERMARKS, |_, high_watermark| Some(high_watermark));
    }

    fn checkpoint_log_starts(&self) {
        self.checkpoint(LOG_START_OFFSETS, |log, _| Some(log.log_start_offset()));
    }

    /// Closes every log, writes all checkpoints, and marks the directories as closed under this broker epoch.
    /// Images that come after it are not applied.
    pub fn close(&self, broker_epoch: Option<i64>) {
        *self.closed.lock() = true;
        let recovered = self.is_recovered();
        self.checkpoint_log_starts();
        self.checkpoint_high_watermarks();
        for dir in self.dirs.iter().filter(|dir| dir.is_online()) {
            let (recovery_points, all_closed) = self.close_logs_in(dir);
            self.write_checkpoint(dir, RECOVERY_POINTS, recovery_points);
            let is_clean = recovered && all_closed && dir.is_online();
            let (Some(epoch), true) = (broker_epoch, is_clean) else { continue };
            if let Err(error) = dir.dir.write_clean_shutdown(epoch) {
                tracing::error!("the next start will recover its logs: {error}");
            }
        }
    }

    /// Closes the logs of one directory and gives their recovery points, and whether all of them could be closed: one that
    /// could not, or that never opened, needs its recovery at the next start. What was found of that one is kept.
    fn close_logs_in(&self, dir: &Arc<super::ReplicaDir>) -> (OffsetCheckpoint, bool) {
        let mut recovery_points = OffsetCheckpoint::new();
        let mut all_closed = true;
        let (mut closing, mut flushes) = (Vec::new(), Vec::new());
        for partition in self.all_in(dir) {
            let LogState::Open(mut log) = partition.close() else {
                all_closed = false;
                let found = dir.found(RECOVERY_POINTS, &partition.at);
                recovery_points.extend(found.map(|offset| (partition.at.clone(), offset)));
                continue;
            };
            match self.note_outcome(&partition, log.begin_close().map_err(PartitionError::from)) {
                Some(Some(flush)) => {
                    closing.push((partition, log));
                    flushes.push(flush);
                }
                Some(None) => drop(recovery_points.insert(partition.at.clone(), log.recovery_point())),
                None => all_closed = false,
            }
        }
        for ((partition, mut log), outcome) in closing.into_iter().zip(Flush::sync_all(flushes, dir.path())) {
            let finished = log.finish_flush(outcome).map_err(PartitionError::from);
            match self.note_outcome(&partition, finished) {
                Some(()) => drop(recovery_points.insert(partition.at.clone(), log.recovery_point())),
                None => all_closed = false,
            }
        }
        (recovery_points, all_closed)
    }

    fn all_in(&self, dir: &Arc<super::ReplicaDir>) -> impl Iterator<Item = Arc<Partition>> {
        self.all().into_iter().filter(move |partition| Arc::ptr_eq(&partition.dir, dir))
    }

    /// Calls `duty` for every open log, under its partition's lock, with the high watermark.
    fn tend(&self, duty: impl Fn(&Partition, &mut Log, Offset) -> Result<(), PartitionError>) {
        for partition in self.all() {
            let outcome =
                partition.with_log(|log, high_watermark| duty(&partition, log, high_watermark).map(Some));
            self.note_outcome(&partition, outcome);
        }
    }

    fn note_outcome<T>(&self, partition: &Partition, outcome: Result<T, PartitionError>) -> Option<T> {
        outcome
            .inspect_err(|error| {
                tracing::error!(partition = %partition.at, "housekeeping: {error}");
                self.note_failure(partition, error);
            })
            .ok()
    }

    /// Writes one checkpoint file per directory, where it changed. A log that is not open keeps what was found. Nothing is
    /// known any more of one that goes just now, or that [`Replicas::close`] has closed: then the file stays as it is.
    fn checkpoint(&self, name: &'static str, offset: impl Fn(&Log, Offset) -> Option<Offset>) {
        let mut all_offsets: BTreeMap<_, OffsetCheckpoint> = self
            .dirs
            .iter()
            .filter(|dir| dir.is_online())
            .map(|dir| (dir.id, OffsetCheckpoint::new()))
            .collect();
        for partition in self.all() {
            let Some(offsets) = all_offsets.get_mut(&partition.dir.id) else { continue };
            let state = partition.lock();
            let offset = match &state.log {
                LogState::Open(log) => offset(log, state.high_watermark),
                LogState::Deleted | LogState::Closed => {
                    all_offsets.remove(&partition.dir.id);
                    continue;
                }
                LogState::Opening | LogState::Offline => partition.dir.found(name, &partition.at),
            };
            offsets.extend(offset.map(|offset| (partition.at.clone(), offset)));
        }
        for dir in &self.dirs {
            if let Some(offsets) = all_offsets.remove(&dir.id) {
                self.write_checkpoint(dir, name, offsets);
            }
        }
    }

    fn write_checkpoint(
        &self,
        dir: &Arc<super::ReplicaDir>,
        name: &'static str,
        offsets: BTreeMap<TopicPartition, Offset>,
    ) {
        self.note_checkpoint(dir, dir.write_checkpoint(name, offsets));
    }

    pub(super) fn note_checkpoint(&self, dir: &Arc<super::ReplicaDir>, outcome: Result<(), PartitionError>) {
        if let Err(error) = outcome {
            tracing::error!("a checkpoint is not written: {error}");
            if error.is_disk_failure() {
                self.fail_dir(dir);
            }
        }
    }
}

impl Partition {
    /// Calls `duty` with the log and the high watermark, under the lock; `None` if the log is not open.
    fn with_log<T>(
        &self,
        duty: impl FnOnce(&mut Log, Offset) -> Result<Option<T>, PartitionError>,
    ) -> Result<Option<T>, PartitionError> {
        let mut state = self.lock();
        let high_watermark = state.high_watermark;
        match &mut state.log {
            LogState::Open(log) => duty(log, high_watermark),
            _ => Ok(None),
        }
    }
}
