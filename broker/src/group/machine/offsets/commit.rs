//! OffsetCommit: who may, what is too long, and the records that come of it.

use protocol::ErrorCode;
use protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use protocol::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use protocol::types::{Offset, Uuid};
use protocol::wire::Str;

use super::committed::{CommittedOffset, OffsetKey};
use crate::group::machine::effects::{Port, Settlement, Then, Written};
use crate::group::machine::groups::Groups;
use crate::group::machine::records::CoordinatorRecord;
use crate::group::machine::turn::{Now, Turn};

/// What OffsetCommit says where the group's retention holds.
const DEFAULT_RETENTION: i64 = -1;

/// An OffsetCommit whose topics exist, each with its name and, where known, its id.
pub struct CommitCall {
    pub request: OffsetCommitRequest,
    /// A missing group has an error of its own: from version 9.
    pub knows_group_id_not_found: bool,
    pub port: Port<OffsetCommitResponse>,
}

/// Offsets, and maybe the end of their group, are on their way to the log.
pub struct OffsetsChanged {
    pub group: Str,
    /// The group's tombstone is among the records.
    pub ends_group: bool,
    /// Whoever waits; none where nobody asked, or who asked was told that it takes too long.
    pub settlement: Option<Settlement>,
}

impl Groups {
    pub(in crate::group::machine) fn commit(&mut self, call: CommitCall, turn: &mut Turn<'_>) {
        if let Err(error) = self.validate_commit(&call, turn) {
            return turn.refuse(call.port, error);
        }
        let mut commit = Commit::new(&call.request, turn);
        let topics = call.request.topics.iter().map(|topic| commit.topic(topic)).collect();
        let response = OffsetCommitResponse { topics, ..Default::default() };
        if commit.records.is_empty() {
            return turn.answer(call.port, response);
        }
        let records = commit.records;
        let settlement = Some(call.port.settle(response));
        let changed =
            OffsetsChanged { group: call.request.group_id.detached(), ends_group: false, settlement };
        self.change_offsets(records, changed, turn);
    }

    fn validate_commit(&self, call: &CommitCall, turn: &mut Turn<'_>) -> Result<(), ErrorCode> {
        let request = &call.request;
        let generation = request.generation_id_or_member_epoch;
        let Some(group) = self.get(&request.group_id) else {
            return match generation {
                ..0 => Ok(()),
                _ if call.knows_group_id_not_found => Err(ErrorCode::GroupIdNotFound),
                _ => Err(ErrorCode::IllegalGeneration),
            };
        };
        let instance_id = request.group_instance_id.as_deref();
        group.classic.validate_commit(&request.member_id, instance_id, generation)?;
        group.classic.note_commit(&request.member_id, turn);
        Ok(())
    }

    /// Writes changes of one group's offsets.
    pub(super) fn change_offsets(
        &mut self,
        records: Vec<CoordinatorRecord>,
        changed: OffsetsChanged,
        turn: &mut Turn<'_>,
    ) {
        self.in_flight.begin(&records);
        turn.write(records, Then::OffsetsChanged(changed));
    }

    /// The changes are committed, or they are not. Nothing of them was visible before.
    pub(in crate::group::machine) fn offsets_changed(
        &mut self,
        changed: OffsetsChanged,
        records: Vec<CoordinatorRecord>,
        written: Written,
        turn: &mut Turn<'_>,
    ) {
        match written {
            Ok(base) => {
                for (at, record) in (base.0..).zip(records) {
                    self.replay(record, Offset(at), None, turn.now);
                }
            }
            Err(_) if changed.ends_group => self.revive(&changed.group, turn.now),
            Err(_) => {}
        }
        if let Some(settlement) = changed.settlement {
            turn.effects.answers.push(settlement.settle(written.map(|_| ())));
        }
    }
}

/// A commit while it is taken apart.
struct Commit {
    group: Str,
    expire_timestamp_ms: Option<i64>,
    now: Now,
    metadata_max: usize,
    records: Vec<CoordinatorRecord>,
}

impl Commit {
    fn new(request: &OffsetCommitRequest, turn: &Turn<'_>) -> Self {
        let retention = Some(request.retention_time_ms).filter(|retention| *retention != DEFAULT_RETENTION);
        Commit {
            group: request.group_id.detached(),
            expire_timestamp_ms: retention.map(|retention| turn.now.wall_ms.saturating_add(retention)),
            now: turn.now,
            metadata_max: turn.settings.offset_metadata_max_bytes,
            records: Vec::new(),
        }
    }

    fn topic(&mut self, topic: &OffsetCommitRequestTopic) -> OffsetCommitResponseTopic {
        let name = topic.name.detached();
        let partitions = topic.partitions.iter().map(|partition| OffsetCommitResponsePartition {
            partition_index: partition.partition_index,
            error_code: self.partition(&name, topic.topic_id, partition).code(),
        });
        OffsetCommitResponseTopic {
            partitions: partitions.collect(),
            topic_id: topic.topic_id,
            name: name.clone(),
        }
    }

    fn partition(
        &mut self,
        topic: &Str,
        topic_id: Uuid,
        partition: &OffsetCommitRequestPartition,
    ) -> ErrorCode {
        let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
        if is_longer(metadata, self.metadata_max) {
            return ErrorCode::OffsetMetadataTooLarge;
        }
        let value = CommittedOffset {
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: Box::from(metadata),
            commit_timestamp_ms: self.now.wall_ms,
            expire_timestamp_ms: self.expire_timestamp_ms,
            topic_id,
            record_offset: Offset::UNKNOWN,
        };
        let key = OffsetKey {
            group: self.group.clone(),
            topic: topic.clone(),
            partition: partition.partition_index,
        };
        self.records.push(CoordinatorRecord::Offset { key, value });
        ErrorCode::None
    }
}

/// Kafka counts as Java does: UTF-16 units, of which a text has at most as many as it has bytes.
fn is_longer(metadata: &str, units_max: usize) -> bool {
    metadata.len() > units_max && metadata.encode_utf16().count() > units_max
}
