//! DescribeGroups: the state and the members of classic groups.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};
use protocol::wire::Str;

use super::RequestContext;
use super::authorized::ALL_OF_GROUP;
use crate::Broker;
use crate::group::Reply;

/// From here on a missing group has an error; before, it is dead (KIP-1043).
const GROUP_ID_NOT_FOUND_SINCE: i16 = 6;

/// What a group is that does not exist.
const DEAD: &str = "Dead";

/// Asks the coordinator of each group.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let mut groups = Vec::with_capacity(request.groups.len());
    for id in &request.groups {
        let mut group = told(context.api_version, id, broker.groups.describe(id).await);
        if request.include_authorized_operations && group.error_code == 0 {
            group.authorized_operations = ALL_OF_GROUP;
        }
        groups.push(group);
    }
    DescribeGroupsResponse { groups, ..DescribeGroupsResponse::default() }
}

fn told(version: i16, id: &Str, described: Reply<Option<DescribedGroup>>) -> DescribedGroup {
    let missing = DescribedGroup { group_id: id.clone(), ..DescribedGroup::default() };
    match described {
        Ok(Some(group)) => group,
        Ok(None) if version >= GROUP_ID_NOT_FOUND_SINCE => DescribedGroup {
            error_code: ErrorCode::GroupIdNotFound.code(),
            error_message: Some(format!("Group {id} not found.").into()),
            group_state: Str::from_static(DEAD),
            ..missing
        },
        Ok(None) => DescribedGroup { group_state: Str::from_static(DEAD), ..missing },
        Err(error) => DescribedGroup { error_code: error.code(), ..missing },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_group_is_dead_first_and_an_error_later() {
        let id = Str::from("group");
        assert_eq!((told(5, &id, Ok(None)).error_code, &*told(5, &id, Ok(None)).group_state), (0, DEAD));
        assert_eq!(told(6, &id, Ok(None)).error_code, ErrorCode::GroupIdNotFound.code());
    }
}
