//! Which groups there are: every broker names those that it coordinates.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use protocol::messages::ListGroupsRequest;
use protocol::messages::list_groups_response::ListedGroup;
use protocol::types::BrokerId;
use protocol::wire::Str;

use super::is_of_the_coordinator;
use crate::{Admin, Error};

/// A group, as its coordinator lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupListing {
    pub group_id: Str,
    /// What its members are: "consumer", "connect"; empty where it only keeps offsets.
    pub protocol_type: Str,
    /// "Stable", "Empty" and so on.
    pub state: Str,
    /// "classic", "consumer" and so on: by which protocol it is coordinated.
    pub group_type: Str,
}

impl Admin {
    /// All groups in any of these states and of any of these types, ordered by their names. No states, or no types, are
    /// all of them.
    pub async fn list_groups(&self, states: &[String], types: &[String]) -> Result<Vec<GroupListing>, Error> {
        let words = |words: &[String]| words.iter().map(Str::from).collect();
        let request = ListGroupsRequest { states_filter: words(states), types_filter: words(types) };
        let metadata = self.cluster().metadata();
        let asked = metadata.brokers().map(|broker| self.list_groups_of(broker.id, &request));
        let listed = try_join_all(asked).await?.into_iter().flatten();
        // A group that moved meanwhile may be named twice.
        let by_name: BTreeMap<_, _> = listed.map(|group| (group.group_id.clone(), group)).collect();
        Ok(by_name.into_values().collect())
    }

    async fn list_groups_of(
        &self,
        broker: BrokerId,
        request: &ListGroupsRequest,
    ) -> Result<Vec<GroupListing>, Error> {
        let mut backoff = self.cluster().config().retry.start();
        loop {
            match self.try_list_groups_of(broker, request).await {
                Err(error) if is_of_the_coordinator(&error) && backoff.wait().await => {}
                listed => return listed,
            }
        }
    }

    async fn try_list_groups_of(
        &self,
        broker: BrokerId,
        request: &ListGroupsRequest,
    ) -> Result<Vec<GroupListing>, Error> {
        let answer = self.call_broker(broker, request).await?;
        Error::check("ListGroups", format!("broker {broker}"), answer.error_code, None)?;
        Ok(answer.groups.into_iter().map(GroupListing::of).collect())
    }
}

impl GroupListing {
    fn of(group: ListedGroup) -> GroupListing {
        GroupListing {
            group_id: group.group_id,
            protocol_type: group.protocol_type,
            state: group.group_state,
            group_type: group.group_type,
        }
    }

    /// Whether its members are consumers, or were, as far as is known.
    pub fn is_of_consumers(&self) -> bool {
        let kind = self.group_type.to_ascii_lowercase();
        matches!(kind.as_str(), "" | "classic" | "consumer")
            && (self.protocol_type.is_empty() || self.protocol_type == "consumer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_without_a_protocol_counts_as_one_of_consumers() {
        let group = |protocol: &str, kind: &str| GroupListing {
            group_id: "g".into(),
            protocol_type: protocol.into(),
            state: "Empty".into(),
            group_type: kind.into(),
        };
        assert!(group("consumer", "Classic").is_of_consumers() && group("", "classic").is_of_consumers());
        assert!(!group("connect", "classic").is_of_consumers() && !group("share", "Share").is_of_consumers());
    }
}
