//! DescribeConfigs: what holds for topics, brokers, loggers, groups and client metrics, where it comes from, and what it means.
//!
//! Each resource has its own error. A broker speaks for itself and for the default of all brokers, never for another.

use std::collections::BTreeMap;
use std::sync::Arc;

use metadata::configs::{ConfigKey, Layers, Source, Synonym, client_metrics_keys, group_keys, topic_keys};
use metadata::image::{ClusterImage, ConfigResource};
use protocol::ErrorCode;
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult};
use protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use protocol::types::BrokerId;

use super::RequestContext;
use super::config_entry::{Details, broker_default_entries, broker_entries, entry};
use super::config_resource::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, KNOWN, TOPIC};
use super::logger_levels;
use super::topic_names::validate;
use crate::Broker;

/// Answers from the image and from what this broker was told.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let image = broker.image();
    let this = broker.config.broker_id;
    let answer = Answer {
        image: &image,
        layers: Layers::of(&image, Some(this), &broker.config.statics),
        this,
        details: Details { synonyms: request.include_synonyms, documentation: request.include_documentation },
    };
    DescribeConfigsResponse { results: answer.results(&request), ..DescribeConfigsResponse::default() }
}

/// Why a resource is not described.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    error: ErrorCode,
    message: String,
}

/// One image, as this broker describes it.
struct Answer<'a> {
    image: &'a ClusterImage,
    layers: Layers<'a>,
    this: BrokerId,
    details: Details,
}

type Described = Result<Vec<DescribeConfigsResourceResult>, Refusal>;

impl Answer<'_> {
    fn results(&self, request: &DescribeConfigsRequest) -> Vec<DescribeConfigsResult> {
        let stranger = request.resources.iter().find(|resource| !KNOWN.contains(&resource.resource_type));
        let described = request.resources.iter().map(|resource| {
            let outcome = match stranger {
                Some(stranger) => Err(unknown_type(stranger)),
                None => self.describe(resource),
            };
            result(resource, outcome)
        });
        described.collect()
    }

    fn describe(&self, resource: &DescribeConfigsResource) -> Described {
        let name = resource.resource_name.as_str();
        match resource.resource_type {
            TOPIC => self.topic(name),
            BROKER => self.broker(name),
            GROUP if name.is_empty() => Err(invalid("Group name must not be empty".into())),
            GROUP => Ok(self.group(name)),
            CLIENT_METRICS if name.is_empty() => {
                Err(invalid("Client metrics subscription name must not be empty".into()))
            }
            CLIENT_METRICS => Ok(self.client_metrics(name)),
            BROKER_LOGGER => self.loggers(name),
            _ => Err(unknown_type(resource)),
        }
    }

    fn topic(&self, name: &str) -> Described {
        validate(name).map_err(|error| Refusal {
            error: ErrorCode::InvalidTopicException,
            message: error.to_string(),
        })?;
        if self.image.topic(name).is_none() {
            return Err(Refusal { error: ErrorCode::UnknownTopicOrPartition, message: String::new() });
        }
        Ok(self.inheriting(topic_keys(), ConfigResource::Topic(name.to_owned()), Source::Topic))
    }

    fn group(&self, name: &str) -> Vec<DescribeConfigsResourceResult> {
        self.inheriting(group_keys(), ConfigResource::Group(name.to_owned()), Source::Group)
    }

    fn client_metrics(&self, name: &str) -> Vec<DescribeConfigsResourceResult> {
        let resource = ConfigResource::ClientMetrics(name.to_owned());
        self.inheriting(client_metrics_keys(), resource, Source::ClientMetrics)
    }

    /// The entries of a resource whose keys inherit from broker keys.
    fn inheriting(
        &self,
        keys: &'static [ConfigKey],
        resource: ConfigResource,
        source: Source,
    ) -> Vec<DescribeConfigsResourceResult> {
        let own = self.image.config(&resource).map(|values| &**values);
        let is_set = |key: &ConfigKey| own.is_some_and(|own| own.contains_key(key.name));
        let shown = keys.iter().filter(|key| !key.internal || is_set(key));
        shown.map(|key| self.inheriting_entry(key, own, source)).collect()
    }

    fn inheriting_entry(
        &self,
        key: &ConfigKey,
        own: Option<&BTreeMap<String, String>>,
        source: Source,
    ) -> DescribeConfigsResourceResult {
        let resolved = self.layers.resolve(key, own, source);
        let mut synonyms = Vec::new();
        if resolved.source == source {
            let value = resolved.value.clone().unwrap_or_default();
            synonyms.push(Synonym { name: key.name.to_owned(), value, source });
        }
        match key.inherits.first() {
            Some(from) => synonyms.extend(self.layers.synonyms(from.name)),
            None if source == Source::Group => synonyms.extend(default_synonym(key)),
            None => {}
        }
        entry(key, resolved.value, synonyms, false, self.details)
    }

    fn broker(&self, name: &str) -> Described {
        if name.is_empty() {
            return Ok(broker_default_entries(self.layers, self.details));
        }
        self.check_is_this(name, " or empty string,")?;
        Ok(broker_entries(self.layers, self.details))
    }

    fn loggers(&self, name: &str) -> Described {
        if name.is_empty() {
            return Err(invalid("Broker id must not be empty".into()));
        }
        self.check_is_this(name, "")?;
        Ok(logger_levels::entries())
    }

    /// A broker speaks for itself alone.
    fn check_is_this(&self, name: &str, or_else: &str) -> Result<(), Refusal> {
        let this = self.this;
        match name.parse::<i32>() {
            Ok(id) if id == this.0 => Ok(()),
            Ok(_) => {
                Err(invalid(format!("Unexpected broker id, expected {this}{or_else} but received {name}")))
            }
            Err(_) => Err(invalid(format!("Broker id must be an integer, but it is: {name}"))),
        }
    }
}

fn default_synonym(key: &ConfigKey) -> Option<Synonym> {
    let (name, value) = (key.name.to_owned(), key.default()?.to_owned());
    Some(Synonym { name, value, source: Source::Default })
}

fn invalid(message: String) -> Refusal {
    Refusal { error: ErrorCode::InvalidRequest, message }
}

fn unknown_type(resource: &DescribeConfigsResource) -> Refusal {
    let (kind, name) = (resource.resource_type, resource.resource_name.as_str());
    invalid(format!("Unexpected resource type {kind} for resource {name}"))
}

/// The result of one resource: the keys that were asked for, all of them if none were named.
fn result(resource: &DescribeConfigsResource, outcome: Described) -> DescribeConfigsResult {
    let mut result = DescribeConfigsResult {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        ..DescribeConfigsResult::default()
    };
    match outcome {
        Ok(mut entries) => {
            if let Some(wanted) = resource.configuration_keys.as_ref().filter(|keys| !keys.is_empty()) {
                entries.retain(|entry| wanted.contains(&entry.name));
            }
            result.configs = entries;
        }
        Err(refusal) => {
            result.error_code = refusal.error.code();
            result.error_message = Some(refusal.message.into());
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sample::{image, with_topic};

    const ALL: Details = Details { synonyms: true, documentation: true };

    fn described(kind: i8, name: &str, keys: &[&str]) -> DescribeConfigsResult {
        let mut image = with_topic(image(), "t", &[1]);
        let set = |pairs: &[(&str, &str)]| {
            Arc::new(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
        };
        image.configs.insert(ConfigResource::Topic("t".into()), set(&[("retention.ms", "5000")]));
        image.configs.insert(ConfigResource::Broker(String::new()), set(&[("log.segment.bytes", "2097152")]));
        let statics = BTreeMap::from([
            ("node.id".to_owned(), "1".to_owned()),
            ("log.retention.hours".to_owned(), "2".to_owned()),
            ("strange.key".to_owned(), "secret".to_owned()),
        ]);
        let layers = Layers::of(&image, Some(BrokerId(1)), &statics);
        let answer = Answer { image: &image, layers, this: BrokerId(1), details: ALL };
        let resource = DescribeConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            configuration_keys: Some(keys.iter().map(|key| (*key).into()).collect()),
        };
        let request =
            DescribeConfigsRequest { resources: vec![resource], ..DescribeConfigsRequest::default() };
        answer.results(&request).remove(0)
    }

    #[track_caller]
    fn check(kind: i8, name: &str, key: &str, value: Option<&str>, source: Source, synonyms: &[&str]) {
        let result = described(kind, name, &[key]);
        assert_eq!((result.error_code, result.configs.len()), (0, 1));
        let entry = &result.configs[0];
        assert_eq!((entry.value.as_deref(), entry.config_source), (value, source as i8));
        let names: Vec<&str> = entry.synonyms.iter().map(|synonym| synonym.name.as_str()).collect();
        assert_eq!(names, synonyms);
    }

    #[test]
    fn a_topic_tells_its_own_values_from_those_it_inherits() {
        check(TOPIC, "t", "retention.ms", Some("5000"), Source::Topic, &["retention.ms"]);
        let inherited = ["log.segment.bytes", "log.segment.bytes"];
        check(TOPIC, "t", "segment.bytes", Some("2097152"), Source::DynamicDefaultBroker, &inherited);
        check(
            TOPIC,
            "t",
            "flush.messages",
            Some("9223372036854775807"),
            Source::Default,
            &["log.flush.interval.messages"],
        );
    }

    #[test]
    fn a_broker_describes_itself_and_hides_what_it_does_not_know() {
        check(BROKER, "1", "node.id", Some("1"), Source::StaticBroker, &["node.id"]);
        check(BROKER, "1", "strange.key", None, Source::StaticBroker, &["strange.key"]);
        check(
            BROKER,
            "",
            "log.segment.bytes",
            Some("2097152"),
            Source::DynamicDefaultBroker,
            &["log.segment.bytes"],
        );
        assert_eq!(described(BROKER, "", &[]).configs.len(), 1, "nothing else is set on all brokers");
        assert!(described(BROKER, "1", &[]).configs.len() > 200);
    }

    #[test]
    fn each_wrong_resource_has_its_own_error() {
        let error = |kind, name| ErrorCode::from_code(described(kind, name, &[]).error_code);
        assert_eq!(error(TOPIC, "missing"), ErrorCode::UnknownTopicOrPartition);
        assert_eq!(error(TOPIC, "not a name"), ErrorCode::InvalidTopicException);
        assert_eq!(error(BROKER, "2"), ErrorCode::InvalidRequest);
        assert_eq!(error(BROKER, "x"), ErrorCode::InvalidRequest);
        assert_eq!(error(GROUP, ""), ErrorCode::InvalidRequest);
        assert_eq!(error(BROKER_LOGGER, ""), ErrorCode::InvalidRequest);
        assert_eq!(error(BROKER_LOGGER, "2"), ErrorCode::InvalidRequest);
        assert_eq!(error(77, "x"), ErrorCode::InvalidRequest);
    }

    #[test]
    fn loggers_have_levels() {
        let result = described(BROKER_LOGGER, "1", &["broker.group"]);
        let expected = (Some("INFO"), Source::DynamicBrokerLogger as i8, false);
        let entry = &result.configs[0];
        assert_eq!((entry.value.as_deref(), entry.config_source, entry.read_only), expected);
        assert!(described(BROKER_LOGGER, "1", &[]).configs.len() > 20);
    }

    #[test]
    fn types_and_documentation_are_told() {
        let result = described(TOPIC, "t", &["cleanup.policy"]);
        assert_eq!(result.configs[0].config_type, 7);
        assert!(result.configs[0].documentation.as_ref().is_some_and(|text| !text.is_empty()));
    }
}
