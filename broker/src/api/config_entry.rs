//! One entry of a DescribeConfigs answer: a key's value, where it comes from, and every place where it is set.
//!
//! The source is that of the first synonym, as Kafka has it. What is sensitive, or of unknown type, is never shown.

use metadata::configs::{ConfigKey, Dynamic, Layers, Source, Synonym, broker_key, broker_keys};
use protocol::messages::describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsSynonym};

/// The `config_type` of a key that nobody knows.
const UNKNOWN_TYPE: i8 = 0;

/// What the client wants beside the values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Details {
    pub(super) synonyms: bool,
    pub(super) documentation: bool,
}

/// The entry of a key that the table knows.
pub(super) fn entry(
    key: &ConfigKey,
    value: Option<String>,
    synonyms: Vec<Synonym>,
    read_only: bool,
    details: Details,
) -> DescribeConfigsResourceResult {
    let facts = Facts {
        name: key.name,
        is_sensitive: key.kind.is_sensitive(),
        config_type: key.kind.code(),
        documentation: Some(key.explained()),
        read_only,
    };
    facts.entry(value, synonyms, details)
}

/// Everything that holds for this broker: each key of the table, and whatever else its file sets.
pub(super) fn broker_entries(layers: Layers<'_>, details: Details) -> Vec<DescribeConfigsResourceResult> {
    let is_set = |key: &ConfigKey| layers.statics.contains_key(key.name);
    let of_table = broker_keys().filter(|key| !key.internal || is_set(key)).map(|key| {
        let value = layers.resolve_broker(key).value;
        entry(key, value, layers.synonyms(key.name), key.dynamic == Dynamic::ReadOnly, details)
    });
    let is_extra = |name: &str| broker_key(name).is_none_or(|key| key.name != name);
    let extra = layers
        .statics
        .iter()
        .filter(|(name, _)| is_extra(name))
        .map(|(name, value)| Facts::of(name).entry(Some(value.clone()), layers.synonyms(name), details));
    of_table.chain(extra).collect()
}

/// What is set on all brokers while they run.
pub(super) fn broker_default_entries(
    layers: Layers<'_>,
    details: Details,
) -> Vec<DescribeConfigsResourceResult> {
    let set = layers.dynamic_default.into_iter().flatten();
    let described = set.map(|(name, value)| {
        let mut synonyms = layers.synonyms(name);
        synonyms.retain(|synonym| synonym.source == Source::DynamicDefaultBroker);
        Facts::of(name).entry(Some(value.clone()), synonyms, details)
    });
    described.collect()
}

/// What is known of a key, whether the table has it or not.
struct Facts<'a> {
    name: &'a str,
    is_sensitive: bool,
    config_type: i8,
    documentation: Option<String>,
    read_only: bool,
}

impl<'a> Facts<'a> {
    fn of(name: &'a str) -> Facts<'a> {
        let key = broker_key(name);
        Facts {
            name,
            is_sensitive: key.is_none_or(|key| key.kind.is_sensitive()),
            config_type: key.map_or(UNKNOWN_TYPE, |key| key.kind.code()),
            documentation: key.map(ConfigKey::explained),
            read_only: key.is_none_or(|key| key.dynamic == Dynamic::ReadOnly),
        }
    }

    fn entry(
        self,
        value: Option<String>,
        synonyms: Vec<Synonym>,
        details: Details,
    ) -> DescribeConfigsResourceResult {
        let is_sensitive = self.is_sensitive;
        let shown = |value: String| (!is_sensitive).then(|| value.into());
        let source = synonyms.first().map_or(Source::Default, |synonym| synonym.source);
        let named = synonyms.into_iter().filter(|_| details.synonyms).map(|synonym| DescribeConfigsSynonym {
            name: synonym.name.into(),
            value: shown(synonym.value),
            source: synonym.source as i8,
        });
        DescribeConfigsResourceResult {
            name: self.name.into(),
            value: value.and_then(shown),
            read_only: self.read_only,
            config_source: source as i8,
            is_sensitive,
            synonyms: named.collect(),
            config_type: self.config_type,
            documentation: self.documentation.filter(|_| details.documentation).map(Into::into),
        }
    }
}
