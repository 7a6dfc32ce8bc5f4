//! Configs: what is in force for a topic, a broker, a group, where each value comes from, and changes of single keys.

use std::collections::BTreeMap;
use std::fmt;

use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsSynonym};
use protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use protocol::messages::{
    DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};
use protocol::types::BrokerId;
use protocol::wire::Str;

use crate::{Admin, Error};

/// What configs belong to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigResource {
    Topic(String),
    Broker(BrokerId),
    /// What holds for every broker that has no value of its own.
    BrokerDefaults,
    /// The levels at which one broker logs.
    BrokerLogger(BrokerId),
    Group(String),
    ClientMetrics(String),
}

/// The kinds of [`ConfigResource`] that are named by the cluster and not by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigResourceType {
    Group,
    ClientMetrics,
}

/// What is asked for beside the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfigDetail {
    pub synonyms: bool,
    pub documentation: bool,
}

/// A config key and its value in force.
#[derive(Clone, Debug)]
pub struct ConfigEntry {
    pub name: Str,
    /// `None` for a sensitive one.
    pub value: Option<Str>,
    pub source: ConfigSource,
    pub read_only: bool,
    pub sensitive: bool,
    /// Every value that is set at some level, the one in force first.
    pub synonyms: Vec<ConfigSynonym>,
    pub documentation: Option<Str>,
}

/// One value at one level.
#[derive(Clone, Debug)]
pub struct ConfigSynonym {
    pub name: Str,
    pub value: Option<Str>,
    pub source: ConfigSource,
}

/// The level that a value was set at, as the wire numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigSource(pub i8);

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigChange {
    pub name: String,
    pub operation: ConfigOperation,
}

/// What becomes of a key's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigOperation {
    Set(String),
    /// Back to the value of the next level.
    Delete,
    /// Adds to a list,
    Append(String),
    /// and takes away from one.
    Subtract(String),
}

impl Admin {
    /// Every key of each resource, in the order of the resources.
    pub async fn describe_configs(
        &self,
        resources: &[ConfigResource],
        detail: ConfigDetail,
    ) -> Result<Vec<Vec<ConfigEntry>>, Error> {
        let mut by_broker: BTreeMap<Option<BrokerId>, Vec<&ConfigResource>> = BTreeMap::new();
        for resource in resources {
            by_broker.entry(resource.known_by()).or_default().push(resource);
        }
        let mut described = vec![Vec::new(); resources.len()];
        for (broker, asked) in by_broker {
            for (resource, entries) in self.describe_configs_of(broker, &asked, detail).await? {
                let places = resources.iter().zip(&mut described);
                let same = |it: &ConfigResource| (it.kind(), it.name()) == resource;
                if let Some((_, place)) = places.into_iter().find(|(it, _)| same(it)) {
                    *place = entries;
                }
            }
        }
        Ok(described)
    }

    async fn describe_configs_of(
        &self,
        broker: Option<BrokerId>,
        resources: &[&ConfigResource],
        detail: ConfigDetail,
    ) -> Result<Vec<((i8, String), Vec<ConfigEntry>)>, Error> {
        let request = DescribeConfigsRequest {
            resources: resources.iter().map(|resource| resource.to_wire()).collect(),
            include_synonyms: detail.synonyms,
            include_documentation: detail.documentation,
        };
        let answer = match broker {
            Some(broker) => self.call_broker(broker, &request).await?,
            None => self.call(&request).await?,
        };
        let mut described = Vec::with_capacity(answer.results.len());
        for result in answer.results {
            let named = (result.resource_type, result.resource_name.to_string());
            let asked = resources.iter().find(|it| (it.kind(), it.name()) == named);
            let subject = asked.map_or_else(|| format!("'{}'", named.1), |asked| asked.to_string());
            Error::check("DescribeConfigs", subject, result.error_code, result.error_message.as_deref())?;
            described.push((named, result.configs.into_iter().map(ConfigEntry::of).collect()));
        }
        Ok(described)
    }

    /// Changes keys of one resource, all or none; with `validate_only` says whether it could be done.
    pub async fn alter_configs(
        &self,
        resource: &ConfigResource,
        changes: &[ConfigChange],
        validate_only: bool,
    ) -> Result<(), Error> {
        let altered = AlterConfigsResource {
            resource_type: resource.kind(),
            resource_name: Str::from(resource.name()),
            configs: changes.iter().map(ConfigChange::to_wire).collect(),
        };
        let request = IncrementalAlterConfigsRequest { resources: vec![altered], validate_only };
        let answer = match resource.known_by() {
            Some(broker) => self.call_broker(broker, &request).await?,
            None => self.call(&request).await?,
        };
        answer.responses.iter().try_for_each(|altered| {
            let message = altered.error_message.as_deref();
            Error::check("IncrementalAlterConfigs", resource, altered.error_code, message)
        })
    }

    /// The names of all resources of a kind for which something is set.
    pub async fn list_config_resources(&self, kind: ConfigResourceType) -> Result<Vec<String>, Error> {
        let request = ListConfigResourcesRequest { resource_types: vec![kind.code()] };
        let answer = self.call(&request).await?;
        Error::check("ListConfigResources", "the cluster", answer.error_code, None)?;
        Ok(answer.config_resources.into_iter().map(|resource| resource.resource_name.into()).collect())
    }
}

impl ConfigResourceType {
    fn code(self) -> i8 {
        match self {
            ConfigResourceType::ClientMetrics => 16,
            ConfigResourceType::Group => 32,
        }
    }
}

impl ConfigResource {
    /// The kind, as the wire numbers it.
    fn kind(&self) -> i8 {
        match self {
            ConfigResource::Topic(_) => 2,
            ConfigResource::Broker(_) | ConfigResource::BrokerDefaults => 4,
            ConfigResource::BrokerLogger(_) => 8,
            ConfigResource::ClientMetrics(_) => ConfigResourceType::ClientMetrics.code(),
            ConfigResource::Group(_) => ConfigResourceType::Group.code(),
        }
    }

    /// The name, as the wire spells it.
    pub fn name(&self) -> String {
        match self {
            ConfigResource::Topic(name)
            | ConfigResource::Group(name)
            | ConfigResource::ClientMetrics(name) => name.clone(),
            ConfigResource::Broker(id) | ConfigResource::BrokerLogger(id) => id.to_string(),
            ConfigResource::BrokerDefaults => String::new(),
        }
    }

    /// The broker that alone can tell; `None`: every broker can.
    fn known_by(&self) -> Option<BrokerId> {
        match self {
            ConfigResource::Broker(id) | ConfigResource::BrokerLogger(id) => Some(*id),
            _ => None,
        }
    }

    fn to_wire(&self) -> DescribeConfigsResource {
        DescribeConfigsResource {
            resource_type: self.kind(),
            resource_name: Str::from(self.name()),
            configuration_keys: None,
        }
    }
}

impl fmt::Display for ConfigResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigResource::Topic(name) => write!(f, "topic '{name}'"),
            ConfigResource::Broker(id) => write!(f, "broker {id}"),
            ConfigResource::BrokerDefaults => f.write_str("the defaults of all brokers"),
            ConfigResource::BrokerLogger(id) => write!(f, "the loggers of broker {id}"),
            ConfigResource::Group(name) => write!(f, "group '{name}'"),
            ConfigResource::ClientMetrics(name) => write!(f, "client metrics '{name}'"),
        }
    }
}

impl ConfigChange {
    fn to_wire(&self) -> AlterableConfig {
        let (config_operation, value) = match &self.operation {
            ConfigOperation::Set(value) => (0, Some(value)),
            ConfigOperation::Delete => (1, None),
            ConfigOperation::Append(value) => (2, Some(value)),
            ConfigOperation::Subtract(value) => (3, Some(value)),
        };
        let value = value.map(|value| Str::from(value.as_str()));
        AlterableConfig { name: Str::from(self.name.as_str()), config_operation, value }
    }
}

impl ConfigSource {
    pub const DEFAULT: ConfigSource = ConfigSource(5);

    /// Kafka's name of the level.
    pub fn name(self) -> &'static str {
        match self.0 {
            1 => "DYNAMIC_TOPIC_CONFIG",
            2 => "DYNAMIC_BROKER_CONFIG",
            3 => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            4 => "STATIC_BROKER_CONFIG",
            5 => "DEFAULT_CONFIG",
            6 => "DYNAMIC_BROKER_LOGGER_CONFIG",
            7 => "DYNAMIC_CLIENT_METRICS_CONFIG",
            8 => "DYNAMIC_GROUP_CONFIG",
            _ => "UNKNOWN",
        }
    }
}

impl ConfigEntry {
    fn of(entry: DescribeConfigsResourceResult) -> ConfigEntry {
        ConfigEntry {
            name: entry.name,
            value: entry.value,
            source: ConfigSource(entry.config_source),
            read_only: entry.read_only,
            sensitive: entry.is_sensitive,
            synonyms: entry.synonyms.into_iter().map(ConfigSynonym::of).collect(),
            documentation: entry.documentation,
        }
    }

    /// Whether nobody set it, at any level.
    pub fn is_default(&self) -> bool {
        self.source == ConfigSource::DEFAULT
    }
}

impl ConfigSynonym {
    fn of(synonym: DescribeConfigsSynonym) -> ConfigSynonym {
        ConfigSynonym { name: synonym.name, value: synonym.value, source: ConfigSource(synonym.source) }
    }
}
