//! One look at all partitions of a fetch: what each has to read, and whether that is worth an answer.

use protocol::ErrorCode;
use protocol::messages::fetch_response::{AbortedTransaction, EpochEndOffset, PartitionData};
use protocol::types::{BrokerId, LeaderEpoch, Offset};
use protocol::wire::RecordSet;
use storage::log::FileRange;

use super::Fetch;
use crate::fetch::session::Wanted;
use crate::fetch::wait::Audience;
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;
use crate::replica::read::{Reach, Read, ReadAnswer};

/// From this version on consumers may read from followers (KIP-392).
const FOLLOWERS_SERVE_SINCE: i16 = 11;

/// From this version on clients know KAFKA_STORAGE_ERROR (KIP-112).
const STORAGE_ERROR_SINCE: i16 = 6;

/// What one look at all partitions gave.
#[derive(Default)]
pub(super) struct Look {
    pub(super) found: Vec<Found>,
    bytes: usize,
    /// Something besides records makes waiting pointless: an error, or a divergence.
    urgent: bool,
}

/// One partition's outcome, and its stretch of file.
pub(super) struct Found {
    pub(super) data: PartitionData,
    pub(super) range: Option<FileRange>,
}

impl Look {
    pub(super) fn is_enough(&self, fetch: &Fetch) -> bool {
        self.urgent || self.bytes >= fetch.bytes_min || fetch.plan.wanted.is_empty()
    }
}

impl Found {
    /// A leader epoch that this broker has not heard of yet is not: the push that tells of it is on its way.
    fn is_urgent(&self) -> bool {
        let error = self.data.error_code;
        let failed = error != ErrorCode::None.code() && error != ErrorCode::UnknownLeaderEpoch.code();
        failed || self.data.diverging_epoch.epoch >= 0 || self.data.preferred_read_replica >= 0
    }
}

impl Fetch {
    /// Reads every partition once. The first batch found may exceed the bytes allowed; later ones may not.
    pub(super) fn look(&self) -> Look {
        let mut look = Look { found: Vec::with_capacity(self.plan.wanted.len()), bytes: 0, urgent: false };
        for (wanted, partition) in self.plan.wanted.iter().zip(&self.partitions) {
            let found = match partition {
                Ok(partition) => match self.preferred_replica(partition, wanted) {
                    Some(replica) => {
                        let mut found = found(wanted, partition.standing(), self.reach);
                        found.data.preferred_read_replica = replica.0;
                        found
                    }
                    None => match self.read(partition, wanted, look.bytes) {
                        Ok(answer) => found(wanted, answer, self.reach),
                        Err(error) => {
                            let note = || self.broker.replicas.note_failure(partition, &error);
                            self.context.span().in_scope(note);
                            self.failed(wanted, &error)
                        }
                    },
                },
                Err(error) => self.failed(wanted, error),
            };
            look.bytes += found.range.as_ref().map_or(0, |range| range.length as usize);
            look.urgent |= found.is_urgent();
            look.found.push(found);
        }
        look
    }

    fn read(
        &self,
        partition: &Partition,
        wanted: &Wanted,
        bytes_before: usize,
    ) -> Result<ReadAnswer, PartitionError> {
        let asked = &wanted.partition;
        let left = self.bytes_max.saturating_sub(bytes_before);
        let read = Read {
            from: Offset(asked.fetch_offset),
            bytes_max: usize::try_from(asked.partition_max_bytes).unwrap_or(0).min(left),
            at_least_one: bytes_before == 0,
            reach: self.reach,
            expected_epoch: known_epoch(asked.current_leader_epoch),
            last_fetched_epoch: known_epoch(asked.last_fetched_epoch),
            broker_epoch: self.broker_epoch,
            log_start: Some(asked.log_start_offset).filter(|&start| start >= 0).map(Offset),
            asked_at: self.context.received_at,
        };
        let any_replica_serves =
            self.audience() == Audience::Consumers && self.context.api_version >= FOLLOWERS_SERVE_SINCE;
        if any_replica_serves { partition.serve_consumer(&read) } else { partition.read(&read) }
    }

    fn preferred_replica(&self, partition: &Partition, wanted: &Wanted) -> Option<BrokerId> {
        let rack = self.client_rack.as_ref()?;
        let (image, listener) = (self.broker.image(), &self.context.listener);
        rack.replica_in_it(&image, listener, partition, Offset(wanted.partition.fetch_offset))
    }

    /// Whether the session has yet to be told of what this look found.
    pub(super) fn has_news(&self, look: &Look) -> bool {
        let Some(session) = &self.plan.session else { return false };
        let session = session.lock();
        let mut found = self.plan.wanted.iter().zip(&look.found);
        found.any(|(wanted, found)| session.is_news(&wanted.topic, &found.data))
    }
}

fn known_epoch(epoch: i32) -> Option<LeaderEpoch> {
    (epoch >= 0).then_some(LeaderEpoch(epoch))
}

fn found(wanted: &Wanted, answer: ReadAnswer, reach: Reach) -> Found {
    let aborted = answer.aborted.iter().map(|aborted| AbortedTransaction {
        producer_id: aborted.producer_id,
        first_offset: aborted.first_offset.0,
    });
    let data = PartitionData {
        partition_index: wanted.partition.partition,
        high_watermark: answer.high_watermark.0,
        last_stable_offset: answer.last_stable_offset.0,
        log_start_offset: answer.log_start_offset.0,
        diverging_epoch: answer.diverging.map_or_else(EpochEndOffset::default, |(epoch, end)| {
            EpochEndOffset { epoch: epoch.0, end_offset: end.0 }
        }),
        aborted_transactions: (reach == Reach::LastStableOffset).then(|| aborted.collect()),
        records: Some(RecordSet::Bytes(Default::default())),
        ..Default::default()
    };
    Found { data, range: answer.records }
}

impl Fetch {
    fn failed(&self, wanted: &Wanted, error: &PartitionError) -> Found {
        let error = match error.code() {
            // Older clients look for another leader, rather than give up.
            ErrorCode::KafkaStorageError if self.context.api_version < STORAGE_ERROR_SINCE => {
                ErrorCode::NotLeaderOrFollower
            }
            error => error,
        };
        // Kafka leaves this list empty for what it does not know, and out where reading failed.
        let is_unknown = matches!(error, ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId);
        let data = PartitionData {
            partition_index: wanted.partition.partition,
            error_code: error.code(),
            high_watermark: -1,
            aborted_transactions: is_unknown.then(Vec::new),
            records: Some(RecordSet::Bytes(Default::default())),
            ..Default::default()
        };
        Found { data, range: None }
    }
}
