//! What happens when a disk fails: the log directory goes out of service with every replica in it, and nothing more is
//! acknowledged from there (safety rule 12). A full disk is no failure.

use std::sync::Arc;

use super::Replicas;
use super::errors::PartitionError;
use super::log_dirs::ReplicaDir;
use super::partition::Partition;

impl Replicas {
    /// Takes the directory of a partition out of service if the error says that its disk failed.
    pub fn note_failure(&self, partition: &Partition, error: &PartitionError) {
        if error.is_disk_failure() {
            tracing::error!(partition = %partition.at, "the log failed: {error}");
            self.fail_dir(&partition.dir);
        }
    }

    /// Takes a directory out of service.
    pub(super) fn fail_dir(&self, dir: &Arc<ReplicaDir>) {
        if !dir.fail() {
            return;
        }
        tracing::error!(dir = %dir.path().display(), "log directory out of service until the broker is restarted");
        for partition in self.all().iter().filter(|partition| Arc::ptr_eq(&partition.dir, dir)) {
            partition.take_offline();
        }
    }
}
