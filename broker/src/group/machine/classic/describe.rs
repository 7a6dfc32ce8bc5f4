//! What DescribeGroups and ListGroups show of a group.

use protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use protocol::messages::list_groups_response::ListedGroup;
use protocol::wire::Str;

use super::group::ClassicGroup;
use super::member::Member;
use super::state::GroupState;

/// The type of group that this one is, among those that ListGroups can tell apart (KIP-848).
const CLASSIC: &str = "classic";

impl ClassicGroup {
    /// What its members say of themselves is shown while they agree on it.
    pub fn describe(&self) -> DescribedGroup {
        let protocol = self.protocol_name.clone().filter(|_| self.state == GroupState::Stable);
        DescribedGroup {
            group_id: self.id.clone(),
            group_state: Str::from_static(self.state.name()),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            members: self.roster.iter().map(|member| describe_member(member, protocol.as_deref())).collect(),
            protocol_data: protocol.unwrap_or_default(),
            ..Default::default()
        }
    }

    /// The group, if it matches: `states` in lower case, no filter matches all.
    pub fn list(&self, states: &[String], types: &[String]) -> Option<ListedGroup> {
        let state = self.state.name().to_lowercase();
        let listed = (states.is_empty() || states.contains(&state))
            && (types.is_empty() || types.iter().any(|wanted| wanted == CLASSIC));
        listed.then(|| ListedGroup {
            group_id: self.id.clone(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            group_state: Str::from_static(self.state.name()),
            group_type: Str::from_static(CLASSIC),
        })
    }
}

fn describe_member(member: &Member, protocol: Option<&str>) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client.id.clone(),
        client_host: member.client.host.clone(),
        member_metadata: protocol.map(|protocol| member.metadata(protocol)).unwrap_or_default(),
        member_assignment: member.assignment.clone(),
    }
}
