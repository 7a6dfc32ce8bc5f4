//! FindCoordinator: which broker coordinates a group, as reached by the listener that the client came in by.
//!
//! `__consumer_offsets` is created on the first question. Transactions and share groups have no coordinators here, which a
//! client is told at once rather than left to ask again: for transactions by the only error that every client takes for final
//! (librdkafka asks again after INVALID_REQUEST until its time is up).

use std::sync::Arc;

use metadata::image::{Endpoint, TopicImage};
use protocol::ErrorCode;
use protocol::messages::find_coordinator_response::Coordinator;
use protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use protocol::types::BrokerId;
use protocol::wire::Str;

use super::RequestContext;
use super::cluster_view::{ClusterView, Outlook};
use super::topic_names::GROUP_METADATA_TOPIC;
use crate::Broker;
use crate::group::partition_of;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

/// From here on many keys are asked for at once, each with an error of its own.
const MANY_KEYS_SINCE: i16 = 4;

/// What older versions read beside a success.
const NO_ERROR_MESSAGE: &str = "NONE";

/// Why there is no coordinator to name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum NoCoordinator {
    #[error("the coordinator's partition has no leader that this listener reaches yet")]
    NoLeader,
    #[error("__consumer_offsets can't be created: {0}")]
    NoTopic(String),
    #[error("transactions are not available on this cluster")]
    Transactions,
    #[error("share groups are not available on this cluster")]
    ShareGroups,
    #[error("{0} is no type of coordinator")]
    UnknownType(i8),
}

impl NoCoordinator {
    fn code(&self) -> ErrorCode {
        match self {
            NoCoordinator::NoLeader | NoCoordinator::NoTopic(_) => ErrorCode::CoordinatorNotAvailable,
            NoCoordinator::Transactions => ErrorCode::TransactionalIdAuthorizationFailed,
            NoCoordinator::ShareGroups | NoCoordinator::UnknownType(_) => ErrorCode::InvalidRequest,
        }
    }
}

/// Names a coordinator for each key.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let available = available(broker, request.key_type).await;
    let outlook = Outlook::of(broker);
    let view = outlook.through(&context.listener.name);
    let find = |key: &Str| match &available {
        Ok(()) => found(key, coordinator(view, key)),
        Err(error) => missing(key, error),
    };
    if context.api_version >= MANY_KEYS_SINCE {
        let coordinators = request.coordinator_keys.iter().map(find).collect();
        return FindCoordinatorResponse { coordinators, ..FindCoordinatorResponse::default() };
    }
    alone(find(&request.key))
}

/// Whether there are coordinators of this type at all.
async fn available(broker: &Arc<Broker>, key_type: i8) -> Result<(), NoCoordinator> {
    match key_type {
        GROUP => {
            let ensured = broker.ensure_internal_topic(GROUP_METADATA_TOPIC).await;
            ensured.map_err(|error| NoCoordinator::NoTopic(error.to_string()))
        }
        TRANSACTION => Err(NoCoordinator::Transactions),
        SHARE => Err(NoCoordinator::ShareGroups),
        other => Err(NoCoordinator::UnknownType(other)),
    }
}

/// The leader of the partition that keeps the group.
fn coordinator<'a>(view: ClusterView<'a>, group: &str) -> Result<(BrokerId, &'a Endpoint), NoCoordinator> {
    let leader = view.image.topic(GROUP_METADATA_TOPIC).and_then(|topic| leader_for(view, topic, group));
    let reached = leader.and_then(|leader| view.reached(leader));
    reached.map(|(broker, endpoint)| (broker.id, endpoint)).ok_or(NoCoordinator::NoLeader)
}

fn leader_for(view: ClusterView<'_>, topic: &TopicImage, group: &str) -> Option<BrokerId> {
    let count = i32::try_from(topic.partitions.len()).ok()?;
    let partition = usize::try_from(partition_of(group, count)).ok()?;
    view.leader(topic, partition).ok()
}

fn found(key: &Str, coordinator: Result<(BrokerId, &Endpoint), NoCoordinator>) -> Coordinator {
    match coordinator {
        Ok((id, endpoint)) => Coordinator {
            key: key.clone(),
            node_id: id.0,
            host: endpoint.host.as_str().into(),
            port: endpoint.port.into(),
            ..Coordinator::default()
        },
        Err(error) => missing(key, &error),
    }
}

fn missing(key: &Str, error: &NoCoordinator) -> Coordinator {
    Coordinator {
        key: key.clone(),
        node_id: BrokerId::NONE.0,
        host: Str::default(),
        port: -1,
        error_code: error.code().code(),
        error_message: Some(error.to_string().into()),
    }
}

/// One coordinator, as versions with a single key say it.
fn alone(coordinator: Coordinator) -> FindCoordinatorResponse {
    let Coordinator { node_id, host, port, error_code, error_message, .. } = coordinator;
    let error_message = match error_code {
        0 => Some(Str::from_static(NO_ERROR_MESSAGE)),
        _ => error_message,
    };
    FindCoordinatorResponse {
        error_code,
        error_message,
        node_id,
        host,
        port,
        ..FindCoordinatorResponse::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sample::{CLIENTS, image, outlook, with_topic};

    fn check(leader: i32, listener: &str, expected: Result<i32, NoCoordinator>) {
        let outlook = outlook(with_topic(image(), GROUP_METADATA_TOPIC, &[leader]));
        let found = coordinator(outlook.through(listener), "group").map(|(id, _)| id.0);
        assert_eq!(found, expected);
    }

    #[test]
    fn the_leader_of_the_groups_partition_is_named_where_this_listener_reaches_it() {
        check(1, CLIENTS, Ok(1));
        check(2, CLIENTS, Err(NoCoordinator::NoLeader));
        check(3, CLIENTS, Err(NoCoordinator::NoLeader));
        check(3, "INTERNAL", Ok(3));
        check(-1, CLIENTS, Err(NoCoordinator::NoLeader));
    }

    #[test]
    fn without_the_topic_there_is_no_coordinator_yet() {
        let found = coordinator(outlook(image()).through(CLIENTS), "group").map(|(id, _)| id);
        assert_eq!(found, Err(NoCoordinator::NoLeader));
    }

    #[test]
    fn old_versions_read_the_only_answer_at_the_top() {
        let response = alone(missing(&"id".into(), &NoCoordinator::Transactions));
        let refused = ErrorCode::TransactionalIdAuthorizationFailed.code();
        assert_eq!((response.error_code, response.node_id), (refused, -1));
        assert!(response.coordinators.is_empty());
    }
}
