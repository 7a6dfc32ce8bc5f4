//! What holds for one topic, by type. The names are those of [`super::topic_keys`]: another one is a bug of ours, and
//! reads as 0, false or nothing.

use std::collections::BTreeMap;

use super::layers::{Layers, Resolved, Source};
use super::table::topic_key;
use super::value::Value;
use crate::image::{ClusterImage, ConfigResource};

/// The configuration of one topic.
#[derive(Clone, Copy, Debug)]
pub struct TopicConfig<'a> {
    layers: Layers<'a>,
    own: Option<&'a BTreeMap<String, String>>,
}

impl<'a> TopicConfig<'a> {
    /// What is set on the topic (`own`) over what is set elsewhere.
    pub fn new(layers: Layers<'a>, own: Option<&'a BTreeMap<String, String>>) -> TopicConfig<'a> {
        TopicConfig { layers, own }
    }

    /// As an image has it.
    pub fn of(image: &'a ClusterImage, topic: &str, layers: Layers<'a>) -> TopicConfig<'a> {
        let own = image.config(&ConfigResource::Topic(topic.to_owned()));
        TopicConfig { layers, own: own.map(|values| &**values) }
    }

    /// The value of a key and where it comes from.
    pub fn resolve(&self, name: &str) -> Option<Resolved> {
        Some(self.layers.resolve(topic_key(name)?, self.own, Source::Topic))
    }

    pub fn number(&self, name: &str) -> i64 {
        self.value(name).and_then(|value| value.as_number()).unwrap_or_default()
    }

    pub fn real(&self, name: &str) -> f64 {
        self.value(name).and_then(|value| value.as_real()).unwrap_or_default()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(|value| value.as_boolean()).unwrap_or_default()
    }

    pub fn text(&self, name: &str) -> String {
        self.value(name).map(|value| value.to_string()).unwrap_or_default()
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        self.value(name).and_then(|value| value.as_list().map(<[_]>::to_vec)).unwrap_or_default()
    }

    fn value(&self, name: &str) -> Option<Value> {
        debug_assert!(topic_key(name).is_some(), "no topic has the key {name}");
        topic_key(name)?.read(&self.resolve(name)?.value?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_by_their_types() {
        let statics = BTreeMap::from([("log.segment.bytes".to_owned(), "2097152".to_owned())]);
        let layers = Layers { dynamic_broker: None, dynamic_default: None, statics: &statics };
        let own = BTreeMap::from([("cleanup.policy".to_owned(), "compact, delete".to_owned())]);
        let config = TopicConfig::new(layers, Some(&own));
        assert_eq!(config.list("cleanup.policy"), ["compact", "delete"]);
        assert_eq!(config.number("segment.bytes"), 2_097_152);
        assert_eq!(config.real("min.cleanable.dirty.ratio"), 0.5);
        assert!(!config.flag("preallocate"));
        assert_eq!(config.text("message.timestamp.type"), "CreateTime");
    }
}
