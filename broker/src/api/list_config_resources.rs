//! ListConfigResources: the names of what can be configured, by type (KIP-1142); in version 0, of client metrics alone
//! (KIP-714).
//!
//! Topics and brokers are named because they are there; groups and client metrics once something is set for them.

use std::sync::Arc;

use metadata::image::{ClusterImage, ConfigResource as Configured};
use protocol::ErrorCode;
use protocol::messages::list_config_resources_response::ConfigResource;
use protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};
use protocol::wire::Str;

use super::RequestContext;
use super::cluster_view::{ClusterView, Outlook};
use crate::Broker;

/// Kafka's numbers of the types, as this response knows them.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

/// In the order in which Apache Kafka lists them.
const TYPES: [i8; 5] = [GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC];
const TYPES_OF_VERSION_0: [i8; 1] = [CLIENT_METRICS];

/// Answers from the image.
pub async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: ListConfigResourcesRequest,
) -> ListConfigResourcesResponse {
    let outlook = Outlook::of(broker);
    list(outlook.through(&context.listener.name), context.api_version, &request.resource_types)
}

/// No type asks for all of them.
fn list(view: ClusterView<'_>, version: i16, asked: &[i8]) -> ListConfigResourcesResponse {
    let known: &[i8] = if version == 0 { &TYPES_OF_VERSION_0 } else { &TYPES };
    if asked.iter().any(|asked| !known.contains(asked)) {
        let error_code = ErrorCode::UnsupportedVersion.code();
        return ListConfigResourcesResponse { error_code, ..Default::default() };
    }
    let listed = known.iter().filter(|listed| asked.is_empty() || asked.contains(listed));
    let resources = listed.flat_map(|&resource_type| {
        let named = move |resource_name| ConfigResource { resource_name, resource_type };
        names(view, resource_type).into_iter().map(named)
    });
    ListConfigResourcesResponse { config_resources: resources.collect(), ..Default::default() }
}

fn names(view: ClusterView<'_>, resource_type: i8) -> Vec<Str> {
    match resource_type {
        TOPIC => {
            let mut topics: Vec<&str> = view.image.topics.keys().map(String::as_str).collect();
            topics.sort_unstable();
            topics.into_iter().map(Str::from).collect()
        }
        BROKER | BROKER_LOGGER => view.brokers().map(|(broker, _)| broker.id.to_string().into()).collect(),
        _ => configured(view.image, resource_type).map(Str::from).collect(),
    }
}

/// The groups, or client metrics, for which something is set.
fn configured(image: &ClusterImage, resource_type: i8) -> impl Iterator<Item = &str> {
    image.configs.keys().filter_map(move |resource| match resource {
        Configured::Group(name) => Some(name.as_str()).filter(|_| resource_type == GROUP),
        Configured::ClientMetrics(name) => Some(name.as_str()).filter(|_| resource_type == CLIENT_METRICS),
        Configured::Topic(_) | Configured::Broker(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sample::{CLIENTS, image, outlook, with_topic};

    /// What is listed, as type and name, or the error.
    fn listed(version: i16, asked: &[i8]) -> Result<Vec<(i8, String)>, ErrorCode> {
        let mut image = with_topic(with_topic(image(), "b", &[1]), "a", &[1]);
        let set = Arc::new([("key".to_owned(), "value".to_owned())].into());
        image.configs.insert(Configured::Group("g".into()), Arc::clone(&set));
        image.configs.insert(Configured::ClientMetrics("m".into()), Arc::clone(&set));
        image.configs.insert(Configured::Topic("a".into()), set);
        let outlook = outlook(image);
        let response = list(outlook.through(CLIENTS), version, asked);
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None => {
                let resources = response.config_resources.into_iter();
                Ok(resources.map(|it| (it.resource_type, it.resource_name.to_string())).collect())
            }
            error => Err(error),
        }
    }

    fn check(version: i16, asked: &[i8], expected: &[(i8, &str)]) {
        let expected = expected.iter().map(|&(kind, name)| (kind, name.to_owned())).collect();
        assert_eq!(listed(version, asked), Ok(expected));
    }

    #[test]
    fn all_types_are_listed_unless_some_are_asked_for() {
        let brokers = [(BROKER, "1"), (BROKER, "2")];
        let all = [(GROUP, "g"), (CLIENT_METRICS, "m"), (BROKER_LOGGER, "1"), (BROKER_LOGGER, "2")];
        check(1, &[], &[&all[..], &brokers, &[(TOPIC, "a"), (TOPIC, "b")]].concat());
        check(1, &[BROKER], &brokers);
        check(1, &[TOPIC, GROUP], &[(GROUP, "g"), (TOPIC, "a"), (TOPIC, "b")]);
    }

    #[test]
    fn version_0_knows_client_metrics_alone() {
        check(0, &[], &[(CLIENT_METRICS, "m")]);
    }

    #[test]
    fn a_type_that_cannot_be_configured_is_refused() {
        assert_eq!(listed(1, &[TOPIC, 64]), Err(ErrorCode::UnsupportedVersion));
    }
}
