//! The groups of one shard, and which of them an event is for.
//!
//! What a group answers is decided in `classic`, what becomes of offsets in `offsets`; here is what holds for groups that
//! do not exist, and what the log says when it is read.

use std::collections::HashMap;

use protocol::ErrorCode;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::leave_group_response::MemberResponse;
use protocol::messages::{HeartbeatResponse, LeaveGroupResponse};
use protocol::types::Offset;
use protocol::wire::Str;

use super::classic::{ClassicGroup, HeartbeatCall, JoinCall, LeaveCall, SyncCall, failed_join, failed_sync};
use super::effects::{Then, Write, Written};
use super::event::{Event, ListCall};
use super::offsets::{CommittedOffset, GroupOffsets, InFlightOffsets, OffsetKey, OpenTransactions};
use super::records::CoordinatorRecord;
use super::turn::{Now, TimerKey, Turn};

/// One group: who is in it, and what it has committed.
pub struct Group {
    pub classic: ClassicGroup,
    pub offsets: GroupOffsets,
}

/// All groups of one shard.
#[derive(Default)]
pub struct Groups {
    by_id: HashMap<Str, Group>,
    pub(super) in_flight: InFlightOffsets,
    pub(super) transactions: OpenTransactions,
}

impl Group {
    fn new(id: Str, now: Now) -> Group {
        Group { classic: ClassicGroup::new(id, now), offsets: GroupOffsets::default() }
    }
}

impl Groups {
    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    pub fn get(&self, id: &str) -> Option<&Group> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.by_id.get_mut(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Str, &Group)> {
        self.by_id.iter()
    }

    /// One arm, one call.
    pub(super) fn handle(&mut self, event: Event, turn: &mut Turn<'_>) {
        match event {
            Event::Join(call) => self.join(call, turn),
            Event::Sync(call) => self.sync(call, turn),
            Event::Heartbeat(call) => self.heartbeat(call, turn),
            Event::Leave(call) => self.leave(call, turn),
            Event::Commit(call) => self.commit(call, turn),
            Event::Fetch(call) => self.fetch(call, turn),
            Event::DeleteOffsets(call) => self.delete_offsets(call, turn),
            Event::DeleteGroup { group, port } => self.delete_group(&group, port, turn),
            Event::Describe { group, port } => turn.answer(port, self.describe(&group)),
            Event::List(call) => self.list(call, turn),
            Event::Survey { size_max, port } => turn.answer(port, self.survey(size_max)),
            Event::TopicsDeleted(topics) => self.delete_topics(&topics, turn),
        }
    }

    pub(super) fn handle_timer(&mut self, key: TimerKey, turn: &mut Turn<'_>) {
        match key {
            TimerKey::Session { group, member } => {
                self.with(&group, |classic| classic.expire_session(&member, turn))
            }
            TimerKey::Join { group } => self.with(&group, |classic| classic.end_join_phase(turn)),
            TimerKey::Sync { group } => self.with(&group, |classic| classic.end_sync_phase(turn)),
            TimerKey::Retention => self.expire(turn),
        }
    }

    /// A write has ended.
    pub(super) fn handle_written(&mut self, write: Write, written: Written, turn: &mut Turn<'_>) {
        let Write { records, then } = write;
        self.in_flight.end(&records);
        match then {
            Then::OffsetsChanged(changed) => self.offsets_changed(changed, records, written, turn),
            then => self.follow(then, written, turn),
        }
    }

    /// A write takes longer than anybody should wait. Offsets are applied when it is done at last; all else is given up.
    pub(super) fn handle_overdue(&mut self, write: &mut Write, turn: &mut Turn<'_>) {
        let overdue = Err(ErrorCode::CoordinatorNotAvailable);
        match &mut write.then {
            Then::OffsetsChanged(changed) => {
                let settlement = changed.settlement.take();
                turn.effects.answers.extend(settlement.map(|it| it.settle(overdue)));
            }
            then => match std::mem::replace(then, Then::Nothing) {
                Then::Fetch(call) => turn.refuse(call.port, ErrorCode::NotCoordinator),
                then => self.follow(then, overdue.map(|()| Offset::UNKNOWN), turn),
            },
        }
    }

    fn follow(&mut self, then: Then, written: Written, turn: &mut Turn<'_>) {
        match then {
            Then::Nothing | Then::OffsetsChanged(_) => {}
            Then::AssignmentStored(stored) => {
                let group = stored.group.clone();
                self.with(&group, |classic| classic.assignment_stored(stored, written, turn));
            }
            Then::StaticMemberReplaced(replaced) => {
                let group = replaced.group.clone();
                self.with(&group, |classic| classic.static_member_stored(replaced, written, turn));
            }
            Then::Fetch(call) => self.fetch_now(call, turn),
            Then::Settle(settlement) => turn.effects.answers.push(settlement.settle(written.map(|_| ()))),
        }
    }

    fn with(&mut self, group: &str, act: impl FnOnce(&mut ClassicGroup)) {
        if let Some(group) = self.by_id.get_mut(group) {
            act(&mut group.classic);
            group.classic.debug_assert_invariants();
        }
    }

    /// A group begins with the first member that asks for it, whatever that is told.
    fn join(&mut self, call: JoinCall, turn: &mut Turn<'_>) {
        let id = call.request.group_id.detached();
        if !self.by_id.contains_key(&id) {
            if !call.request.member_id.is_empty() {
                let unknown = failed_join(call.request.member_id, ErrorCode::UnknownMemberId);
                return turn.answer(call.port, unknown);
            }
            self.create(&id, turn);
        }
        self.with(&id, |classic| classic.join(call, turn));
    }

    fn create(&mut self, id: &Str, turn: &mut Turn<'_>) {
        let group = Group::new(id.clone(), turn.now);
        turn.write(vec![group.classic.record_of_new()], Then::Nothing);
        self.by_id.insert(id.clone(), group);
    }

    fn sync(&mut self, call: SyncCall, turn: &mut Turn<'_>) {
        let id = call.request.group_id.clone();
        match self.by_id.contains_key(&id) {
            true => self.with(&id, |classic| classic.sync(call, turn)),
            false => turn.answer(call.port, failed_sync(ErrorCode::UnknownMemberId)),
        }
    }

    fn heartbeat(&mut self, call: HeartbeatCall, turn: &mut Turn<'_>) {
        let id = call.request.group_id.clone();
        match self.by_id.contains_key(&id) {
            true => self.with(&id, |classic| classic.heartbeat(call, turn)),
            false => {
                let error_code = ErrorCode::UnknownMemberId.code();
                turn.answer(call.port, HeartbeatResponse { error_code, ..Default::default() });
            }
        }
    }

    fn leave(&mut self, call: LeaveCall, turn: &mut Turn<'_>) {
        let id = call.request.group_id.clone();
        match self.by_id.contains_key(&id) {
            true => self.with(&id, |classic| classic.leave(call, turn)),
            false => {
                let members = call.request.members.iter().map(|leaving| MemberResponse {
                    member_id: leaving.member_id.clone(),
                    group_instance_id: leaving.group_instance_id.clone(),
                    error_code: ErrorCode::UnknownMemberId.code(),
                });
                let members = members.collect();
                turn.answer(call.port, LeaveGroupResponse { members, ..Default::default() });
            }
        }
    }

    fn describe(&self, id: &str) -> Option<DescribedGroup> {
        self.get(id).map(|group| group.classic.describe())
    }

    fn list(&self, call: ListCall, turn: &mut Turn<'_>) {
        let listed = self.by_id.values().filter_map(|group| group.classic.list(&call.states, &call.types));
        turn.answer(call.port, listed.collect());
    }

    pub(super) fn revive(&mut self, id: &str, now: Now) {
        self.with(id, |classic| classic.revive(now));
    }

    /// Takes one record of the log as what holds now. Inside a transaction it holds when that is committed.
    pub fn replay(&mut self, record: CoordinatorRecord, at: Offset, transaction: Option<i64>, now: Now) {
        match record {
            CoordinatorRecord::Group { group, value } => {
                let classic = ClassicGroup::from_record(group.detached(), &value);
                self.enter(&group, now).classic = classic;
            }
            CoordinatorRecord::GroupGone { group } => self.forget(&group, now),
            CoordinatorRecord::Offset { key, value } => {
                let value = CommittedOffset { record_offset: at, ..value };
                match transaction {
                    None => self.take_offset(key, value, now),
                    Some(producer_id) => self.transactions.add(producer_id, key.detached(), value),
                }
            }
            CoordinatorRecord::OffsetGone { key } => {
                self.transactions.forget(&key);
                if let Some(group) = self.by_id.get_mut(&key.group) {
                    group.offsets.remove(&key.topic, key.partition);
                }
            }
        }
    }

    /// A log holds many more commits than groups: for a group that is known nothing is copied.
    fn take_offset(&mut self, key: OffsetKey, value: CommittedOffset, now: Now) {
        let offsets = match self.by_id.get_mut(&*key.group) {
            Some(group) => &mut group.offsets,
            None => &mut self.enter(&key.group, now).offsets,
        };
        offsets.insert(&key.topic, key.partition, value);
    }

    /// The transaction has ended. Of a commit inside it and one beside it, the later in the log wins.
    pub fn replay_end_of_transaction(&mut self, producer_id: i64, committed: bool, now: Now) {
        for (key, value) in self.transactions.end(producer_id).into_iter().filter(|_| committed) {
            let OffsetKey { group, topic, partition } = &key;
            let offsets = &mut self.enter(group, now).offsets;
            let newer =
                offsets.get(topic, *partition).is_none_or(|known| known.record_offset < value.record_offset);
            if newer {
                offsets.insert(topic, *partition, value);
            }
        }
    }

    /// The group, which is one without members if it was not known.
    fn enter(&mut self, id: &Str, now: Now) -> &mut Group {
        self.by_id.entry(id.detached()).or_insert_with_key(|id| Group::new(id.clone(), now))
    }

    /// A group whose offsets outlive it goes on as one that only ever committed them.
    fn forget(&mut self, id: &str, now: Now) {
        if let Some(group) = self.by_id.remove(id)
            && !group.offsets.is_empty()
        {
            let id = Str::from(id);
            self.by_id.insert(id.clone(), Group { offsets: group.offsets, ..Group::new(id, now) });
        }
    }

    /// The log is read to its end: members' sessions begin.
    pub(super) fn on_loaded(&mut self, turn: &mut Turn<'_>) {
        for group in self.by_id.values_mut() {
            group.classic.on_loaded(turn);
            group.classic.debug_assert_invariants();
        }
    }
}
