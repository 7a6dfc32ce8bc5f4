//! LeaveGroup: members go. Old versions say one member, newer ones many, each with an error of its own.

use std::sync::Arc;

use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use super::RequestContext;
use crate::Broker;

/// From here on many members leave at once (KIP-345).
const MANY_MEMBERS_SINCE: i16 = 3;

/// Removes the members.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    mut request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    let version = context.api_version;
    if version < MANY_MEMBERS_SINCE {
        let member_id = std::mem::take(&mut request.member_id);
        request.members = vec![MemberIdentity { member_id, ..MemberIdentity::default() }];
    }
    let left = broker.groups.leave(request).await;
    let failed =
        |error: protocol::ErrorCode| LeaveGroupResponse { error_code: error.code(), ..Default::default() };
    in_version(version, left.unwrap_or_else(failed))
}

fn in_version(version: i16, mut response: LeaveGroupResponse) -> LeaveGroupResponse {
    if version < MANY_MEMBERS_SINCE {
        let of_member = response.members.drain(..).map(|member| member.error_code).next();
        if response.error_code == 0 {
            response.error_code = of_member.unwrap_or_default();
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use protocol::messages::leave_group_response::MemberResponse;

    use super::*;

    #[test]
    fn the_only_member_of_old_versions_has_its_error_at_the_top() {
        let members = vec![MemberResponse { error_code: 25, ..MemberResponse::default() }];
        let response = LeaveGroupResponse { members, ..LeaveGroupResponse::default() };
        assert_eq!(in_version(3, response.clone()), response);
        let old = in_version(2, response);
        assert_eq!((old.error_code, old.members.len()), (25, 0));
    }
}
