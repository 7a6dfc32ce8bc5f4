//! `flush.messages`: who has appended that many records waits until the disk has them. Those who come meanwhile wait for one
//! flush of all that they have appended.

use super::blocking::apart;
use super::changes::Duty;
use super::errors::PartitionError;
use super::partition::Partition;

impl Partition {
    /// Flushes the log if it has as many unflushed records as its topic allows, and waits for the disk. An error says that
    /// the disk may not have what was appended, and never will.
    pub fn flush_if_due(&self) -> Result<(), PartitionError> {
        match self.config().flush_messages == u64::MAX || !self.is_flush_due()? {
            true => Ok(()),
            false => apart(|| self.flush_alone()),
        }
    }

    fn is_flush_due(&self) -> Result<bool, PartitionError> {
        Ok(self.lock().open_log()?.is_flush_due())
    }

    fn flush_alone(&self) -> Result<(), PartitionError> {
        // A log that another flush is at work on would look as if it had nothing to flush.
        let _alone = self.dir.flushing.lock();
        if !self.is_flush_due()? {
            return Ok(());
        }
        let Some(flush) = self.lock().open_log()?.begin_flush()? else { return Ok(()) };
        for outcome in self.dir.sync(vec![flush]) {
            self.lock().open_log()?.finish_flush(outcome)?;
        }
        self.dir.changes.put(Duty::RecoveryPoints, [self.at.clone()]);
        Ok(())
    }
}
