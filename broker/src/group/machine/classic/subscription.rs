//! What a consumer group consumes, as far as the coordinator can read it: members describe themselves to each other, in
//! bytes whose beginning every version of the consumer protocol shares.

use std::collections::HashSet;

use bytes::Bytes;
use protocol::messages::ConsumerProtocolSubscription;
use protocol::wire::{Message, Reader, Str};

use super::group::ClassicGroup;
use super::state::GroupState;

/// The protocol type of consumers, whose subscriptions can be read.
pub const CONSUMER: &str = "consumer";

/// The version in front of what a member says of itself.
const VERSION_BYTES: usize = size_of::<i16>();

/// Which topics a group consumes now.
pub enum Subscriptions {
    /// Not known, but it may be any: members are no consumers' or can't be read.
    Unknown,
    Topics(HashSet<Str>),
}

/// Which offsets of a group may expire, and since when.
pub enum Retention {
    /// None: the group uses them, or may.
    Keep,
    /// Those that were committed too long ago.
    SinceCommit,
    /// All of them, by the time that the group has been empty.
    SinceEmpty(i64),
}

impl ClassicGroup {
    pub fn subscriptions_of_topics(&self) -> Subscriptions {
        if self.protocol_type.as_deref() != Some(CONSUMER) {
            return Subscriptions::Topics(HashSet::new());
        }
        let protocol = self.protocol_name.clone().unwrap_or_default();
        let mut topics = HashSet::new();
        for member in self.roster.iter().filter(|member| !member.is_new) {
            match subscribed_topics(member.metadata(&protocol)) {
                Some(subscribed) => topics.extend(subscribed),
                None => return Subscriptions::Unknown,
            }
        }
        Subscriptions::Topics(topics)
    }

    /// A group of consumers keeps what it is subscribed to while it is stable, an empty one keeps all for a while.
    pub fn retention(&self) -> Retention {
        match (&self.protocol_type, self.state) {
            (None, _) => Retention::SinceCommit,
            (Some(_), GroupState::Empty) => match self.state_since_ms {
                Some(since_ms) => Retention::SinceEmpty(since_ms),
                None => Retention::SinceCommit,
            },
            (Some(kind), GroupState::Stable) if &**kind == CONSUMER => match self.subscriptions_of_topics() {
                Subscriptions::Topics(_) => Retention::SinceCommit,
                Subscriptions::Unknown => Retention::Keep,
            },
            _ => Retention::Keep,
        }
    }
}

impl Subscriptions {
    /// Whether the group may consume the topic.
    pub fn contain(&self, topic: &str) -> bool {
        match self {
            Subscriptions::Unknown => true,
            Subscriptions::Topics(topics) => topics.contains(topic),
        }
    }
}

/// Read as version 0, whatever version stands in front.
fn subscribed_topics(metadata: Bytes) -> Option<Vec<Str>> {
    let fields = (metadata.len() >= VERSION_BYTES).then(|| metadata.slice(VERSION_BYTES..))?;
    let subscription = ConsumerProtocolSubscription::decode(&mut Reader::new(fields), 0).ok()?;
    Some(subscription.topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_from_the_part_that_all_versions_share() {
        let metadata = Bytes::from_static(b"\x00\x03\x00\x00\x00\x02\x00\x01a\x00\x02bc\xff\xff\xff\xffmore");
        let topics = subscribed_topics(metadata).expect("it is well formed");
        assert_eq!(topics, [Str::from("a"), Str::from("bc")]);
        assert_eq!(subscribed_topics(Bytes::from_static(b"\x00\x00\xff")), None);
    }
}
