//! A shard with its time and its log in the test's hands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
    OffsetCommitRequest, OffsetCommitResponse, SyncGroupRequest, SyncGroupResponse,
};
use protocol::types::Offset;
use protocol::wire::Str;

use crate::config::GroupSettings;
use crate::group::machine::{
    Client, CommitCall, CoordinatorRecord, Effects, Event, FetchCall, HeartbeatCall, JoinCall, LeaveCall,
    Now, Port, Shard, SyncCall, Write, Written,
};

pub const GROUP: &str = "group";
pub const SESSION_MS: i32 = 10_000;
pub const REBALANCE_MS: i32 = 60_000;

/// The settings that Kafka has by default.
pub fn settings() -> GroupSettings {
    GroupSettings {
        session_timeout_min: Duration::from_secs(6),
        session_timeout_max: Duration::from_secs(1_800),
        initial_rebalance_delay: Duration::from_secs(3),
        max_size: i32::MAX as usize,
        offsets_retention: Duration::from_secs(7 * 24 * 3_600),
        offsets_retention_check_interval: Duration::from_secs(600),
        offset_metadata_max_bytes: 4_096,
        load_buffer_bytes: 5 << 20,
        commit_timeout: Duration::from_secs(5),
    }
}

/// A reply that may not have come yet.
pub struct Waiting<T>(Arc<Mutex<Option<Result<T, ErrorCode>>>>);

impl<T: Send + 'static> Waiting<T> {
    pub fn new() -> (Port<T>, Waiting<T>) {
        let cell = Arc::new(Mutex::new(None));
        let filled = cell.clone();
        (Port::new(move |reply| *filled.lock() = Some(reply)), Waiting(cell))
    }

    pub fn take(&self) -> Option<Result<T, ErrorCode>> {
        self.0.lock().take()
    }

    /// Whether no reply will come any more.
    pub fn is_cut_off(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && self.0.lock().is_none()
    }

    /// The reply, which must have come and be none of the coordinator's errors.
    #[track_caller]
    pub fn reply(&self) -> T {
        self.take().expect("the reply has come").expect("the coordinator is available")
    }

    #[track_caller]
    pub fn refusal(&self) -> ErrorCode {
        self.take().expect("the reply has come").err().expect("it is refused")
    }

    #[track_caller]
    pub fn assert_waits(&self) {
        assert!(self.0.lock().is_none(), "the reply has come already");
    }
}

/// A shard, its clock and its log.
pub struct Driver {
    pub shard: Shard,
    pub now: Now,
    /// Writes that are not committed yet.
    pub in_flight: VecDeque<Write>,
    /// What is committed.
    pub log: Vec<CoordinatorRecord>,
    /// Whether writes are committed as soon as they are made.
    pub commits_at_once: bool,
    settings: GroupSettings,
    ids: usize,
}

impl Driver {
    pub fn new(settings: GroupSettings) -> Driver {
        let now = Now { at: Duration::ZERO, wall_ms: 1_000_000 };
        let mut driver = Driver {
            shard: Shard::new(settings.clone()),
            now,
            in_flight: VecDeque::new(),
            log: Vec::new(),
            commits_at_once: true,
            settings,
            ids: 0,
        };
        let effects = driver.shard.on_loaded(now);
        driver.carry_out(effects);
        driver
    }

    pub fn carry_out(&mut self, effects: Effects) {
        self.in_flight.extend(effects.writes);
        effects.answers.into_iter().for_each(|answer| answer.deliver());
        while self.commits_at_once && self.commit_one() {}
        while self.in_flight.front().is_some_and(|write| write.records.is_empty()) {
            self.end_write(Ok(Offset::UNKNOWN));
        }
    }

    /// The oldest write is committed.
    pub fn commit_one(&mut self) -> bool {
        let Some(write) = self.in_flight.front() else { return false };
        let base = Offset(self.log.len() as i64);
        self.log.extend(write.records.iter().cloned());
        self.end_write(Ok(base));
        true
    }

    /// The oldest write ends so.
    pub fn end_write(&mut self, written: Written) {
        if let Some(write) = self.in_flight.pop_front() {
            let effects = self.shard.handle_written(write, written, self.now);
            self.carry_out(effects);
        }
    }

    pub fn handle(&mut self, event: Event) {
        let effects = self.shard.handle(event, self.now);
        self.carry_out(effects);
    }

    pub fn advance(&mut self, by: Duration) {
        let end = self.now.at + by;
        while let Some(due) = self.shard.next_deadline().filter(|due| *due <= end) {
            self.move_to(due.max(self.now.at));
            let effects = self.shard.handle_time(self.now);
            self.carry_out(effects);
        }
        self.move_to(end);
    }

    fn move_to(&mut self, at: Duration) {
        self.now.wall_ms += (at - self.now.at).as_millis() as i64;
        self.now.at = at;
    }

    /// Another broker takes over with what it has of the log; who waits here is cut off.
    pub fn fail_over(&mut self) {
        self.in_flight.clear();
        self.shard = Shard::new(self.settings.clone());
        for (at, record) in self.log.iter().enumerate() {
            self.shard.replay(record.clone(), Offset(at as i64), None, self.now);
        }
        let effects = self.shard.on_loaded(self.now);
        self.carry_out(effects);
    }

    pub fn fresh_id(&mut self) -> Str {
        self.ids += 1;
        Str::from(format!("member-{:04}", self.ids))
    }

    pub fn join(&mut self, request: JoinGroupRequest) -> Waiting<JoinGroupResponse> {
        self.join_by(request, true)
    }

    /// `modern`: what JoinGroup 9 may, else what 3 may.
    pub fn join_by(&mut self, request: JoinGroupRequest, modern: bool) -> Waiting<JoinGroupResponse> {
        let (port, waiting) = Waiting::new();
        let client = Client { id: "client".into(), host: "/127.0.0.1".into() };
        let fresh_member_id = self.fresh_id();
        let (member_id_required, may_skip_assignment) = (modern, modern);
        let call =
            JoinCall { request, client, fresh_member_id, member_id_required, may_skip_assignment, port };
        self.handle(Event::Join(call));
        waiting
    }

    pub fn sync(&mut self, request: SyncGroupRequest) -> Waiting<SyncGroupResponse> {
        let (port, waiting) = Waiting::new();
        self.handle(Event::Sync(SyncCall { request, port }));
        waiting
    }

    pub fn heartbeat(&mut self, member_id: &str, generation: i32) -> ErrorCode {
        let (port, waiting) = Waiting::new();
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            generation_id: generation,
            ..Default::default()
        };
        self.handle(Event::Heartbeat(HeartbeatCall { request, port }));
        ErrorCode::from_code(waiting.reply().error_code)
    }

    pub fn leave(&mut self, members: Vec<MemberIdentity>) -> Waiting<LeaveGroupResponse> {
        let (port, waiting) = Waiting::new();
        let request = LeaveGroupRequest { group_id: GROUP.into(), members, ..Default::default() };
        self.handle(Event::Leave(LeaveCall { request, port }));
        waiting
    }

    pub fn commit(&mut self, request: OffsetCommitRequest) -> Waiting<OffsetCommitResponse> {
        let (port, waiting) = Waiting::new();
        self.handle(Event::Commit(CommitCall { request, knows_group_id_not_found: true, port }));
        waiting
    }

    pub fn fetch_all(&mut self, require_stable: bool) -> Waiting<OffsetFetchResponseGroup> {
        let (port, waiting) = Waiting::new();
        let request = OffsetFetchRequestGroup { group_id: GROUP.into(), topics: None, ..Default::default() };
        self.handle(Event::Fetch(FetchCall { request, require_stable, port }));
        waiting
    }

    /// The committed offset of partition 0 of the topic.
    pub fn committed(&mut self, topic: &str) -> Option<i64> {
        let fetched = self.fetch_all(false).reply();
        let topic = fetched.topics.iter().find(|it| &*it.name == topic)?;
        topic.partitions.iter().find(|it| it.partition_index == 0).map(|it| it.committed_offset)
    }

    pub fn describe(&mut self) -> Option<DescribedGroup> {
        let (port, waiting) = Waiting::new();
        self.handle(Event::Describe { group: GROUP.into(), port });
        waiting.reply()
    }

    #[track_caller]
    pub fn assert_state(&mut self, expected: &str) {
        let state = self.describe().map(|described| described.group_state);
        assert_eq!(state.as_deref(), Some(expected));
    }

    /// A dynamic member joins as clients do: it learns its id, and is parked with it.
    pub fn join_new(&mut self) -> (Str, Waiting<JoinGroupResponse>) {
        let told = self.join(join_request("")).reply();
        assert_eq!(told.error_code, ErrorCode::MemberIdRequired.code());
        let waiting = self.join(join_request(&told.member_id));
        (told.member_id, waiting)
    }

    /// `count` dynamic members form a stable group; returns their ids, the leader first, and the generation.
    pub fn stable_group(&mut self, count: usize) -> (Vec<Str>, i32) {
        let joins: Vec<_> = (0..count).map(|_| self.join_new()).collect();
        self.advance(self.settings.initial_rebalance_delay * 3);
        let joined: Vec<JoinGroupResponse> = joins.iter().map(|(_, waiting)| waiting.reply()).collect();
        let (leader, generation) = (joined[0].leader.clone(), joined[0].generation_id);
        let mut ids: Vec<Str> = joins.into_iter().map(|(id, _)| id).collect();
        ids.sort_by_key(|id| *id != leader);
        for id in ids.iter().rev() {
            self.sync(sync_request(id, generation, if *id == leader { &ids } else { &[] }));
        }
        self.assert_state("Stable");
        (ids, generation)
    }
}

/// A consumer that speaks `range`.
pub fn join_request(member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: GROUP.into(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range", b"\x00\x00\x00\x00\x00\x01\x00\x05topic\x00\x00\x00\x00")],
        ..Default::default()
    }
}

pub fn protocol(name: &str, metadata: &'static [u8]) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol { name: name.into(), metadata: Bytes::from_static(metadata) }
}

/// A sync that gives each of `assigned` its own name as its assignment.
pub fn sync_request(member_id: &str, generation: i32, assigned: &[Str]) -> SyncGroupRequest {
    let assignments = assigned.iter().map(|id| SyncGroupRequestAssignment {
        member_id: id.clone(),
        assignment: Bytes::copy_from_slice(id.as_bytes()),
    });
    SyncGroupRequest {
        group_id: GROUP.into(),
        generation_id: generation,
        member_id: member_id.into(),
        assignments: assignments.collect(),
        ..Default::default()
    }
}

/// A commit of `offset` for partition 0 of the topic.
pub fn commit_request(member_id: &str, generation: i32, topic: &str, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
    let topic =
        OffsetCommitRequestTopic { name: topic.into(), partitions: vec![partition], ..Default::default() };
    OffsetCommitRequest {
        group_id: GROUP.into(),
        generation_id_or_member_epoch: generation,
        member_id: member_id.into(),
        topics: vec![topic],
        ..Default::default()
    }
}

pub fn leaving(member_id: &str, instance_id: Option<&str>) -> MemberIdentity {
    MemberIdentity {
        member_id: member_id.into(),
        group_instance_id: instance_id.map(Str::from),
        ..Default::default()
    }
}
