//! DescribeCluster: the cluster's id, its brokers, and the one to send admin calls to.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::describe_cluster_response::DescribeClusterBroker;
use protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};
use protocol::types::BrokerId;

use super::RequestContext;
use super::authorized::{ALL_OF_CLUSTER, NOT_ASKED};
use super::cluster_view::{ClusterView, Outlook};
use crate::Broker;

/// `endpoint_type` of brokers…
const BROKERS: i8 = 1;
/// …and of controllers, who are not asked over this wire.
const CONTROLLERS: i8 = 2;

/// Answers from the image.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    if request.endpoint_type != BROKERS {
        return wrong_endpoint(request.endpoint_type, context.api_version);
    }
    let outlook = Outlook::of(broker);
    let view = outlook.through(&context.listener.name);
    describe(view, broker.config.broker_id, &request)
}

fn describe(
    view: ClusterView<'_>,
    this: BrokerId,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    let asked = request.include_cluster_authorized_operations;
    DescribeClusterResponse {
        endpoint_type: BROKERS,
        cluster_id: view.image.cluster_id.as_str().into(),
        controller_id: view.controller_id(this).0,
        brokers: brokers(view, request.include_fenced_brokers),
        cluster_authorized_operations: if asked { ALL_OF_CLUSTER } else { NOT_ASKED },
        ..DescribeClusterResponse::default()
    }
}

fn brokers(view: ClusterView<'_>, fenced_too: bool) -> Vec<DescribeClusterBroker> {
    let named = view.brokers().filter(|(broker, _)| fenced_too || !broker.fenced);
    let described = named.map(|(broker, endpoint)| DescribeClusterBroker {
        broker_id: broker.id.0,
        host: endpoint.host.as_str().into(),
        port: endpoint.port.into(),
        rack: broker.rack.as_deref().map(Into::into),
        is_fenced: broker.fenced,
    });
    described.collect()
}

fn wrong_endpoint(endpoint_type: i8, version: i16) -> DescribeClusterResponse {
    let (error, message) = match endpoint_type {
        _ if version == 0 => (ErrorCode::InvalidRequest, "this version asks brokers alone".to_owned()),
        CONTROLLERS => {
            (ErrorCode::MismatchedEndpointType, "this endpoint is a broker, not a controller".to_owned())
        }
        other => (ErrorCode::UnsupportedEndpointType, format!("there is no endpoint type {other}")),
    };
    DescribeClusterResponse {
        error_code: error.code(),
        error_message: Some(message.into()),
        ..DescribeClusterResponse::default()
    }
}

#[cfg(test)]
mod tests {
    use protocol::wire::{Message, Writer};

    use super::*;
    use crate::api::sample::{CLIENTS, image, outlook};

    #[track_caller]
    fn check(include_fenced_brokers: bool, expected: &[(i32, bool)]) {
        let outlook = outlook(image());
        let request = DescribeClusterRequest { include_fenced_brokers, ..DescribeClusterRequest::default() };
        let response = describe(outlook.through(CLIENTS), BrokerId(1), &request);
        let named: Vec<_> =
            response.brokers.iter().map(|broker| (broker.broker_id, broker.is_fenced)).collect();
        assert_eq!((named.as_slice(), response.cluster_authorized_operations), (expected, NOT_ASKED));
    }

    #[test]
    fn fenced_brokers_are_named_to_those_who_ask() {
        check(false, &[(1, false)]);
        check(true, &[(1, false), (2, true)]);
    }

    #[test]
    fn every_version_can_be_written_and_refused() {
        let outlook = outlook(image());
        for version in DescribeClusterRequest::VERSIONS {
            let response =
                describe(outlook.through(CLIENTS), BrokerId(1), &DescribeClusterRequest::default());
            response.encode(&mut Writer::new(), version).expect("can be written");
            let refusal = wrong_endpoint(CONTROLLERS, version);
            refusal.encode(&mut Writer::new(), version).expect("can be written");
            let expected =
                if version == 0 { ErrorCode::InvalidRequest } else { ErrorCode::MismatchedEndpointType };
            assert_eq!(refusal.error_code, expected.code());
        }
    }
}
