//! JoinGroup: a member asks for its place in the next generation. The answer may take as long as a rebalance.

use std::net::IpAddr;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use protocol::wire::Str;

use super::RequestContext;
use crate::Broker;
use crate::group::{Client, JoinRules};

/// Before that the session's time-out was the rebalance's too.
const REBALANCE_TIMEOUT_SINCE: i16 = 1;
/// From here on newcomers learn their id before they are members (KIP-394).
const MEMBER_ID_REQUIRED_SINCE: i16 = 4;
/// From here on no protocol is null; before, it is empty.
const NULL_PROTOCOL_SINCE: i16 = 7;
/// From here on a leader can be told not to assign (KIP-814).
const SKIP_ASSIGNMENT_SINCE: i16 = 9;

/// Joins, and waits for the others.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    mut request: JoinGroupRequest,
) -> JoinGroupResponse {
    let version = context.api_version;
    if version < REBALANCE_TIMEOUT_SINCE {
        request.rebalance_timeout_ms = request.session_timeout_ms;
    }
    let rules = JoinRules {
        member_id_required: version >= MEMBER_ID_REQUIRED_SINCE,
        may_skip_assignment: version >= SKIP_ASSIGNMENT_SINCE,
    };
    let member_id = request.member_id.clone();
    let joined = broker.groups.join(request, client(context), rules).await;
    in_version(version, joined.unwrap_or_else(|error| failed(member_id, error)))
}

fn failed(member_id: Str, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse { error_code: error.code(), member_id, ..JoinGroupResponse::default() }
}

fn in_version(version: i16, mut response: JoinGroupResponse) -> JoinGroupResponse {
    let protocol = response.protocol_name.take().filter(|name| !name.is_empty());
    response.protocol_name = match version {
        NULL_PROTOCOL_SINCE.. => protocol,
        _ => Some(protocol.unwrap_or_default()),
    };
    response
}

fn client(context: &RequestContext) -> Client {
    let id = context.client_id.clone().unwrap_or_default();
    Client { id, host: java_address(context.peer.ip()).into() }
}

/// An address as Java prints it, which is what tools show for a member: no name before the slash, no zeros left out.
fn java_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("/{address}"),
        IpAddr::V6(address) => {
            let segments: Vec<String> =
                address.segments().iter().map(|segment| format!("{segment:x}")).collect();
            format!("/{}", segments.join(":"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_as_java_prints_them() {
        let printed = |text: &str| java_address(text.parse().expect("it is an address"));
        assert_eq!(printed("127.0.0.1"), "/127.0.0.1");
        assert_eq!(printed("::ffff:10.0.0.1"), "/10.0.0.1");
        assert_eq!(printed("::1"), "/0:0:0:0:0:0:0:1");
    }

    #[test]
    fn no_protocol_is_empty_first_and_null_later() {
        let none = JoinGroupResponse { protocol_name: None, ..JoinGroupResponse::default() };
        assert_eq!(in_version(6, none).protocol_name.as_deref(), Some(""));
        assert_eq!(in_version(7, failed(Str::default(), ErrorCode::InvalidGroupId)).protocol_name, None);
    }
}
