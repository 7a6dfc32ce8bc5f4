//! What is done for the logs while nobody asks: retention, flushes, checkpoints, and the removal of what was deleted.
//!
//! Each duty is a plain call; the loop below calls them by their own clocks on the blocking pool. A duty looks only at the
//! replicas that have moved since it last did, and says how many those were: ten thousand that rest cost nothing. Retention and
//! the expiry of producers alone, every few minutes, look at all of them, for time passes for every log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::shutdown::Shutdown;
use parking_lot::Mutex;
use protocol::types::Offset;
use storage::TopicPartition;
use storage::checkpoint::{HIGH_WATERMARKS, LOG_START_OFFSETS, OffsetCheckpoint, RECOVERY_POINTS};
use storage::log::{Flush, Flushed, Log, LogError};

use super::Replicas;
use super::changes::Duty;
use super::errors::PartitionError;
use super::log_dirs::ReplicaDir;
use super::partition::{LogState, Partition};
use crate::api::wall_clock_ms;
use crate::config::{LogsConfig, ReplicationConfig};
use crate::metrics::disks;

/// Between two looks for files that may be removed, logs that may be opened now, and disks that have room again.
const MENDING_INTERVAL: Duration = Duration::from_secs(1);

/// When which logs have files of deleted segments to remove, in milliseconds of the wall clock.
pub(super) type Purges = Mutex<BTreeSet<(i64, TopicPartition)>>;

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
        () = every(logs.producer_id_expiration_check_interval, Replicas::expire_producers) => {}
        () = every(MENDING_INTERVAL, Replicas::mend) => {}
        () = flushes => {}
        () = shutdown.requested() => {}
    }
}

/// How many replicas a duty looked at.
pub type LookedAt = usize;

async fn repeat(replicas: Arc<Replicas>, interval: Duration, duty: fn(&Replicas) -> LookedAt) {
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
    pub fn apply_retention(&self) -> LookedAt {
        let (now_ms, all) = (wall_clock_ms(), self.all());
        for partition in &all {
            let outcome =
                partition.with_log(|log, high_watermark| retain(partition, log, now_ms, high_watermark));
            if let Some(purge_at) = self.note_outcome(partition, outcome).flatten().flatten() {
                self.purges.lock().insert((purge_at, partition.at.clone()));
                partition.lock().mark.note();
            }
        }
        all.len()
    }

    /// Forgets producers that have been silent for long.
    pub fn expire_producers(&self) -> LookedAt {
        let (now_ms, all) = (wall_clock_ms(), self.all());
        for partition in &all {
            if let LogState::Open(log) = &mut partition.lock().log {
                log.remove_expired_producers(now_ms);
            }
        }
        all.len()
    }

    /// Flushes the logs for which `flush.ms` or `flush.messages` has it due.
    fn flush_due(&self) -> LookedAt {
        let now_ms = wall_clock_ms();
        self.online().map(|dir| self.flush_where(dir, |log| log.is_flush_due_by(now_ms))).sum()
    }

    /// Flushes what the disk does not have yet, and says so in the checkpoint: a recovery has only the rest to scan.
    pub fn checkpoint_recovery_points(&self) -> LookedAt {
        let flushed: LookedAt = self.online().map(|dir| self.flush_where(dir, |_| true)).sum();
        self.save_recovery_points();
        flushed
    }

    /// Says in the checkpoint from where on a recovery must scan.
    pub fn save_recovery_points(&self) -> LookedAt {
        self.checkpoint(RECOVERY_POINTS, Duty::RecoveryPoints, |log, _| log.recovery_point())
    }

    /// Says in the checkpoint up to where everything is committed.
    pub fn checkpoint_high_watermarks(&self) -> LookedAt {
        self.checkpoint(HIGH_WATERMARKS, Duty::HighWatermarks, |_, high_watermark| high_watermark)
    }

    pub(super) fn checkpoint_log_starts(&self) -> LookedAt {
        self.checkpoint(LOG_START_OFFSETS, Duty::LogStarts, |log, _| log.log_start_offset())
    }

    /// Flushes, and waits for the disk without any partition's lock, one directory's logs together.
    fn flush_where(&self, dir: &Arc<ReplicaDir>, due: impl Fn(&Log) -> bool) -> LookedAt {
        // A log that another flush is at work on would look as if it had nothing to flush.
        let _alone = dir.flushing.lock();
        let moved = self.moved(dir, Duty::Flush);
        let looked_at = moved.len();
        let (mut flushing, mut flushes) = (Vec::new(), Vec::new());
        for partition in moved {
            let is_due = |log: &mut Log, _| {
                Ok(Some(if due(log) { Begun::Now(log.begin_flush()?) } else { Begun::Later }))
            };
            match self.note_outcome(&partition, partition.with_log(is_due)) {
                Some(Some(Begun::Now(Some(flush)))) => {
                    flushing.push(partition);
                    flushes.push(flush);
                }
                Some(Some(Begun::Now(None)) | None) => {}
                Some(Some(Begun::Later)) | None => dir.changes.put(Duty::Flush, [partition.at.clone()]),
            }
        }
        for (partition, outcome) in flushing.iter().zip(dir.sync(flushes)) {
            let finished = partition.with_log(|log, _| Ok(log.finish_flush(outcome).map(Some)?));
            let next = match self.note_outcome(partition, finished) {
                Some(_) => Duty::RecoveryPoints,
                None => Duty::Flush,
            };
            dir.changes.put(next, [partition.at.clone()]);
        }
        looked_at
    }

    /// Removes what was deleted long enough ago, and tries again what failed for want of room or descriptors.
    pub(super) fn mend(&self) -> LookedAt {
        self.remove_renamed();
        self.look_for_room();
        self.purge_due(wall_clock_ms()) + self.open_again()
    }

    /// Removes the files of deleted segments from the disk.
    fn purge_due(&self, now_ms: i64) -> LookedAt {
        let due = {
            let mut purges = self.purges.lock();
            let later = purges.split_off(&(now_ms.saturating_add(1), TopicPartition::new("", 0)));
            std::mem::replace(&mut *purges, later)
        };
        for (_, at) in &due {
            let Ok(partition) = self.partition(&at.topic, at.partition) else { continue };
            let outcome = partition.with_log(|log, _| Ok(log.purge(now_ms).map(Some)?));
            self.note_outcome(&partition, outcome);
        }
        due.len()
    }

    fn online(&self) -> impl Iterator<Item = &Arc<ReplicaDir>> {
        self.dirs.iter().filter(|dir| dir.is_online())
    }

    /// The replicas of a directory that a duty has to look at.
    fn moved(&self, dir: &Arc<ReplicaDir>, duty: Duty) -> Vec<Arc<Partition>> {
        let partition = |at: &TopicPartition| self.partition(&at.topic, at.partition).ok();
        dir.changes.distribute(|at| {
            if let Some(partition) = partition(at) {
                partition.lock().mark.clear();
            }
        });
        let moved = dir.changes.take(duty);
        moved.iter().filter_map(partition).filter(|partition| Arc::ptr_eq(&partition.dir, dir)).collect()
    }

    pub(super) fn note_outcome<T>(
        &self,
        partition: &Partition,
        outcome: Result<T, PartitionError>,
    ) -> Option<T> {
        outcome
            .inspect_err(|error| {
                if !error.is_disk_full() {
                    tracing::error!(partition = %partition.at, "housekeeping: {error}");
                }
                self.note_failure(partition, error);
            })
            .ok()
    }

    /// Writes one checkpoint file per directory, where something has moved. A log that is not open keeps what was found;
    /// one that was closed, or goes just now, what was written last.
    fn checkpoint(&self, name: &'static str, duty: Duty, offset: fn(&Log, Offset) -> Offset) -> LookedAt {
        let mut looked_at = 0;
        for dir in self.online() {
            let mut moved = Vec::new();
            let written = dir.update_checkpoint(name, || {
                moved = self.moved(dir, duty);
                let offsets = moved.iter().filter_map(|partition| {
                    let state = partition.lock();
                    let LogState::Open(log) = &state.log else { return None };
                    Some((partition.at.clone(), offset(log, state.high_watermark)))
                });
                offsets.collect::<OffsetCheckpoint>()
            });
            looked_at += moved.len();
            if written.is_err() {
                dir.changes.put(duty, moved.iter().map(|partition| partition.at.clone()));
            }
            self.note_checkpoint(dir, written);
        }
        looked_at
    }

    pub(super) fn note_checkpoint(&self, dir: &Arc<ReplicaDir>, outcome: Result<(), PartitionError>) {
        if let Err(error) = outcome {
            if !error.is_disk_full() {
                tracing::error!("a checkpoint is not written: {error}");
            }
            self.note_dir_failure(dir, &error);
        }
    }
}

/// Whether a log is flushed by now.
enum Begun {
    /// Nothing, if all of it is on the disk.
    Now(Option<Flush>),
    Later,
}

/// Deletes what has had its time, and tells when its files may be removed, if there are any.
fn retain(
    partition: &Partition,
    log: &mut Log,
    now_ms: i64,
    high_watermark: Offset,
) -> Result<Option<Option<i64>>, PartitionError> {
    let deleted = log.apply_retention(now_ms, high_watermark)?;
    for segment in &deleted {
        let (base, bytes, reason) = (segment.base_offset, segment.bytes, segment.reason);
        disks::observe_deletion(reason, bytes);
        tracing::info!(partition = %partition.at, %base, bytes, ?reason, "segment deleted");
    }
    log.forget_settled_transactions(high_watermark);
    let delay_ms = i64::try_from(log.config().file_delete_delay.as_millis()).unwrap_or(i64::MAX);
    Ok(Some((!deleted.is_empty()).then(|| now_ms.saturating_add(delay_ms))))
}

impl ReplicaDir {
    /// Waits for the disk, and measures how long.
    pub(super) fn sync(&self, flushes: Vec<Flush>) -> Vec<Result<Flushed, LogError>> {
        if flushes.is_empty() {
            return Vec::new();
        }
        let began = Instant::now();
        let outcomes = Flush::sync_all(flushes, self.path());
        self.times.observe_flush(began.elapsed());
        outcomes
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

#[cfg(test)]
mod tests;
