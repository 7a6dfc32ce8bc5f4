//! A consumer as the random schedules know it: it joins, assigns if it leads, heartbeats, commits, and may die at any
//! moment.

use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse};
use protocol::wire::Str;

use super::driver::{Driver, GROUP, Waiting, join_request, protocol};

/// The partitions that the group shares.
pub const PARTITIONS: usize = 6;
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// What a member may say of itself; a change of it means a rebalance.
const WISHES: [&[u8]; 3] = [b"one", b"two", b"three"];

/// One consumer process.
pub struct Consumer {
    pub instance: Option<Str>,
    pub member_id: Str,
    pub generation: i32,
    pub wish: usize,
    pub stage: Stage,
    /// The next time that it should do more than heartbeat, it will not.
    pub gets_stuck: bool,
    next_heartbeat: Duration,
}

/// How far it has come.
pub enum Stage {
    /// About to join.
    Idle,
    Joining(Waiting<JoinGroupResponse>),
    Syncing(Waiting<SyncGroupResponse>),
    /// It owns these partitions.
    Member(Vec<usize>),
    /// It heartbeats and does nothing else: its application has not come back for more.
    Stuck,
    /// It does not run.
    Gone,
}

impl Consumer {
    pub fn new(instance: Option<Str>) -> Consumer {
        Consumer {
            instance,
            member_id: Str::default(),
            generation: -1,
            wish: 0,
            stage: Stage::Gone,
            gets_stuck: false,
            next_heartbeat: Duration::ZERO,
        }
    }

    /// Who owns what it owns: a static member keeps it under its next id.
    pub fn identity(&self) -> Str {
        self.instance.clone().unwrap_or_else(|| self.member_id.clone())
    }

    /// A new process begins, which knows of no id.
    pub fn start(&mut self) {
        self.member_id = Str::default();
        self.gets_stuck = false;
        self.stage = Stage::Idle;
    }

    /// Does what it would do now; the partitions that it was given, if it was.
    pub fn act(&mut self, driver: &mut Driver) -> Option<Vec<usize>> {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => self.stage = Stage::Joining(driver.join(self.join_request())),
            Stage::Joining(waiting) => self.on_join(waiting, driver),
            Stage::Syncing(waiting) => return self.on_sync(waiting, driver),
            Stage::Member(owned) => self.heartbeat(owned, driver),
            Stage::Stuck => self.doze(driver),
            Stage::Gone => self.stage = Stage::Gone,
        }
        None
    }

    pub fn join_request(&self) -> JoinGroupRequest {
        JoinGroupRequest {
            group_instance_id: self.instance.clone(),
            protocols: vec![protocol("range", WISHES[self.wish])],
            ..join_request(&self.member_id)
        }
    }

    pub fn change_wish(&mut self) {
        self.wish = (self.wish + 1) % WISHES.len();
        self.stage = Stage::Idle;
    }

    fn on_join(&mut self, waiting: Waiting<JoinGroupResponse>, driver: &mut Driver) {
        match waiting.take() {
            None if waiting.is_cut_off() => {}
            None => self.stage = Stage::Joining(waiting),
            Some(Err(_)) => {}
            Some(Ok(joined)) if joined.error_code == 0 => {
                self.member_id = joined.member_id.clone();
                self.generation = joined.generation_id;
                self.stage = match self.gets_stuck {
                    true => Stage::Stuck,
                    false => Stage::Syncing(driver.sync(self.sync_request(&joined))),
                };
            }
            Some(Ok(refused)) => match ErrorCode::from_code(refused.error_code) {
                ErrorCode::MemberIdRequired => self.member_id = refused.member_id,
                error => self.on_error(error),
            },
        }
    }

    fn sync_request(&self, joined: &JoinGroupResponse) -> SyncGroupRequest {
        let leads = joined.leader == joined.member_id && !joined.skip_assignment;
        let members: Vec<&Str> = joined.members.iter().map(|member| &member.member_id).collect();
        let count = members.len();
        let share = |at: usize| (0..PARTITIONS).filter(move |it| it % count == at).map(|it| it as u8);
        let assignments = members.iter().enumerate().filter(|_| leads).map(|(at, id)| {
            let assignment = Bytes::from_iter(share(at));
            SyncGroupRequestAssignment { member_id: (*id).clone(), assignment }
        });
        SyncGroupRequest {
            group_id: GROUP.into(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance.clone(),
            assignments: assignments.collect(),
            ..Default::default()
        }
    }

    fn on_sync(&mut self, waiting: Waiting<SyncGroupResponse>, driver: &Driver) -> Option<Vec<usize>> {
        match waiting.take() {
            None if waiting.is_cut_off() => None,
            None => {
                self.stage = Stage::Syncing(waiting);
                None
            }
            Some(Err(_)) => None,
            Some(Ok(synced)) if synced.error_code == 0 => {
                let owned: Vec<usize> =
                    synced.assignment.iter().map(|partition| usize::from(*partition)).collect();
                self.next_heartbeat = driver.now.at + HEARTBEAT_INTERVAL;
                self.stage = Stage::Member(owned.clone());
                Some(owned)
            }
            Some(Ok(refused)) => {
                self.on_error(ErrorCode::from_code(refused.error_code));
                None
            }
        }
    }

    fn heartbeat(&mut self, owned: Vec<usize>, driver: &mut Driver) {
        if driver.now.at < self.next_heartbeat {
            self.stage = Stage::Member(owned);
            return;
        }
        self.next_heartbeat = driver.now.at + HEARTBEAT_INTERVAL;
        match driver.heartbeat(&self.member_id, self.generation) {
            ErrorCode::None => self.stage = Stage::Member(owned),
            ErrorCode::RebalanceInProgress if self.gets_stuck => self.stage = Stage::Stuck,
            error => self.on_error(error),
        }
    }

    fn doze(&mut self, driver: &mut Driver) {
        let heard = match driver.now.at < self.next_heartbeat {
            true => ErrorCode::None,
            false => {
                self.next_heartbeat = driver.now.at + HEARTBEAT_INTERVAL;
                driver.heartbeat(&self.member_id, self.generation)
            }
        };
        let belongs = matches!(heard, ErrorCode::None | ErrorCode::RebalanceInProgress);
        self.stage = if belongs { Stage::Stuck } else { Stage::Gone };
    }

    /// What the Java consumer does: joins again, with the id it has unless that was refused.
    pub fn on_error(&mut self, error: ErrorCode) {
        match error {
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => self.start(),
            ErrorCode::FencedInstanceId => self.stage = Stage::Gone,
            _ => self.stage = Stage::Idle,
        }
    }
}
