//! What holds where something may be set in several places: on the topic, on the broker while it runs, on all brokers while
//! they run, in the broker's own file, or nowhere.
//!
//! Values that do not fit their key are passed over: another release may have allowed them.

use std::collections::BTreeMap;

use protocol::types::BrokerId;

use super::key::{ConfigKey, Inherited};
use super::table::broker_key;
use crate::image::{ClusterImage, ConfigResource};

/// Where a value comes from, by Kafka's `ConfigSource` codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum Source {
    Topic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
    DynamicBrokerLogger = 6,
    ClientMetrics = 7,
    Group = 8,
}

/// What holds for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// As Kafka writes it; `None` where nothing is set and there is no default.
    pub value: Option<String>,
    pub source: Source,
}

/// One place where a value stands, under the name that it has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    pub name: String,
    pub value: String,
    pub source: Source,
}

type Values = BTreeMap<String, String>;

/// What is set outside of the topic or group itself, as one broker (or the controller, which has no values of one broker)
/// sees it.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    pub dynamic_broker: Option<&'a Values>,
    pub dynamic_default: Option<&'a Values>,
    pub statics: &'a Values,
}

impl<'a> Layers<'a> {
    /// What an image and the node's own file say; `broker` is `None` for the controller.
    pub fn of(image: &'a ClusterImage, broker: Option<BrokerId>, statics: &'a Values) -> Layers<'a> {
        let set = |name: String| image.config(&ConfigResource::Broker(name)).map(|values| &**values);
        Layers {
            dynamic_broker: broker.and_then(|id| set(id.to_string())),
            dynamic_default: set(String::new()),
            statics,
        }
    }

    /// What holds for a topic's or group's key: what is set on it, else what it inherits, else its default.
    pub fn resolve(&self, key: &ConfigKey, own: Option<&Values>, own_source: Source) -> Resolved {
        if let Some(value) = own.and_then(|own| own.get(key.name)).and_then(|text| read(key, text, 1)) {
            return Resolved { value: Some(value), source: own_source };
        }
        self.inherited(key, key.inherits).unwrap_or_else(|| default_of(key))
    }

    /// What holds for a broker's key.
    pub fn resolve_broker(&self, key: &ConfigKey) -> Resolved {
        let itself = Inherited { name: key.name, factor: 1 };
        self.inherited(key, &[itself]).unwrap_or_else(|| default_of(key))
    }

    fn inherited(&self, key: &ConfigKey, from: &[Inherited]) -> Option<Resolved> {
        self.places().into_iter().find_map(|(values, source)| {
            let found = |from: &Inherited| read(key, values?.get(from.name)?, from.factor);
            let value = from.iter().find_map(found)?;
            Some(Resolved { value: Some(value), source })
        })
    }

    /// Every place where a broker key, or one that stands for it in another unit, is set; the one that holds comes first.
    /// Empty, as Kafka has it, where the key itself is set nowhere and has no default.
    pub fn synonyms(&self, name: &str) -> Vec<Synonym> {
        let names = names_for(name);
        let mut all = Vec::new();
        for (values, source) in self.places() {
            let set = |name: &&str| Some(synonym(name, values?.get(*name)?, source));
            all.extend(names.iter().filter_map(set));
        }
        let default = |name: &&str| Some(synonym(name, broker_key(name)?.default()?, Source::Default));
        all.extend(names.iter().filter_map(default));
        let first = all.iter().position(|synonym| synonym.name == name).unwrap_or(all.len());
        all.split_off(first)
    }

    fn places(&self) -> [(Option<&'a Values>, Source); 3] {
        [
            (self.dynamic_broker, Source::DynamicBroker),
            (self.dynamic_default, Source::DynamicDefaultBroker),
            (Some(self.statics), Source::StaticBroker),
        ]
    }
}

/// A broker key and those that stand for it in another unit, where it is not set.
fn names_for(name: &str) -> Vec<&str> {
    match name {
        "log.roll.ms" => vec!["log.roll.ms", "log.roll.hours"],
        "log.roll.jitter.ms" => vec!["log.roll.jitter.ms", "log.roll.jitter.hours"],
        "log.flush.interval.ms" => vec!["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
        "log.retention.ms" => vec!["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
        _ => vec![name],
    }
}

fn synonym(name: &str, value: &str, source: Source) -> Synonym {
    Synonym { name: name.to_owned(), value: value.to_owned(), source }
}

fn default_of(key: &ConfigKey) -> Resolved {
    Resolved { value: key.default().map(str::to_owned), source: Source::Default }
}

fn read(key: &ConfigKey, text: &str, factor: i64) -> Option<String> {
    if factor == 1 {
        return key.read(text).ok().map(|value| value.to_string());
    }
    // Kafka lets −1 minutes or hours stand for "never" as well.
    let number: i64 = text.trim().parse().ok()?;
    let scaled = if number < 0 { number } else { number.checked_mul(factor)? };
    key.read(&scaled.to_string()).ok().map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::table::topic_key;
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn retention(layers: Layers, own: &[(&str, &str)]) -> (String, Source) {
        let resolved = layers.resolve(topic_key("retention.ms").unwrap(), Some(&values(own)), Source::Topic);
        (resolved.value.unwrap(), resolved.source)
    }

    #[test]
    fn the_nearest_place_holds() {
        let (none, hours) =
            (values(&[]), values(&[("log.retention.hours", "2"), ("log.retention.minutes", "5")]));
        let dynamic = values(&[("log.retention.ms", "7")]);
        let mut layers = Layers { dynamic_broker: None, dynamic_default: None, statics: &none };
        assert_eq!(retention(layers, &[]), ("604800000".into(), Source::Default));
        layers.statics = &hours;
        assert_eq!(retention(layers, &[]), ("300000".into(), Source::StaticBroker));
        layers.dynamic_default = Some(&dynamic);
        assert_eq!(retention(layers, &[]), ("7".into(), Source::DynamicDefaultBroker));
        assert_eq!(retention(layers, &[("retention.ms", "8")]), ("8".into(), Source::Topic));
        assert_eq!(
            retention(layers, &[("retention.ms", "what?")]),
            ("7".into(), Source::DynamicDefaultBroker)
        );
    }

    #[test]
    fn synonyms_begin_where_the_key_itself_is_set() {
        let statics = values(&[("log.retention.hours", "2")]);
        let dynamic = values(&[("log.retention.ms", "7")]);
        let layers = Layers { dynamic_broker: None, dynamic_default: None, statics: &statics };
        assert_eq!(layers.synonyms("log.retention.ms"), []);
        let layers = Layers { dynamic_default: Some(&dynamic), ..layers };
        let sources: Vec<_> =
            layers.synonyms("log.retention.ms").into_iter().map(|s| (s.name, s.source)).collect();
        assert_eq!(
            sources,
            [
                ("log.retention.ms".to_owned(), Source::DynamicDefaultBroker),
                ("log.retention.hours".to_owned(), Source::StaticBroker),
                ("log.retention.hours".to_owned(), Source::Default),
            ]
        );
    }
}
