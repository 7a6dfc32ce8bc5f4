//! State and members of one group. The newer protocol has a call of its own; a group that it does not know is asked for by
//! the classic one.

use protocol::ErrorCode;
use protocol::messages::consumer_group_describe_response as newer;
use protocol::messages::describe_groups_response as classic;
use protocol::messages::{ConsumerGroupDescribeRequest, DescribeGroupsRequest};
use protocol::wire::Str;

use super::named;
use crate::consumer::owned_partitions;
use crate::{Admin, Broker, ConnectionError, Error, TopicPartition};

const CONSUMER: &str = "consumer";
/// What a coordinator without an error for missing groups says of them.
const DEAD: &str = "Dead";

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDescription {
    pub group_id: Str,
    /// "classic" or "consumer": by which protocol it is coordinated.
    pub group_type: &'static str,
    pub state: Str,
    /// Empty where nobody has joined yet.
    pub assignor: Str,
    pub coordinator: Option<Broker>,
    /// Both of the newer protocol only.
    pub epoch: Option<i32>,
    pub assignment_epoch: Option<i32>,
    pub members: Vec<GroupMember>,
}

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    pub id: Str,
    pub instance_id: Option<Str>,
    pub client_id: Str,
    pub host: Str,
    /// What it reads.
    pub assignment: Vec<TopicPartition>,
    /// Both of the newer protocol only: what it is to read once others have given it up.
    pub target_assignment: Option<Vec<TopicPartition>>,
    pub epoch: Option<i32>,
}

impl Admin {
    /// One group; GROUP_ID_NOT_FOUND where there is none.
    pub async fn describe_group(&self, group: &str) -> Result<GroupDescription, Error> {
        let described = match self.describe_newer(group).await {
            Err(error) if is_of_the_classic_protocol(&error) => self.describe_classic(group).await,
            described => described,
        };
        let coordinator = self.cluster().group_coordinator(group).await?;
        let coordinator = self.cluster().metadata().broker(coordinator).cloned();
        described.map(|described| GroupDescription { coordinator, ..described })
    }

    async fn describe_newer(&self, group: &str) -> Result<GroupDescription, Error> {
        let request =
            ConsumerGroupDescribeRequest { group_ids: vec![Str::from(group)], ..Default::default() };
        let read = |answer: protocol::messages::ConsumerGroupDescribeResponse| {
            let found = answer.groups.into_iter().next();
            let found = found.ok_or_else(|| missing("ConsumerGroupDescribe", group))?;
            let message = found.error_message.as_deref();
            Error::check("ConsumerGroupDescribe", named(group), found.error_code, message)?;
            Ok(GroupDescription::of_newer(found))
        };
        self.on_coordinator(group, &request, i16::MAX, read).await
    }

    async fn describe_classic(&self, group: &str) -> Result<GroupDescription, Error> {
        let request = DescribeGroupsRequest { groups: vec![Str::from(group)], ..Default::default() };
        let read = |answer: protocol::messages::DescribeGroupsResponse| {
            let found = answer.groups.into_iter().next();
            let found = found.ok_or_else(|| missing("DescribeGroups", group))?;
            let message = found.error_message.as_deref();
            Error::check("DescribeGroups", named(group), found.error_code, message)?;
            if found.group_state == DEAD {
                return Err(Error::refused("DescribeGroups", named(group), ErrorCode::GroupIdNotFound, None));
            }
            GroupDescription::of_classic(found)
        };
        self.on_coordinator(group, &request, i16::MAX, read).await
    }
}

fn missing(api: &'static str, group: &str) -> Error {
    Error::Incomplete { api, subject: named(group) }
}

/// The broker may not know the newer protocol, or the group may not be of it.
fn is_of_the_classic_protocol(error: &Error) -> bool {
    match error {
        Error::Connection(ConnectionError::ApiNotServed { .. } | ConnectionError::Version { .. }) => true,
        error => {
            matches!(error.code(), Some(ErrorCode::GroupIdNotFound | ErrorCode::UnsupportedVersion))
        }
    }
}

impl GroupDescription {
    fn of_newer(group: newer::DescribedGroup) -> GroupDescription {
        GroupDescription {
            group_id: group.group_id,
            group_type: CONSUMER,
            state: group.group_state,
            assignor: group.assignor_name,
            coordinator: None,
            epoch: Some(group.group_epoch),
            assignment_epoch: Some(group.assignment_epoch),
            members: group.members.into_iter().map(GroupMember::of_newer).collect(),
        }
    }

    fn of_classic(group: classic::DescribedGroup) -> Result<GroupDescription, Error> {
        let of_consumers = group.protocol_type == CONSUMER;
        let member = |member| GroupMember::of_classic(member, of_consumers);
        Ok(GroupDescription {
            group_id: group.group_id,
            group_type: "classic",
            state: group.group_state,
            assignor: group.protocol_data,
            coordinator: None,
            epoch: None,
            assignment_epoch: None,
            members: group.members.into_iter().map(member).collect::<Result<_, _>>()?,
        })
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.state == "Empty"
    }

    /// Whether its members are about to get other partitions.
    pub fn is_rebalancing(&self) -> bool {
        matches!(
            self.state.as_str(),
            "PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling"
        )
    }
}

impl GroupMember {
    fn of_newer(member: newer::Member) -> GroupMember {
        GroupMember {
            id: member.member_id,
            instance_id: member.instance_id,
            client_id: member.client_id,
            host: member.client_host,
            assignment: assigned(member.assignment),
            target_assignment: Some(assigned(member.target_assignment)),
            epoch: Some(member.member_epoch),
        }
    }

    /// What members other than consumers are given is theirs to read.
    fn of_classic(member: classic::DescribedGroupMember, consumer: bool) -> Result<GroupMember, Error> {
        let assignment = if consumer { owned_partitions(member.member_assignment)? } else { Vec::new() };
        Ok(GroupMember {
            id: member.member_id,
            instance_id: member.group_instance_id,
            client_id: member.client_id,
            host: member.client_host,
            assignment,
            target_assignment: None,
            epoch: None,
        })
    }
}

fn assigned(assignment: newer::Assignment) -> Vec<TopicPartition> {
    let of_topic = |topic: newer::TopicPartitions| {
        let name = topic.topic_name;
        topic.partitions.into_iter().map(move |partition| TopicPartition::new(name.clone(), partition))
    };
    assignment.topic_partitions.into_iter().flat_map(of_topic).collect()
}
