//! What the members of a group write to each other, through a coordinator that does not read it: who subscribes to
//! what, and who reads what. Written at the version that every client reads.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use protocol::messages::consumer_protocol_assignment::TopicPartition as AssignedTopic;
use protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription, JoinGroupResponse};
use protocol::wire::{DecodeError, EncodeError, Message, Str};

use crate::{Error, TopicPartition};

const VERSION: i16 = 0;

/// Each member's topics, by the members' ids.
pub type Subscriptions = BTreeMap<Str, BTreeSet<Str>>;

/// What a member says of itself when it joins.
pub fn subscription_bytes(topics: &[String]) -> Result<Bytes, Error> {
    let topics = topics.iter().map(|topic| Str::from(topic.as_str())).collect();
    let subscription = ConsumerProtocolSubscription { topics, ..Default::default() };
    subscription.encode_versioned(VERSION).map_err(unwritable)
}

/// What all members said, as the leader is told.
pub fn subscriptions(answer: &JoinGroupResponse) -> Result<Subscriptions, Error> {
    let mut subscriptions = Subscriptions::new();
    for member in &answer.members {
        let read = ConsumerProtocolSubscription::decode_versioned(member.metadata.clone());
        let (subscription, _) = read.map_err(malformed)?;
        let topics = subscription.topics.iter().map(Str::detached).collect();
        subscriptions.insert(member.member_id.detached(), topics);
    }
    Ok(subscriptions)
}

/// What the leader gives a member.
pub fn assignment_bytes(owned: Vec<TopicPartition>) -> Result<Bytes, Error> {
    let mut topics: BTreeMap<Str, AssignedTopic> = BTreeMap::new();
    for TopicPartition { topic, partition } in owned {
        let named = || AssignedTopic { topic: topic.clone(), partitions: Vec::new() };
        topics.entry(topic.clone()).or_insert_with(named).partitions.push(partition);
    }
    let assigned_partitions = topics.into_values().collect();
    let assignment = ConsumerProtocolAssignment { assigned_partitions, ..Default::default() };
    assignment.encode_versioned(VERSION).map_err(unwritable)
}

/// What a member was given; no bytes at all mean no partitions.
pub fn owned_partitions(assignment: Bytes) -> Result<Vec<TopicPartition>, Error> {
    if assignment.is_empty() {
        return Ok(Vec::new());
    }
    let (assignment, _) = ConsumerProtocolAssignment::decode_versioned(assignment).map_err(malformed)?;
    let of_topic = |assigned: AssignedTopic| {
        let topic = assigned.topic.detached();
        assigned.partitions.into_iter().map(move |partition| TopicPartition::new(topic.clone(), partition))
    };
    Ok(assignment.assigned_partitions.into_iter().flat_map(of_topic).collect())
}

fn malformed(error: DecodeError) -> Error {
    Error::GroupProtocol(error.to_string())
}

fn unwritable(error: EncodeError) -> Error {
    Error::GroupProtocol(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_reads_back_what_it_wrote() {
        let owned =
            vec![TopicPartition::new("t", 0), TopicPartition::new("t", 3), TopicPartition::new("u", 1)];
        let bytes = assignment_bytes(owned.clone()).expect("it is written");
        assert_eq!(owned_partitions(bytes).ok(), Some(owned));
        assert_eq!(owned_partitions(Bytes::new()).ok(), Some(Vec::new()));
    }
}
