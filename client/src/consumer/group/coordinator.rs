//! The calls of a group's member, each to the broker that coordinates the group. The coordinator is looked up when it
//! is first needed and again after every call that failed for want of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};
use protocol::types::BrokerId;
use protocol::wire::{Request, Str};

use super::GroupConfig;
use super::assignor::assign_range;
use super::protocol::{Subscriptions, assignment_bytes, owned_partitions, subscription_bytes, subscriptions};
use crate::{Cluster, Error, Lane, TopicPartition};

const PROTOCOL_TYPE: Str = Str::from_static("consumer");
/// The name of the range assignor, which every consumer of every language knows.
const ASSIGNOR: Str = Str::from_static("range");
/// On top of the rebalance time-out, for the answer to a join to travel.
const JOIN_SLACK: Duration = Duration::from_secs(5);

/// Who a member is to its coordinator.
#[derive(Clone, Debug)]
pub struct Member {
    id: Str,
    generation: i32,
}

impl Default for Member {
    fn default() -> Member {
        Member { id: Str::default(), generation: -1 }
    }
}

impl Member {
    pub fn is_named(&self) -> bool {
        !self.id.is_empty()
    }

    pub fn id(&self) -> Str {
        self.id.clone()
    }

    pub fn generation(&self) -> i32 {
        self.generation
    }
}

/// The answer to a join.
pub struct Joined {
    pub member: Member,
    /// What the others subscribe to, where this member leads the group.
    pub to_assign: Option<Subscriptions>,
}

#[derive(Debug)]
pub struct Coordinator {
    cluster: Cluster,
    config: GroupConfig,
    known: Mutex<Option<BrokerId>>,
}

impl Coordinator {
    pub fn new(cluster: Cluster, config: GroupConfig) -> Coordinator {
        Coordinator { cluster, config, known: Mutex::new(None) }
    }

    pub fn config(&self) -> &GroupConfig {
        &self.config
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Waits until all members have joined. A first join only learns the member's id and is repeated with it.
    pub async fn join(&self, member: &Member) -> Result<Joined, Error> {
        let mut request = self.join_request(member)?;
        let mut answer = self.ask_to_join(&request).await?;
        if answer.error_code == ErrorCode::MemberIdRequired.code() {
            request.member_id = answer.member_id;
            answer = self.ask_to_join(&request).await?;
        }
        self.check("JoinGroup", answer.error_code)?;
        let leads = answer.leader == answer.member_id && !answer.skip_assignment;
        let to_assign = leads.then(|| subscriptions(&answer)).transpose()?;
        let member = Member { id: answer.member_id.detached(), generation: answer.generation_id };
        Ok(Joined { member, to_assign })
    }

    async fn ask_to_join(&self, request: &JoinGroupRequest) -> Result<JoinGroupResponse, Error> {
        self.call(request, Lane::Group, self.config.rebalance_timeout + JOIN_SLACK).await
    }

    fn join_request(&self, member: &Member) -> Result<JoinGroupRequest, Error> {
        let metadata = subscription_bytes(&self.config.topics)?;
        Ok(JoinGroupRequest {
            group_id: self.group(),
            session_timeout_ms: millis(self.config.session_timeout),
            rebalance_timeout_ms: millis(self.config.rebalance_timeout),
            member_id: member.id.clone(),
            group_instance_id: self.instance(),
            protocol_type: PROTOCOL_TYPE,
            protocols: vec![JoinGroupRequestProtocol { name: ASSIGNOR, metadata }],
            reason: None,
        })
    }

    /// Decides who reads what: the part of the member that leads.
    pub async fn assign(&self, members: Subscriptions) -> Result<Vec<SyncGroupRequestAssignment>, Error> {
        let topics: BTreeSet<_> = members.values().flatten().collect();
        let mut partitions = BTreeMap::new();
        for topic in topics {
            match self.cluster.refresh_topic_once(topic).await {
                Ok(found) => _ = partitions.insert(topic.clone(), found.partitions.len()),
                Err(error) if error.code() == Some(ErrorCode::UnknownTopicOrPartition) => {
                    tracing::warn!(%topic, "the group subscribes to a topic that does not exist");
                }
                Err(error) => return Err(error),
            }
        }
        let written = |(member_id, owned)| {
            let assignment = assignment_bytes(owned)?;
            Ok(SyncGroupRequestAssignment { member_id, assignment })
        };
        assign_range(&members, &partitions).into_iter().map(written).collect()
    }

    /// Hands in what the leader decided, and receives this member's part.
    pub async fn sync(
        &self,
        member: &Member,
        assignments: Vec<SyncGroupRequestAssignment>,
    ) -> Result<Vec<TopicPartition>, Error> {
        let request = SyncGroupRequest {
            group_id: self.group(),
            generation_id: member.generation,
            member_id: member.id.clone(),
            group_instance_id: self.instance(),
            protocol_type: Some(PROTOCOL_TYPE),
            protocol_name: Some(ASSIGNOR),
            assignments,
        };
        let answer = self.call(&request, Lane::Group, self.config.rebalance_timeout + JOIN_SLACK).await?;
        self.check("SyncGroup", answer.error_code)?;
        owned_partitions(answer.assignment)
    }

    pub async fn heartbeat(&self, member: &Member) -> Result<(), Error> {
        let request = HeartbeatRequest {
            group_id: self.group(),
            generation_id: member.generation,
            member_id: member.id.clone(),
            group_instance_id: self.instance(),
        };
        let answer = self.call(&request, Lane::Heartbeat, self.config.session_timeout).await?;
        self.check("Heartbeat", answer.error_code)
    }

    pub async fn leave(&self, member: &Member) -> Result<(), Error> {
        let leaving = MemberIdentity { member_id: member.id.clone(), ..Default::default() };
        let request =
            LeaveGroupRequest { group_id: self.group(), members: vec![leaving], ..Default::default() };
        let answer = self.call(&request, Lane::Heartbeat, self.request_timeout()).await?;
        self.check("LeaveGroup", answer.error_code)
    }

    pub async fn call<R: Request>(
        &self,
        request: &R,
        lane: Lane,
        limit: Duration,
    ) -> Result<R::Response, Error> {
        let known = *self.known.lock();
        let coordinator = match known {
            Some(coordinator) => coordinator,
            None => self.cluster.group_coordinator(&self.config.group_id).await?,
        };
        *self.known.lock() = Some(coordinator);
        let answer =
            async { Ok(self.cluster.broker(coordinator, lane).await?.send_within(request, limit).await?) };
        answer.await.inspect_err(|_: &Error| self.forget())
    }

    pub fn check(&self, api: &'static str, code: i16) -> Result<(), Error> {
        let checked = Error::check(api, format!("group '{}'", self.config.group_id), code, None);
        checked.inspect_err(|error| {
            if error.is_retriable() {
                self.forget();
            }
        })
    }

    fn forget(&self) {
        *self.known.lock() = None;
    }

    pub fn group(&self) -> Str {
        Str::from(self.config.group_id.as_str())
    }

    pub fn instance(&self) -> Option<Str> {
        self.config.instance_id.as_deref().map(Str::from)
    }

    pub fn request_timeout(&self) -> Duration {
        self.cluster.config().connection.request_timeout
    }
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
