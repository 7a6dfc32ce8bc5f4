//! What may change while the broker runs: its own settings, and over them what is set on all brokers and on this one.
//!
//! What logs inherit is resolved with their topics, and does not come through here.

use std::path::PathBuf;

use metadata::configs::{Layers, broker_key};
use node::properties::{Origin, Properties};

use super::connections::ConnectionLimits;
use super::values::Values;
use super::{BrokerConfig, ConfigError, ListenersConfig, LogsConfig};

const CORDONED: &str = "cordoned.log.dirs";
const RETENTION: [&str; 3] = ["log.retention.ms", "log.retention.minutes", "log.retention.hours"];
const ROLL: &str = "log.roll.ms";
const ROLL_JITTER: &str = "log.roll.jitter.ms";
/// All directories are cordoned.
const EVERY: &str = "*";

/// What holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicConfig {
    pub connections: ConnectionLimits,
    /// `num.replica.fetchers`: connections to each other broker; 1 unless set.
    pub fetchers: usize,
}

impl DynamicConfig {
    /// What holds from the start on.
    pub(super) fn at_start(
        values: &Values,
        listeners: &ListenersConfig,
        logs: &LogsConfig,
    ) -> Result<DynamicConfig, ConfigError> {
        check_cordoned(values, &logs.dirs)?;
        check_log_times(values)?;
        let names = listeners.bindings.iter().map(|binding| binding.listener.name.as_str());
        Ok(DynamicConfig {
            connections: ConnectionLimits::resolve(values, names)?,
            fetchers: values.number("num.replica.fetchers")?,
        })
    }

    /// What holds by these layers, of which the lowest are the settings of `config`. Values that their keys do not allow are
    /// passed over: another release may have allowed them.
    pub fn resolve(config: &BrokerConfig, layers: Layers) -> Result<DynamicConfig, ConfigError> {
        let properties = overlaid(layers);
        DynamicConfig::at_start(&Values::new(&properties), &config.listeners, &config.logs)
    }
}

fn overlaid(layers: Layers) -> Properties {
    let mut properties = Properties::default();
    let dynamic = [layers.dynamic_default, layers.dynamic_broker].into_iter().flatten();
    let settings = layers.statics.iter().map(|(name, value)| (name, value, Origin::Default));
    let set = dynamic.flatten().map(|(name, value)| (name, value, Origin::Running));
    for (name, value, origin) in settings.chain(set) {
        if broker_key(name).is_some_and(|key| key.read(value).is_ok()) {
            properties.set(name, value, origin);
        }
    }
    properties
}

/// What logs inherit in three units, none of which may say "at once".
fn check_log_times(values: &Values) -> Result<(), ConfigError> {
    let number = |key| values.number_if_set::<i64>(key);
    for key in RETENTION {
        if number(key)? == Some(0) {
            return Err(values.refuse(key, "-1 (for ever), or at least 1,"));
        }
    }
    for (key, min, allowed) in [(ROLL, 1, "at least 1"), (ROLL_JITTER, 0, "at least 0")] {
        if number(key)?.is_some_and(|time| time < min) {
            return Err(values.refuse(key, allowed));
        }
    }
    Ok(())
}

/// Only what is a directory of this broker can be kept free of new replicas.
fn check_cordoned(values: &Values, dirs: &[PathBuf]) -> Result<(), ConfigError> {
    let named = values.list(CORDONED)?;
    let known = named.iter().all(|dir| dirs.iter().any(|known| known.as_os_str() == dir.as_str()));
    match known || named == [EVERY] {
        true => Ok(()),
        false => Err(values.refuse(CORDONED, "directories of log.dirs, or * alone,")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn resolve(all: &[(&str, &str)], this: &[(&str, &str)]) -> Result<DynamicConfig, ConfigError> {
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect::<BTreeMap<_, _>>()
        };
        let mut properties = Properties::default();
        let own =
            [("node.id", "1"), ("listeners", "A://:1"), ("listener.security.protocol.map", "A:PLAINTEXT")];
        let own = own.into_iter().chain([("log.dirs", "/a,/b"), ("num.replica.fetchers", "3")]);
        for (name, value) in own.chain([("inter.broker.listener.name", "A")]) {
            properties.set(name, value, Origin::Override);
        }
        let config = BrokerConfig::resolve(&properties).expect("is allowed");
        let (all, this) = (map(all), map(this));
        let layers =
            Layers { dynamic_broker: Some(&this), dynamic_default: Some(&all), statics: &config.statics };
        DynamicConfig::resolve(&config, layers)
    }

    #[test]
    fn what_is_set_on_this_broker_goes_before_what_is_set_on_all_and_in_the_file() {
        let fetchers = |all, this| resolve(all, this).expect("is allowed").fetchers;
        assert_eq!(fetchers(&[], &[]), 3);
        assert_eq!(fetchers(&[("num.replica.fetchers", "4")], &[]), 4);
        assert_eq!(fetchers(&[("num.replica.fetchers", "4")], &[("num.replica.fetchers", "5")]), 5);
        assert_eq!(fetchers(&[("num.replica.fetchers", "many")], &[]), 3);
    }

    #[test]
    fn records_are_not_kept_for_no_time_at_all() {
        let may_be = |key, value| resolve(&[(key, value)], &[]).is_ok();
        assert!(may_be("log.retention.ms", "-1") && may_be("log.retention.ms", "1") && may_be(ROLL, "1"));
        assert!(!may_be("log.retention.ms", "0") && !may_be(ROLL, "0") && !may_be(ROLL_JITTER, "-1"));
    }

    #[test]
    fn only_directories_that_there_are_can_be_cordoned() {
        let may_cordon = |dirs| resolve(&[], &[(CORDONED, dirs)]).is_ok();
        assert_eq!(["/a", "/a,/b", "*", ""].map(may_cordon), [true; 4]);
        assert_eq!(["/c", "*,/a"].map(may_cordon), [false; 2]);
    }
}
