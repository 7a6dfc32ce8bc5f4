//! Rebalances of groups of 10, 100 and 1,000 members, by 1,000 and 10,000 partitions, each member on a connection of its own.
//!
//! The members are this process's: what they do besides sending and reading is nothing, so the time is the coordinator's.

use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest};
use protocol::wire::Str;

use super::{PATIENCE, PAUSE};
use crate::measures::Turn;
use crate::subject::Server;
use crate::window::Window;
use crate::wire::Wire;

const JOIN_VERSION: i16 = 9;
const SYNC_VERSION: i16 = 5;
const LEAVE_VERSION: i16 = 5;
const MEMBERS: [usize; 3] = [10, 100, 1000];
const PARTITIONS: [usize; 2] = [1_000, 10_000];
/// Members that join in all the rebalances of one figure: its CPU is counted in hundredths of a second.
const JOINS: usize = 3_000;
const PROTOCOL: &str = "range";
const PROTOCOL_TYPE: &str = "consumer";
const TIMEOUT_MS: i32 = 60_000;

pub fn take(turn: &mut Turn<'_>, server: &Server) -> Result<()> {
    for members in MEMBERS {
        let mut group = Group::open(&server.bootstrap(), members)?;
        let began = Instant::now();
        group.rebalance(PARTITIONS[0])?;
        let name = |figure: &str| format!("{members} members: {figure}");
        turn.sample(name("all join one who is there"), "ms", began.elapsed().as_secs_f64() * 1e3);
        for partitions in PARTITIONS {
            let name = |figure: &str| format!("{members} members, {partitions} partitions: {figure}");
            let rounds = JOINS / members;
            let (window, began) = (Window::open(&[server.pid()])?, Instant::now());
            for _ in 0..rounds {
                group.rebalance(partitions)?;
            }
            let milliseconds = began.elapsed().as_secs_f64() * 1e3 / rounds as f64;
            turn.sample(name("a rebalance"), "ms", milliseconds);
            let cpu = window.close()?.watched;
            turn.sample(name("broker CPU by member"), "µs", cpu * 1e6 / (rounds * members) as f64);
        }
        group.leave()?;
    }
    Ok(())
}

/// All members of one group.
struct Group {
    name: String,
    /// How often they have joined.
    joins: u32,
    members: Vec<Member>,
}

struct Member {
    wire: Wire,
    id: Str,
}

impl Group {
    /// Members that have an id each, of which the first has joined.
    fn open(bootstrap: &str, members: usize) -> Result<Group> {
        let name = format!("group-of-{members}");
        let open = |_| Ok(Member { wire: Wire::open(bootstrap)?, id: "".into() });
        let mut group = Group { name, joins: 0, members: (0..members).map(open).collect::<Result<_>>()? };
        let began = Instant::now();
        while let Err(error) = group.identify() {
            ensure!(began.elapsed() < PATIENCE, "members are given no ids: {error}");
            thread::sleep(PAUSE);
        }
        // The first of a group waits for others only so long; all that have an id are waited for from then on.
        let others = group.members.split_off(1);
        group.rebalance(1)?;
        group.members.extend(others);
        Ok(group)
    }

    /// Whoever joins without an id is given one.
    fn identify(&mut self) -> Result<()> {
        for (at, answer) in self.join()?.into_iter().enumerate() {
            let error = ErrorCode::from_code(answer.error_code);
            ensure!(error == ErrorCode::MemberIdRequired, "a member without an id joined: {error}");
            self.members[at].id = answer.member_id;
        }
        Ok(())
    }

    /// All join, the leader assigns, all are told.
    fn rebalance(&mut self, partitions: usize) -> Result<()> {
        let answers = self.join()?;
        let refused = answers.iter().find(|answer| answer.error_code != 0);
        ensure!(refused.is_none(), "a member may not join: {refused:?}");
        let leader = answers.first().context("no members")?.leader.clone();
        let generation = answers[0].generation_id;
        for member in &mut self.members {
            let assignments = match member.id == leader {
                true => assignments(&answers, &leader, partitions),
                false => Vec::new(),
            };
            let request = SyncGroupRequest {
                group_id: self.name.as_str().into(),
                generation_id: generation,
                member_id: member.id.clone(),
                protocol_type: Some(PROTOCOL_TYPE.into()),
                protocol_name: Some(PROTOCOL.into()),
                assignments,
                ..Default::default()
            };
            member.wire.send(&request, SYNC_VERSION)?;
        }
        for member in &mut self.members {
            let answer = member.wire.receive::<SyncGroupRequest>(SYNC_VERSION)?;
            let error = ErrorCode::from_code(answer.error_code);
            ensure!(error == ErrorCode::None && !answer.assignment.is_empty(), "no assignment: {error}");
        }
        Ok(())
    }

    fn join(&mut self) -> Result<Vec<JoinGroupResponse>> {
        self.joins += 1;
        for member in &mut self.members {
            let protocol =
                JoinGroupRequestProtocol { name: PROTOCOL.into(), metadata: subscription(self.joins) };
            let request = JoinGroupRequest {
                group_id: self.name.as_str().into(),
                session_timeout_ms: TIMEOUT_MS / 2,
                rebalance_timeout_ms: TIMEOUT_MS,
                member_id: member.id.clone(),
                protocol_type: PROTOCOL_TYPE.into(),
                protocols: vec![protocol],
                ..Default::default()
            };
            member.wire.send(&request, JOIN_VERSION)?;
        }
        self.members.iter_mut().map(|member| member.wire.receive::<JoinGroupRequest>(JOIN_VERSION)).collect()
    }

    fn leave(mut self) -> Result<()> {
        let identity =
            |member: &Member| MemberIdentity { member_id: member.id.clone(), ..Default::default() };
        let request = LeaveGroupRequest {
            group_id: self.name.as_str().into(),
            members: self.members.iter().map(identity).collect(),
            ..Default::default()
        };
        let answer = self.members.first_mut().context("no members")?.wire.call(&request, LEAVE_VERSION)?;
        ensure!(answer.error_code == 0, "the members may not leave: {answer:?}");
        Ok(())
    }
}

/// A consumer's, version 0: no topics, and user data that differ each time, since a member that comes back with nothing new
/// moves nobody.
fn subscription(joins: u32) -> Bytes {
    [&[0, 0, 0, 0, 0, 0, 0, 0, 0, 4][..], &joins.to_be_bytes()].concat().into()
}

/// Four bytes for each partition, dealt out evenly to those whom the leader was told of.
fn assignments(
    answers: &[JoinGroupResponse],
    leader: &Str,
    partitions: usize,
) -> Vec<SyncGroupRequestAssignment> {
    let told = answers.iter().find(|answer| answer.member_id == *leader);
    let members = told.map_or(&[][..], |answer| &answer.members);
    let share = 4 * (partitions / members.len().max(1)).max(1);
    let assignment = Bytes::from(vec![0; share]);
    let assign = |member_id: &Str| SyncGroupRequestAssignment {
        member_id: member_id.clone(),
        assignment: assignment.clone(),
    };
    members.iter().map(|member| assign(&member.member_id)).collect()
}
