//! The last act of a clean stop: every log is closed, and the directories say so.

use std::sync::Arc;

use storage::checkpoint::{OffsetCheckpoint, RECOVERY_POINTS};
use storage::log::{Flush, Log};

use super::Replicas;
use super::errors::PartitionError;
use super::log_dirs::ReplicaDir;
use super::partition::{LogState, Partition};

/// A log on its way to being closed.
type Closing = (Arc<Partition>, Box<Log>);

impl Replicas {
    /// Closes every log, writes all checkpoints, and marks the directories as closed under this broker epoch. Images that
    /// come after it are not applied.
    pub fn close(&self, broker_epoch: Option<i64>) {
        *self.closed.lock() = true;
        let recovered = self.is_recovered();
        self.checkpoint_log_starts();
        self.checkpoint_high_watermarks();
        for dir in self.dirs.iter().filter(|dir| dir.is_online()) {
            let (recovery_points, all_closed) = self.close_logs_in(dir);
            self.note_checkpoint(dir, dir.write_checkpoint(RECOVERY_POINTS, recovery_points));
            let is_clean = recovered && all_closed && dir.is_online();
            let (Some(epoch), true) = (broker_epoch, is_clean) else { continue };
            if let Err(error) = dir.dir.write_clean_shutdown(epoch) {
                tracing::error!("the next start will recover its logs: {error}");
            }
        }
    }

    /// Closes the logs of one directory and gives their recovery points, and whether all of them could be closed: one that
    /// could not, or that never opened, needs its recovery at the next start. What was found of that one is kept.
    fn close_logs_in(&self, dir: &Arc<ReplicaDir>) -> (OffsetCheckpoint, bool) {
        let mut recovery_points = OffsetCheckpoint::new();
        let mut all_closed = true;
        let (mut closing, mut flushes): (Vec<Closing>, Vec<Flush>) = (Vec::new(), Vec::new());
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
        for ((partition, mut log), outcome) in closing.into_iter().zip(dir.sync(flushes)) {
            let finished = log.finish_flush(outcome).map_err(PartitionError::from);
            match self.note_outcome(&partition, finished) {
                Some(()) => drop(recovery_points.insert(partition.at.clone(), log.recovery_point())),
                None => all_closed = false,
            }
        }
        (recovery_points, all_closed)
    }

    fn all_in(&self, dir: &Arc<ReplicaDir>) -> impl Iterator<Item = Arc<Partition>> {
        self.all().into_iter().filter(move |partition| Arc::ptr_eq(&partition.dir, dir))
    }
}
