//! Offsets are taken away: by OffsetDelete, with their group, or with their topic.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use protocol::messages::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};
use protocol::types::Uuid;
use protocol::wire::Str;

use super::commit::OffsetsChanged;
use super::committed::OffsetKey;
use crate::group::machine::effects::{Port, Settlement};
use crate::group::machine::groups::{Group, Groups};
use crate::group::machine::records::CoordinatorRecord;
use crate::group::machine::turn::Turn;

/// The most records of one append when many offsets go that need not go together.
pub const RECORDS_MAX: usize = 1_000;

/// An OffsetDelete whose topics exist.
pub struct DeleteOffsetsCall {
    pub request: OffsetDeleteRequest,
    pub port: Port<OffsetDeleteResponse>,
}

/// A topic that is no more.
#[derive(Debug, Clone)]
pub struct DeletedTopic {
    pub name: Str,
    pub id: Uuid,
}

impl Groups {
    pub(in crate::group::machine) fn delete_offsets(&mut self, call: DeleteOffsetsCall, turn: &mut Turn<'_>) {
        let group_id = call.request.group_id.detached();
        let checked = self.get(&group_id).ok_or(ErrorCode::GroupIdNotFound);
        let group = match checked.and_then(|group| group.classic.validate_offset_delete().map(|()| group)) {
            Ok(group) => group,
            Err(error) => return turn.refuse(call.port, error),
        };
        let mut records = Vec::new();
        let subscribed = group.classic.subscriptions_of_topics();
        let topics = call.request.topics.iter().map(|topic| {
            let error = match subscribed.contain(&topic.name) {
                true => ErrorCode::GroupSubscribedToTopic,
                false => {
                    records.extend(self.tombstones_of_asked(&group_id, topic));
                    ErrorCode::None
                }
            };
            told(topic, error)
        });
        let response = OffsetDeleteResponse { topics: topics.collect(), ..Default::default() };
        if records.is_empty() {
            return turn.answer(call.port, response);
        }
        let settlement = Some(call.port.settle(response));
        self.change_offsets(records, OffsetsChanged { group: group_id, ends_group: false, settlement }, turn);
    }

    fn tombstones_of_asked(&self, group: &Str, topic: &OffsetDeleteRequestTopic) -> Vec<CoordinatorRecord> {
        let asked = topic.partitions.iter().map(|partition| OffsetKey {
            group: group.clone(),
            topic: topic.name.detached(),
            partition: partition.partition_index,
        });
        asked
            .filter(|key| self.is_committed_or_on_its_way(key))
            .map(|key| CoordinatorRecord::OffsetGone { key })
            .collect()
    }

    fn is_committed_or_on_its_way(&self, key: &OffsetKey) -> bool {
        let committed = self.get(&key.group).and_then(|group| group.offsets.get(&key.topic, key.partition));
        committed.is_some() || self.in_flight.contains(key) || self.transactions.contains(key)
    }

    /// DeleteGroups, for one group: its offsets and itself, at once.
    pub(in crate::group::machine) fn delete_group(
        &mut self,
        group_id: &Str,
        port: Port<()>,
        turn: &mut Turn<'_>,
    ) {
        let checked = self.get(group_id).ok_or(ErrorCode::GroupIdNotFound);
        match checked.and_then(|group| group.classic.validate_delete()) {
            Err(error) => turn.refuse(port, error),
            Ok(()) => {
                let records =
                    self.all_offsets(group_id).into_iter().map(|key| CoordinatorRecord::OffsetGone { key });
                let records = records.collect();
                self.end_group(group_id.detached(), records, Some(port.settle(())), turn);
            }
        }
    }

    /// Everything that is committed by the group or on its way to be.
    pub(super) fn all_offsets(&self, group_id: &str) -> BTreeSet<OffsetKey> {
        let committed = self.get(group_id).into_iter().flat_map(|group| {
            group
                .offsets
                .topics()
                .flat_map(|(topic, partitions)| partitions.keys().map(move |it| (topic, *it)))
        });
        let committed = committed.map(|(topic, partition)| OffsetKey {
            group: group_id.into(),
            topic: topic.clone(),
            partition,
        });
        let others = self.in_flight.of_group(group_id).chain(self.transactions.of_group(group_id)).cloned();
        committed.chain(others).collect()
    }

    /// Writes the group's tombstone behind those of its offsets; until it is written the group is dead to all.
    pub(super) fn end_group(
        &mut self,
        group: Str,
        mut records: Vec<CoordinatorRecord>,
        settlement: Option<Settlement>,
        turn: &mut Turn<'_>,
    ) {
        if let Some(ending) = self.get_mut(&group) {
            ending.classic.begin_delete(turn.now);
        }
        records.push(CoordinatorRecord::GroupGone { group: group.clone() });
        self.change_offsets(records, OffsetsChanged { group, ends_group: true, settlement }, turn);
    }

    /// What was committed for these topics means nothing any more; a topic of the same name may come.
    pub(in crate::group::machine) fn delete_topics(&mut self, topics: &[DeletedTopic], turn: &mut Turn<'_>) {
        let gone: Vec<(Str, Vec<OffsetKey>)> =
            self.iter().map(|(id, group)| (id.clone(), offsets_of_topics(id, group, topics))).collect();
        for (group, keys) in gone {
            self.remove_offsets(&group, keys, turn);
        }
    }

    /// Removes offsets that nobody waits for.
    pub(super) fn remove_offsets(&mut self, group: &Str, keys: Vec<OffsetKey>, turn: &mut Turn<'_>) {
        for keys in keys.chunks(RECORDS_MAX) {
            let records = keys.iter().cloned().map(|key| CoordinatorRecord::OffsetGone { key }).collect();
            let changed = OffsetsChanged { group: group.clone(), ends_group: false, settlement: None };
            self.change_offsets(records, changed, turn);
        }
    }
}

fn offsets_of_topics(group_id: &Str, group: &Group, topics: &[DeletedTopic]) -> Vec<OffsetKey> {
    let mut keys = Vec::new();
    for topic in topics {
        for (partition, committed) in group.offsets.topic(&topic.name).into_iter().flatten() {
            if committed.topic_id.is_zero() || committed.topic_id == topic.id {
                keys.push(OffsetKey {
                    group: group_id.clone(),
                    topic: topic.name.detached(),
                    partition: *partition,
                });
            }
        }
    }
    keys
}

fn told(topic: &OffsetDeleteRequestTopic, error: ErrorCode) -> OffsetDeleteResponseTopic {
    let partitions = topic.partitions.iter().map(|partition| OffsetDeleteResponsePartition {
        partition_index: partition.partition_index,
        error_code: error.code(),
    });
    OffsetDeleteResponseTopic { name: topic.name.clone(), partitions: partitions.collect() }
}
