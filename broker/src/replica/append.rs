//! The leader's append: epoch, ISR and producer are checked and the batch written in one step under the partition's lock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::records::{InvalidBatch, RecordBatch};
use protocol::types::{LeaderEpoch, Offset};
use storage::log::{AppendError, Appended, prepare_for_append};
use storage::producer::AppendOrigin;

use super::ack_waits::AckWait;
use super::errors::PartitionError;
use super::partition::{Partition, State};
use super::role::Role;
use crate::api::wall_clock_ms;

/// The acknowledgements that a producer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    None,
    Leader,
    /// All of the ISR, which must have `min.insync.replicas` members.
    All,
}

/// A time, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub instant: Instant,
    /// Milliseconds since 1970.
    pub wall_ms: i64,
}

impl Moment {
    pub fn now() -> Moment {
        Moment { instant: Instant::now(), wall_ms: wall_clock_ms() }
    }
}

/// What a producer sent to the leader of before has been answered after so long, or given up: `request.timeout.ms` of Kafka's
/// clients. Until then a gap in its sequences is no loss: what is missing comes when it is refused there. librdkafka takes
/// OUT_OF_ORDER_SEQUENCE_NUMBER for a loss, and sends all that is not acknowledged again under a new epoch: what lies in a
/// log already would lie there twice (safety rule 9).
const ELSEWHERE_MAX: Duration = Duration::from_secs(30);

/// An append that stands in the leader's log.
#[derive(Debug)]
pub struct LeaderAppend {
    pub appended: Appended,
    pub log_start_offset: Offset,
    /// Where its outcome is found in the [`AckWait`] that was given, if replication is still to be waited for.
    pub place: Option<usize>,
}

impl LeaderAppend {
    /// How many records were written: none for a duplicate.
    pub fn records(&self) -> u64 {
        let Appended { base_offset, last_offset, duplicate, .. } = self.appended;
        if duplicate { 0 } else { u64::try_from(last_offset - base_offset + 1).unwrap_or(0) }
    }
}

/// Who appends.
#[derive(Clone, Copy, Debug)]
enum Writer {
    Client(Acks),
    /// Under the epoch by which it leads its partition.
    Coordinator(LeaderEpoch),
}

impl Partition {
    /// Appends a client's records, which must be exactly one batch. With [`Acks::All`] the wait is queued in `wait` unless the
    /// high watermark has passed the batch already; a duplicate waits for its original (safety rule 9).
    pub fn append(
        &self,
        records: &Bytes,
        acks: Acks,
        wait: &mut Option<Arc<AckWait>>,
        now: Moment,
    ) -> Result<LeaderAppend, PartitionError> {
        let batches = prepare_for_append(records, &self.config(), now.wall_ms)?;
        match batches.as_slice() {
            [batch] if batch.header.is_transactional() => return Err(PartitionError::Transactional),
            [_] => {}
            _ => return Err(PartitionError::NotOneBatch),
        }
        self.append_prepared(&batches, Writer::Client(acks), wait, now)
    }

    /// Appends what a coordinator keeps in its own partition, under the epoch by which it leads it.
    pub fn append_internal(
        &self,
        batch: RecordBatch,
        epoch: LeaderEpoch,
        wait: &mut Option<Arc<AckWait>>,
        now: Moment,
    ) -> Result<LeaderAppend, PartitionError> {
        let (size, max) = (batch.size_in_bytes(), self.config().max_message_bytes);
        if size > max {
            return Err(InvalidBatch::TooLarge { size, max }.into());
        }
        self.append_prepared(&[batch], Writer::Coordinator(epoch), wait, now)
    }

    fn append_prepared(
        &self,
        batches: &[RecordBatch],
        writer: Writer,
        wait: &mut Option<Arc<AckWait>>,
        now: Moment,
    ) -> Result<LeaderAppend, PartitionError> {
        let (expected, acks) = match writer {
            Writer::Client(acks) => (None, acks),
            Writer::Coordinator(epoch) => (Some(epoch), Acks::All),
        };
        let mut state = self.lock();
        let epoch = state.check_leader(expected)?;
        if acks == Acks::All {
            state.check_min_isr()?;
        }
        let follows_another =
            epoch > LeaderEpoch(0) && state.followers.epoch_age(now.instant) < ELSEWHERE_MAX;
        let origin = match writer {
            Writer::Client(_) => AppendOrigin::Client { begins_at_zero: follows_another },
            Writer::Coordinator(_) => AppendOrigin::Coordinator { transaction_version: 0 },
        };
        let (log, began) = (state.open_log()?, Instant::now());
        let appended = log.append_as_leader(batches, epoch, origin, now.wall_ms).map_err(|error| {
            if follows_another && is_gap(&error) { PartitionError::EarlierElsewhere } else { error.into() }
        })?;
        self.dir.times.observe_append(began.elapsed());
        let log_start_offset = log.log_start_offset();
        state.mark.note();
        state.fetches.appended();
        state.advance_high_watermark(self.broker);
        let required = appended.last_offset + 1;
        let place = (acks == Acks::All && state.high_watermark < required)
            .then(|| state.acks.add(required, wait.get_or_insert_with(AckWait::new)));
        Ok(LeaderAppend { appended, log_start_offset, place })
    }
}

fn is_gap(error: &AppendError) -> bool {
    matches!(error, AppendError::Producer(error) if error.is_gap())
}

impl State {
    /// Refuses an acks=all append that too few replicas would hold.
    fn check_min_isr(&self) -> Result<(), PartitionError> {
        match &self.role {
            Role::Leader(leader) if leader.isr.len() < leader.min_isr => {
                Err(PartitionError::TooFewReplicas { in_sync: leader.isr.len(), min: leader.min_isr })
            }
            _ => Ok(()),
        }
    }
}
